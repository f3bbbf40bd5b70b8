/** Exit code of a run that was carried out and reported. */
import type { RunOutcome } from './types.ts';

const DONE = 0;
const NOT_ALLOWED = 4;
export const PARTIAL = 5;
const STOPPED = { SIGINT: 130, SIGTERM: 143 } as const;

/** Codes of failures that prove that nothing was changed. */
const NOTHING_HAPPENED = new Set(['PERMISSION_DENIED', 'AUTH_FAILED', 'PVE_UNREACHABLE', 'AUDIT_FAILED']);

export function exitCodeOf(
  { summary, rounds }: RunOutcome,
  stoppedBy: 'SIGINT' | 'SIGTERM' | undefined,
): number {
  // Without a signal it stopped by itself, because its writes could not be recorded.
  if (summary.status === 'interrupted' && stoppedBy !== undefined) return STOPPED[stoppedBy];
  if (summary.status === 'done' || summary.status === 'nothing-to-do') return DONE;
  const results = rounds.flatMap(({ result }) => result.results);
  const failures = results.filter((entry) => entry.status === 'failed');
  const untouched =
    !results.some((entry) => entry.status === 'done' && entry.outcome === 'done') &&
    failures.length > 0 &&
    failures.every((entry) => NOTHING_HAPPENED.has(entry.code));
  return untouched ? NOT_ALLOWED : PARTIAL;
}
