/** What checks found, in words. What guests printed is cut and quoted here; escaping is the caller's. */
import type {
  AskedCheck,
  CheckResult,
  Finding,
  Seen,
  WhyFailed,
  WhyNotRun,
} from '../plan/views/checks-types.ts';

export const WHY_NOT_RUN: Readonly<Record<WhyNotRun, string>> = {
  'no-stand': 'the student has no stand',
  missing: 'the machine is not there',
  'not-ours': 'the machine is not ours any more',
  'node-offline': 'its node is offline',
  off: 'the machine is off',
  'no-agent': 'the machine has no guest agent configured',
  'agent-silent': 'its guest agent does not answer',
  'agent-odd': 'its guest agent answers nonsense',
  'not-allowed': 'the caller may not',
  unreachable: 'Proxmox VE did not answer',
  gone: 'the machine went away meanwhile',
  unreadable: 'its configuration cannot be read',
  interrupted: 'the run was stopped before',
};

/** What can be done about it; of the others nothing that would be the same for all. */
export const WAYS_TO_RUN: Readonly<Partial<Record<WhyNotRun, string>>> = {
  'no-stand': 'deploy the lab for them, or leave them out with --only',
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

function printedText({ stdout, stderr }: Seen): string {
  const parts = [
    ...(stdout === undefined || stdout.trim() === '' ? [] : [`printed ${quote(stdout)}`]),
    ...(stderr === undefined || stderr.trim() === '' ? [] : [`stderr ${quote(stderr)}`]),
  ];
  return parts.length === 0 ? 'printed nothing' : parts.join(', ');
}

const FAILED: Readonly<Record<WhyFailed, (seen: Seen) => string>> = {
  exit: (seen) => `exit code ${seen.exit ?? '?'}, ${printedText(seen)}`,
  killed: (seen) => `killed by signal ${seen.signal ?? '?'}, ${printedText(seen)}`,
  stdout: printedText,
  stderr: printedText,
  timeout: () => 'did not end in time (it goes on in the machine)',
  flood: () => 'printed more than 1 MiB',
  'not-started': ({ text = '' }) => `could not be started: ${quote(text)}`,
  power: ({ text = '' }) => text,
  nic: ({ text = '' }) => text,
  snapshot: ({ text = '' }) => text,
};

/** What was seen of what did not pass. */
export function findingText(finding: Finding): string {
  if (finding.verdict === 'passed') return 'passed';
  if (finding.verdict === 'failed') return FAILED[finding.why](finding.seen ?? {});
  const more = saidText(finding.seen);
  return `${WHY_NOT_RUN[finding.why]}${more === undefined ? '' : ` (${more})`}`;
}

/** In the words of PVE or of the agent, where there are any. */
export function saidText(seen: Seen | undefined): string | undefined {
  return seen?.text === undefined ? undefined : quote(seen.text);
}

/** For somebody who gets the grade. */
export function feedbackOf(results: readonly CheckResult[], checks: readonly AskedCheck[]): string {
  const hints = new Map(checks.map(({ name, hint }) => [name, hint]));
  return results
    .filter(({ verdict }) => verdict !== 'passed')
    .map(({ check, verdict }) => {
      const hint = hints.get(check);
      const word = verdict === 'failed' ? 'not passed' : 'not checked';
      return hint === null || hint === undefined ? `${check}: ${word}` : `${check}: ${word} (${hint})`;
    })
    .join('; ');
}
