/** What checks found, in words. What guests printed is cut and quoted here; escaping is the caller's. */
import type {
  AskedCheck,
  CheckResult,
  Finding,
  Seen,
  WhyFailed,
  WhyNotRun,
} from '../plan/views/checks-types.ts';
import type { FindingTexts } from './languages/finding-texts.ts';

/** What can be done about it; of the others nothing that would be the same for all. */
export const WAYS_TO_RUN: Readonly<Partial<Record<WhyNotRun, string>>> = {
  'no-stand': 'deploy the lab for them, or leave them out with --only',
  'lab-over':
    'deploy makes no stand of a lab that is over: set a later day in `expires` of lab.yml, then deploy the lab',
  'account-over':
    'deploy makes no stand for them: set a later `expire` in the users file, run `deploy-stand users sync` with it, then deploy the lab; or leave them out with --only',
  missing: 'run the deploy again, it makes what is missing',
  off: 'start the machine, then check again',
  'no-agent':
    'set agent: 1 on the template (`qm set VMID --agent 1`) and deploy anew, or switch it on in PVE under Options',
  'agent-silent': 'is qemu-guest-agent installed and running in the machine, and has it finished starting?',
  'not-allowed': '`deploy-stand doctor --for check` tells what is missing',
};

const MOST_QUOTED = 120;

/** One line's worth of what was printed: a second line of a guest's would look like one of ours. */
function quote(text: string): string {
  const line = text.trim().replaceAll(/\r?\n/g, String.raw`\n`);
  return line.length > MOST_QUOTED ? `"${line.slice(0, MOST_QUOTED)}…"` : `"${line}"`;
}

function printedText({ stdout, stderr }: Seen, texts: FindingTexts): string {
  const parts = [
    ...(stdout === undefined || stdout.trim() === '' ? [] : [texts.printed(quote(stdout))]),
    ...(stderr === undefined || stderr.trim() === '' ? [] : [texts.printedOnStderr(quote(stderr))]),
  ];
  return parts.length === 0 ? texts.printedNothing : parts.join(', ');
}

const FAILED: Readonly<Record<WhyFailed, (seen: Seen, texts: FindingTexts) => string>> = {
  exit: (seen, texts) => texts.exit(String(seen.exit ?? '?'), printedText(seen, texts)),
  killed: (seen, texts) => texts.killed(String(seen.signal ?? '?'), printedText(seen, texts)),
  stdout: printedText,
  stderr: printedText,
  timeout: (_, texts) => texts.timeout,
  flood: (_, texts) => texts.flood,
  'not-started': ({ text = '' }, texts) => texts.notStarted(quote(text)),
  power: ({ text = '' }) => text,
  nic: ({ text = '' }) => text,
  snapshot: ({ text = '' }) => text,
};

/** What was seen of what did not pass. */
export function findingText(finding: Finding, texts: FindingTexts): string {
  if (finding.verdict === 'passed') return texts.passed;
  if (finding.verdict === 'failed') return FAILED[finding.why](finding.seen ?? {}, texts);
  const more = saidText(finding.seen);
  return `${texts.whyNotRun[finding.why]}${more === undefined ? '' : ` (${more})`}`;
}

/** In the words of PVE or of the agent, where there are any. */
export function saidText(seen: Seen | undefined): string | undefined {
  return seen?.text === undefined ? undefined : quote(seen.text);
}

/** For somebody who gets the grade. */
export function feedbackOf(
  results: readonly CheckResult[],
  checks: readonly AskedCheck[],
  { feedback }: FindingTexts,
): string {
  const hints = new Map(checks.map(({ name, hint }) => [name, hint]));
  return results
    .filter(({ verdict }) => verdict !== 'passed')
    .map(({ check, verdict }) => {
      const hint = hints.get(check);
      const word = verdict === 'failed' ? feedback.failed : feedback.notRun;
      return hint === null || hint === undefined ? `${check}: ${word}` : `${check}: ${word} (${hint})`;
    })
    .join('; ');
}
