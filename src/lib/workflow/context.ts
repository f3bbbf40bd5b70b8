/** What every command's story is given. Types only. */
import type { Clock } from '../clock.ts';
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import type { StandError } from '../errors.ts';
import type { ApplyEvent } from '../execute/types.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { RunPve, TaskWaiter } from '../proxmox/types.ts';
import type { Readings } from './readings.ts';

/** Where to do it, and who listens. */
export interface RunContext {
  readonly pve: RunPve;
  readonly tasks: TaskWaiter;
  readonly clock: Clock;
  /** Absent for commands that neither make nor remove users they know the file of. */
  readonly credentials?: CredentialsFile;
  /** Those of other labs in the same folder. Opened when they are asked for: other runs may be writing them. */
  readonly credentialsBeside?: () => Promise<readonly CredentialsFile[]>;
  /** Who holds the planning lock, for other runs' messages: user, host, process (see commands/owner.ts). */
  readonly owner: string;
  /** Whose login it is, `user@realm` or `user@realm!token`: for messages about its rights; its account is never touched. */
  readonly caller?: string;
  /** Other accounts that may write our marks; see inventory/delegated.ts. */
  readonly operators?: readonly string[];
  /** What planning read, for the handlers that come right after it. */
  readonly readings?: Readings;
  /** False: do not compare the plan with the caller's rights before the first write. */
  readonly preflight?: boolean;
  /** Is the run that signed with this owner known to be dead? */
  readonly isGone?: (owner: string) => boolean;
  /** First SIGINT: start nothing new. */
  readonly soft: AbortSignal;
  /** Second SIGINT: abort requests. */
  readonly hard: AbortSignal;
  /** Cap on steps at once; default: what PVE's locks allow. */
  readonly concurrency?: number;
  /** Keeps the plan where the user asked for it; nothing is written to the cluster unless it is kept. */
  readonly keepPlan?: ((plan: Plan) => Promise<void>) | undefined;
  /** Something beside the cluster went wrong, and what was done there is told all the same. */
  readonly onTrouble: (error: StandError) => void;
  /** `share`: how much of a phase that is told again and again is done, 0 to 1. */
  readonly onPhase: (text: string, share?: number) => void;
  readonly onPlan: (plan: Plan) => void;
  readonly onEvent: (event: ApplyEvent) => void;
}

/** What reading and planning take of it; reading alone takes the inventory's ReadContext. */
export type PlanContext = Pick<
  RunContext,
  'pve' | 'hard' | 'caller' | 'operators' | 'preflight' | 'readings'
>;
