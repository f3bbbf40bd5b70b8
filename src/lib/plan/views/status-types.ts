/** What `status` shows: stands, their machines, problems. Types, and the one number that words about them name. */
import type { Gap, Inventory, Removal } from '../../inventory/types.ts';
import type { GuestKind } from '../../pve-values/guest-kinds.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Drift } from '../document/plan.ts';
import type { Verdict } from '../stands/ownership.ts';
import type { Baselines, SnapshotLists } from '../stands/snapshots.ts';

/** `running`, `stopped`, or what keeps it from being either. */
export type MachineState =
  | 'running'
  | 'stopped'
  | 'suspended'
  | 'paused'
  | 'io-error'
  | 'internal-error'
  | 'cloning'
  | 'being made'
  | 'being removed'
  | 'half made'
  | 'not made'
  | 'missing'
  | 'not ours'
  | 'out of its pool'
  | 'half removed'
  | 'in doubt'
  | 'seal lost'
  | 'node offline'
  | 'unknown';

/** `pending`: the lab has changed since; null: not ours, not in the lab, or not to be read. Empty: as the lab says. */
export type MachineDrift = readonly (Drift | Waiting)[] | 'pending' | null;

/** Set as the lab says, by a deploy of ours, and not in force before the next start: nobody changed it. */
export interface Waiting extends Omit<Drift, 'kind'> {
  readonly kind: 'waiting';
}

export interface MachineStatus {
  readonly vmid: number;
  /** Null: 0.1.0 claimed it, and wrote no name. */
  readonly machine: string | null;
  readonly node: string | null;
  readonly state: MachineState;
  readonly verdict: Verdict;
  /** It is off, and its lab does not switch it on: of a lab whose file was given. */
  readonly rests?: true;
  readonly lock: string | null;
  /** Seconds; null: it does not run. */
  readonly uptime: number | null;
  /** Fraction of its own CPUs. */
  readonly cpu: number | null;
  readonly cpus: number | null;
  /** Bytes: used, and the most. */
  readonly memory: number | null;
  readonly memoryTotal: number | null;
  /** With `--ips`: addresses, or why there are none. `off`: no agent configured. Null: it does not run. */
  readonly addresses?: readonly string[] | 'off' | 'silent' | 'forbidden' | null;
  /** With `--snapshots`, the oldest first. Null: they could not be read. */
  readonly snapshots?: readonly SnapshotStatus[] | null;
  /** With `--drift`. */
  readonly drift?: MachineDrift;
}

export interface SnapshotStatus {
  readonly name: string;
  /** ISO 8601 UTC. */
  readonly time: string | null;
  /** With memory. */
  readonly vmstate: boolean;
  /** The one that a reset goes back to. */
  readonly isBaseline: boolean;
}

/** What was read of single machines; absent: nobody asked. */
export interface StatusDetails {
  readonly addresses?: ReadonlyMap<number, Exclude<MachineStatus['addresses'], undefined | null>>;
  readonly snapshots?: SnapshotLists;
  /** Machine → the lab's name for its baseline. */
  readonly baselines?: Baselines;
  readonly drift?: ReadonlyMap<number, MachineDrift>;
}

export interface StandStatus {
  readonly user: string;
  readonly lab: string;
  readonly pool: string;
  /** Where its machines are; empty: nothing of it is there. */
  readonly nodes: readonly string[];
  readonly machines: readonly MachineStatus[];
  readonly running: number;
  /** Of what runs the one that was started last, in seconds. */
  readonly uptime: number | null;
  /** Of what runs, fractions. */
  readonly cpu: number | null;
  readonly memory: number | null;
  /** The last day: of the lab by the claim, or of the account where that ends earlier. */
  readonly expires: string | null;
  readonly access: 'open' | 'frozen' | 'none';
  /** Since when; ISO 8601 UTC. */
  readonly frozen: string | null;
  readonly since: string;
  readonly problems: number;
}

export interface LabStatus {
  readonly lab: string;
  /** By user and pool, as they were selected. */
  readonly stands: readonly StandStatus[];
}

/** An end that is nearer is a problem: `expires-soon`. */
export const SOON_DAYS = 7;

export type ProblemKind =
  | 'machine-missing'
  | 'machine-half-made'
  | 'machine-not-ours'
  | 'machine-left-pool'
  | 'machine-half-removed'
  | 'machine-in-doubt'
  | 'machine-is-template'
  | 'machine-unsealed'
  | 'card-on-foreign-bridge'
  | 'card-elsewhere'
  | 'lock-without-task'
  | 'bridge-missing'
  | 'bridge-down'
  | 'stand-torn'
  | 'node-offline'
  | 'node-maintenance'
  | 'io-error'
  | 'internal-error'
  | 'paused'
  | 'storage-full'
  | 'expired'
  | 'expires-soon'
  | 'task-failed'
  | 'user-disabled'
  | 'no-access'
  | 'still-open'
  | 'pool-delegated'
  | 'pool-mark-lost';

/** One thing that is wrong. What it is about, and nothing that a reader can derive. */
export interface Problem {
  readonly kind: ProblemKind;
  readonly user?: string;
  readonly lab?: string;
  readonly machine?: string;
  readonly vmid?: number;
  /** Of the guest there. Absent: a VM. */
  readonly type?: GuestKind;
  readonly node?: string;
  readonly storage?: string;
  readonly pool?: string;
  /** A network, a lock, a day, the words of a task, a share in percent, a command of ours that did it, who has which right. */
  readonly detail?: string;
}

export interface NodeStatus {
  readonly node: string;
  readonly online: boolean;
  readonly maintenance: boolean;
  readonly cpus: number;
  /** Fraction of all threads. */
  readonly cpu: number;
  /** Bytes. */
  readonly memoryTotal: number;
  readonly memoryUsed: number;
}

/** How it is said is a matter of each language. */
export type StatusNote =
  | Gap
  | { readonly kind: 'bridges-hidden' | 'machines-hidden' | 'tasks-hidden' }
  | {
      /** Why that is told: what the lab leaves to the template is not compared; nor what a machine was made from. */
      readonly kind: 'template-unread' | 'version-unread';
      readonly machines: readonly string[];
    };

export interface StatusReport {
  /** ISO 8601 UTC, by the server's clock. */
  readonly now: string;
  readonly labs: readonly LabStatus[];
  /** Named users who have no stand here. */
  readonly without: readonly string[];
  readonly problems: readonly Problem[];
  /** All of the cluster. */
  readonly nodes: readonly NodeStatus[];
  /** What could not be seen. */
  readonly notes: readonly StatusNote[];
}

/** What the parts of the view share. */
export interface StatusContext {
  readonly have: Inventory;
  readonly index: ClusterView;
  /** Lab → networks of its stands, by their bridges. */
  readonly networks: ReadonlyMap<string, ReadonlySet<string>>;
  /** Lab → its machines that nobody but their students switches on. */
  readonly resting: ReadonlyMap<string, ReadonlySet<string>>;
  /** VMIDs at which a task is at work; undefined: nobody may see the tasks of others. */
  readonly busy: ReadonlySet<number> | undefined;
  /** Is a run of ours at work that makes machines? It may be of another lab. */
  readonly isMaking: boolean;
  /** Lab → VMID → what a run that is at work removes, or has. */
  readonly removed: ReadonlyMap<string, ReadonlyMap<number, Removal>>;
  /** Are all machines of this pool to be seen? */
  readonly sees: (pool: string) => boolean;
  readonly details: StatusDetails;
}
