/** What a plan of `balance` says beside its steps: loads, and why each guest moves or stays. */
import type { BalanceMode } from '../../config/balance/types.ts';
import type { PlatformBesidePve } from '../../config/types.ts';
import type { MigrationRecord } from '../../inventory/balance-types.ts';

/** Projected load of a node. Fractions as in `NodeLimits`. */
export interface NodeLoad {
  readonly cpu: number;
  /** Used by the host. */
  readonly memory: number;
  /** Configured memory of what runs, by the node's memory; may exceed 1. */
  readonly committed: number;
  /** Virtual CPUs of what runs, per thread; where `measures` has `allocation`. */
  readonly vcpusPerCore?: number;
  readonly loadPerCore?: number;
  readonly pressure?: { readonly cpu: number; readonly memory: number };
  /** Largest of load / overload limit; above 1: overloaded. */
  readonly severity: number;
}

export interface NodeReport {
  readonly node: string;
  readonly online: boolean;
  readonly maintenance: boolean;
  readonly before: NodeLoad;
  /** After all moves of the plan. */
  readonly after: NodeLoad;
  /** What is over the limit before, in words: `memory 91 % > 80 %`. */
  readonly overloaded: readonly string[];
  readonly guests: { readonly before: number; readonly after: number };
}

/** What moves as one. */
export interface PlannedMove {
  /** `stand`: machines on bridges of their own; `group`: guests that an affinity rule or a local network ties. */
  readonly unit: 'guest' | 'stand' | 'group';
  /** E.g. `VM 101 (web)` or `stand net-lab of anna@pve`. */
  readonly name: string;
  readonly why: 'overload' | 'spread' | 'evacuate' | 'half-moved' | 'rule';
  readonly from: readonly string[];
  readonly to: string;
  /** In the order of their steps (`vm.migrate:<vmid>`). */
  readonly guests: readonly PlannedMigration[];
  /** Bytes over the network: memory in use and local disks. */
  readonly bytes: number;
  readonly reason: string;
  /** Of the source (the first) and the target, at its place in the order. */
  readonly loads: {
    readonly source: { readonly before: NodeLoad; readonly after: NodeLoad };
    readonly target: { readonly before: NodeLoad; readonly after: NodeLoad };
  };
}

export interface PlannedMigration {
  readonly vmid: number;
  readonly name: string;
  readonly from: string;
  readonly running: boolean;
  /** Through HA: the task ends when HA has queued it. */
  readonly ha: boolean;
  readonly bytes: number;
  /** A container that runs: it is down from its shutdown until it has started there. */
  readonly restarts?: true;
  /** Local storage here → the one there that takes its disks. Absent: those of the same names. */
  readonly storageMap?: Readonly<Record<string, string>>;
}

/** Why something stays, or does not go there. A further one does not compile until each language has a sentence for it. */
export type RejectionCode =
  | 'ignored'
  | 'contradiction'
  | 'excluded'
  | 'offline'
  | 'busy'
  | 'locked'
  | 'state'
  | 'ha'
  | 'no-move'
  | 'load-unknown'
  | 'network'
  | 'template'
  | 'cooldown'
  | 'blacklist'
  | 'veto'
  | 'unreadable'
  | 'foreign'
  | 'container'
  | 'passthrough'
  | 'not-live'
  | 'host-mount'
  | 'local-iso'
  | 'linked-clone'
  | 'snapshots'
  | 'local-disks'
  | 'balancer-off'
  | 'disabled'
  | 'iso'
  | 'half-moved'
  | 'no-load'
  | 'not-needed'
  | 'no-target'
  | 'no-gain'
  | 'limit'
  | 'blackout'
  | 'maintenance'
  | 'closed'
  | 'version'
  | 'cpus'
  | 'ha-led'
  | 'ha-rule'
  | 'blamed'
  | 'cpu-model'
  | 'storage'
  | 'tied'
  | 'bridge-taken'
  | 'bridge'
  | 'max-guests'
  | 'overload'
  | 'reserve'
  | 'overcommit'
  | 'return'
  | 'pin'
  | 'affinity'
  | 'anti-affinity';

/** Why something that would have had to move does not. */
export interface RejectedMove {
  readonly unit: 'guest' | 'stand' | 'group';
  readonly name: string;
  readonly vmids: readonly number[];
  readonly node: string;
  /** A `RejectionCode`; of a plan that another version saved, perhaps one that this version does not know. */
  readonly code: string;
  readonly reason: string;
  /** Code `no-target`: why each node is none. Nodes with one code are taken together, with the first one's words. */
  readonly targets?: readonly {
    readonly code: string;
    readonly reason: string;
    readonly nodes: readonly string[];
  }[];
}

/** A stand that cannot be moved at all, wherever it would have to go. */
export interface StuckStand {
  readonly lab: string;
  readonly user: string;
  readonly nodes: readonly string[];
  readonly vmids: readonly number[];
  readonly reason: string;
}

export type BalanceVerdict =
  | 'balanced'
  | 'moves'
  | 'no-beneficial-move'
  /** Outside the windows, or inside a blackout. */
  | 'blackout'
  /** There is a reason to act, but not for `hold` rounds in a row yet; set by the caller. */
  | 'holding';

export interface BalanceReport {
  readonly verdict: BalanceVerdict;
  /** One sentence. */
  readonly reason: string;
  readonly mode: BalanceMode;
  /** Absent: Proxmox VE (`platformIn`). */
  readonly platform?: PlatformBesidePve;
  /** Nodes to be emptied; absent: a balance run. */
  readonly evacuate?: readonly string[];
  /** Guests that stay on evacuated nodes after the plan. */
  readonly remaining?: readonly number[];
  /** Coefficient of variation of node load (mean of CPU and memory) over the nodes in service. */
  readonly imbalance: { readonly before: number; readonly after: number };
  /** All nodes, in natural order. */
  readonly nodes: readonly NodeReport[];
  /** In the order in which they were chosen. */
  readonly moves: readonly PlannedMove[];
  readonly rejected: readonly RejectedMove[];
  readonly stuck: readonly StuckStand[];
  /** By what part the relief of overloaded nodes costs more than the least that any would: at most; 0: it is the cheapest; absent: next to nothing is copied. */
  readonly gap?: number;
  /** Moves that the limits per run put off to the next one. */
  readonly deferred: number;
  /** Migrations of others under way, as `vmid from to`. */
  readonly inFlight: readonly MigrationRecord[];
  /** What could not be read, and what is left alone for it, in words; absent: nothing. */
  readonly gaps?: readonly string[];
  /** Before this moment some node's history of migrations is gone. */
  readonly historyGoneBefore?: string;
}
