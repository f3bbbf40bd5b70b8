/** Which exit code a command ends with: commands pass what they came to, and decide none. */
import { EXIT, type ExitCode, type StopSignal } from '../exit.ts';
import type { RunOutcome } from './types.ts';

/** Codes of failures that prove that nothing was changed. */
const NOTHING_HAPPENED = new Set(['PERMISSION_DENIED', 'AUTH_FAILED', 'PVE_UNREACHABLE', 'AUDIT_FAILED']);

/** Of a run that was carried out and reported. */
export function exitCodeOf({ summary, rounds }: RunOutcome, stoppedBy: StopSignal | undefined): ExitCode {
  // Without a signal it stopped by itself, because its writes could not be recorded.
  if (summary.status === 'interrupted' && stoppedBy !== undefined) return EXIT[stoppedBy];
  if (summary.status === 'done' || summary.status === 'nothing-to-do') return EXIT.done;
  const results = rounds.flatMap(({ result }) => result.results);
  const failures = results.filter((entry) => entry.status === 'failed');
  const untouched =
    !results.some((entry) => entry.status === 'done' && entry.outcome === 'done') &&
    failures.length > 0 &&
    failures.every((entry) => NOTHING_HAPPENED.has(entry.code));
  return untouched ? EXIT.untouched : EXIT.partial;
}

/** Nothing was to be done, and nothing was left undone. */
export function isNothingToDo({ summary }: Pick<RunOutcome, 'summary'>, code: ExitCode): boolean {
  return summary.status === 'nothing-to-do' && code === EXIT.done;
}

/** What a command that only looks, sends or rehearses came to. */
interface Findings {
  /** The signal that ended it before its end. */
  readonly stoppedBy?: StopSignal | undefined;
  /** Something that was asked for was not done. */
  readonly isPartial?: boolean;
  /** What it asked PVE for is not to be had. */
  readonly isUntouched?: boolean;
  /** There is what the caller wanted to be told of by the exit code. */
  readonly isPending?: boolean | undefined;
}

/** The first that is true counts. */
export function exitCodeOfFindings({ stoppedBy, isPartial, isUntouched, isPending }: Findings): ExitCode {
  if (stoppedBy !== undefined) return EXIT[stoppedBy];
  if (isPartial) return EXIT.partial;
  if (isUntouched) return EXIT.untouched;
  return isPending ? EXIT.pending : EXIT.done;
}

/** The work was done, and something beside it (an audit record, a lock given back) was not. */
export function exitCodeAfterTrouble(code: ExitCode): ExitCode {
  return code === EXIT.done ? EXIT.partial : code;
}

/** What has no end of its own: SIGTERM is how a service is ended, and only a second one breaks it off. */
export function stopOfService(signal: StopSignal | undefined, isBrokenOff: boolean): StopSignal | undefined {
  return signal === 'SIGTERM' && !isBrokenOff ? undefined : signal;
}

/** Of several clusters: our bug first, then what was left undone, what was not reached, what is pending. */
const BADNESS: Readonly<Record<ExitCode, number>> = {
  [EXIT.SIGINT]: 8,
  [EXIT.SIGTERM]: 7,
  [EXIT.bug]: 6,
  [EXIT.partial]: 5,
  [EXIT.untouched]: 4,
  [EXIT.refused]: 3,
  [EXIT.usage]: 2,
  [EXIT.pending]: 1,
  [EXIT.done]: 0,
};

export function worstExitCode(codes: readonly ExitCode[]): ExitCode {
  return codes.reduce((worst: ExitCode, code) => (BADNESS[code] > BADNESS[worst] ? code : worst), EXIT.done);
}
