/** Whether a process in a student's machine ended as it should. What it printed may be anything. Pure. */
import type { Expected } from '../../config/checks/types.ts';
import type { CommandOutcome, EndedProcess } from '../../agent/types.ts';
import { isFound } from '../../pattern.ts';
import type { Finding, Seen } from './checks-types.ts';

/** Of what is printed, looked through for patterns: even linear time is long for a whole class that prints. */
const MOST_SEARCHED = 64 * 1024;
const MOST_SHOWN = 2000;

function cut(text: string): string {
  return text.slice(0, MOST_SHOWN).replace(/[\ud800-\udbff]$/, '');
}

function seenOf({ exit, signal, stdout, stderr, isTruncated }: EndedProcess): Seen {
  const isCut = isTruncated || stdout.length > MOST_SHOWN || stderr.length > MOST_SHOWN;
  return {
    ...(exit === undefined ? {} : { exit }),
    ...(signal === undefined ? {} : { signal }),
    ...(stdout === '' ? {} : { stdout: cut(stdout) }),
    ...(stderr === '' ? {} : { stderr: cut(stderr) }),
    ...(isCut ? { isCut } : {}),
  };
}

function judgeProcess(expect: Expected, process: EndedProcess): Finding {
  const seen = seenOf(process);
  if (process.exit === undefined) return { verdict: 'failed', why: 'killed', seen };
  if (process.exit !== expect.exit) return { verdict: 'failed', why: 'exit', seen };
  for (const stream of ['stdout', 'stderr'] as const) {
    const pattern = expect[stream];
    if (pattern === undefined || isFound(pattern, process[stream].slice(0, MOST_SEARCHED))) continue;
    return { verdict: 'failed', why: stream, seen };
  }
  return { verdict: 'passed', seen };
}

const said = (text: string | undefined): { readonly seen?: Seen } =>
  text === undefined ? {} : { seen: { text: cut(text) } };

export function judgeOutcome(expect: Expected, outcome: CommandOutcome): Finding {
  switch (outcome.kind) {
    case 'ended':
      return judgeProcess(expect, outcome.process);
    case 'not-started':
      return { verdict: 'failed', why: 'not-started', ...said(outcome.text) };
    case 'not-run':
      return { verdict: 'not-run', why: outcome.why, ...said(outcome.text) };
    case 'timeout':
    case 'flood':
      return { verdict: 'failed', why: outcome.kind };
  }
}
