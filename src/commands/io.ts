/** What a command gets from the process: streams, environment, time, signals. Tests pass their own. */
import type { Clock } from '../lib/clock.ts';
import type { ExitCode, StopSignal } from '../lib/exit.ts';
import type { Listen } from '../lib/serve/types.ts';
import type { Connect } from '../lib/proxmox/transports/types.ts';

export type ProcessSignal = StopSignal | 'SIGHUP';

export interface ProgramIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of the user's own settings. */
  readonly configDir: string;
  readonly clock: Clock;
  /** How the hosts of a connection are reached; absent: over the network. */
  readonly connect?: Connect;
  /** How a server is asked; absent: over the network. */
  readonly listen?: Listen;
  /** Who signs the planning lock, and whether another signer is known to be dead. */
  readonly signature: { readonly name: () => string; readonly isGone: (name: string) => boolean };
  /** The command line without program name, for hints that repeat it. */
  readonly argv: readonly string[];
  /** Calls back on each signal until the returned function is called. */
  readonly onSignal: (listener: (signal: ProcessSignal) => void) => () => void;
  /** Nobody reads stdout any more: its pipe was closed, or its terminal is gone. */
  readonly readerGone: AbortSignal;
  /** The exit code of a command that has explained itself already. */
  readonly setExitCode: (code: ExitCode) => void;
  /** What it was set to; 0 before. */
  readonly exitCode: () => ExitCode;
}
