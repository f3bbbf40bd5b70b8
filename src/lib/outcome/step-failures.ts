/** Puts the failures of one stand's or node's steps into one error, every one of them named. Pure. */
import type { Refusal } from '../plan/document/plan.ts';
import type { StepResult } from '../execute/types.ts';

/** The code is that of the first; each has a line of its own, with its code where that is another. Equal hints are told once. */
export function errorOfSteps(results: readonly StepResult[]): Refusal | undefined {
  const failed = results.filter((entry) => entry.status === 'failed');
  const [first] = failed;
  if (first) {
    const isOther = ({ code }: { readonly code: string }) => code !== first.code;
    const lines = [
      ...failed.filter(isOther).map(({ id, message, code }) => `${id}: ${message}  [${code}]`),
      // Last, because whoever shows the message puts the code behind it.
      ...failed.filter((entry) => !isOther(entry)).map(({ id, message }) => `${id}: ${message}`),
    ];
    const hints = [...new Set(failed.flatMap(({ hint }) => hint ?? []))];
    return {
      code: first.code,
      message: lines.join('\n'),
      ...(hints.length === 0 ? {} : { hint: hints.join('\n') }),
    };
  }
  const skipped = results.find((entry) => entry.status === 'skipped');
  return (
    skipped && { code: 'INTERRUPTED', message: skipped.because, hint: 'run the same command again to finish' }
  );
}
