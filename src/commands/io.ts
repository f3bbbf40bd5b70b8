/** What a command gets from the process: streams, environment, signals. Tests pass their own. */

import type { Clock } from '../lib/clock.ts';

export interface ProgramIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Time for waits and polls on a real connection. */
  readonly clock: Clock;
  /** The command line without program name, for hints that repeat it. */
  readonly argv: readonly string[];
  /** Calls back on each SIGINT and SIGTERM until the returned function is called. */
  readonly onStop: (listener: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void;
  /** The exit code of a command that has explained itself already. */
  readonly setExitCode: (code: number) => void;
  /** What it was set to; 0 before. */
  readonly exitCode: () => number;
}
