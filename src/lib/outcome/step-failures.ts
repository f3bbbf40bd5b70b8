/** Puts the failures of one stand's or node's steps into one error, every one of them named. Pure. */
import type { StepResult } from '../execute/types.ts';
import type { PlannedStand, Refusal } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import { describeStep, namesOf } from '../render/step-text.ts';

/** How one step failed, and of what work that is told. */
interface Failure {
  readonly code: string;
  readonly text: string;
  readonly hint?: string | undefined;
}

/** What was being done, unless the message names its machine by itself. */
function textOf(step: Step, message: string, stand: PlannedStand | undefined): string {
  const isNamed = 'vmid' in step && new RegExp(`^VM ${step.vmid}\\b`).test(message);
  return isNamed ? message : `${describeStep(step, namesOf(stand)).text}: ${message}`;
}

function failuresOf(
  steps: readonly Step[],
  results: ReadonlyMap<string, StepResult>,
  stand: PlannedStand | undefined,
): Failure[] {
  return steps.flatMap((step): Failure[] => {
    const result = results.get(step.id);
    if (result?.status !== 'failed') return [];
    const { code, message, hint } = result;
    return [{ code, text: textOf(step, message, stand), hint }];
  });
}

/** The code is that of the first; each has a line of its own, with its code where that is another. Equal hints are told once. */
export function errorOfSteps(
  steps: readonly Step[],
  results: ReadonlyMap<string, StepResult>,
  stand?: PlannedStand,
): Refusal | undefined {
  const failed = failuresOf(steps, results, stand);
  const [first] = failed;
  if (first) {
    const isOther = ({ code }: Failure) => code !== first.code;
    const lines = [
      ...(failed.length === 1 ? [] : [`${failed.length} steps failed:`]),
      ...failed.filter(isOther).map(({ text, code }) => `${text}  [${code}]`),
      // Last, because whoever shows the message puts the code behind it.
      ...failed.filter((entry) => !isOther(entry)).map(({ text }) => text),
    ];
    const hints = [...new Set(failed.flatMap(({ hint }) => hint ?? []))];
    return {
      code: first.code,
      message: lines.join('\n'),
      ...(hints.length === 0 ? {} : { hint: hints.join('\n') }),
    };
  }
  const skipped = steps.flatMap(({ id }) => results.get(id) ?? []).find(({ status }) => status === 'skipped');
  return skipped?.status === 'skipped'
    ? { code: 'INTERRUPTED', message: skipped.because, hint: 'run the same command again to finish' }
    : undefined;
}
