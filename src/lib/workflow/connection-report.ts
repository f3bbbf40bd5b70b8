/** What the tests of connections to all platforms have in common. */
import type { Clock } from '../clock.ts';
import type { Connection } from '../config/types.ts';
import type { Problem, Trust } from '../connections-edit/types.ts';
import { StandError } from '../errors.ts';
import type { Connect } from '../proxmox/transports/types.ts';
import type { RequestEvent } from '../proxmox/types.ts';

export interface TestTools {
  readonly clock: Clock;
  readonly hard: AbortSignal;
  /** Tells where an SSH agent is; absent: nowhere. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How a host of another platform is reached; absent: over the network. */
  readonly connect?: Connect | undefined;
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
}

export function trustOf({ verify, ca, fingerprint }: Connection['tls']): Trust {
  if (fingerprint !== undefined) return 'fingerprint';
  if (!verify) return 'none';
  return ca === undefined ? 'system' : 'ca-file';
}

/** Anything but an error of ours is a defect, and none of the connection. */
export function connectionProblem(error: unknown): Problem {
  if (!(error instanceof StandError)) throw error;
  const [issue] = error.issues;
  const { code } = error;
  const hint = issue?.hint ?? error.hint;
  const message = issue === undefined ? error.message : `${issue.path}: ${issue.message}`;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
