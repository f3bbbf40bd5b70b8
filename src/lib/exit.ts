/** The exit codes: one table of what each number says, for errors, results and signals alike. */

export type StopSignal = 'SIGINT' | 'SIGTERM';

export const EXIT = {
  done: 0,
  /** A defect of ours. */
  bug: 1,
  /** The command line or an input file is wrong; nothing was contacted. */
  usage: 2,
  /** The plan may not be applied; nothing was changed. */
  refused: 3,
  /** PVE could not be reached, or refused us, before anything was changed. */
  untouched: 4,
  /** Something that was asked for was not done, or not delivered. */
  partial: 5,
  /** Found what the caller wanted to be told of by an exit code: changes, problems, drift. */
  pending: 6,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
