/** What the balance planner is given and what it says beside the steps. Plain data; decides nothing. */
import type {
  BridgeUse,
  GuestInfo,
  NodeInfo,
  NodeNetwork,
  PoolInfo,
  RunningTask,
  StorageInfo,
  VmConfig,
} from '../../inventory/types.ts';

/**
 * The cluster as balance sees it. Loads are averages over the window, never one instant. Arrays are in no particular
 * order. `configs`, `running` and `bridgeUse` may be short: the planner then asks for more in `BalanceNeeds`.
 */
export interface BalanceInventory {
  /** Server's own time, ISO 8601 UTC. */
  readonly now: string;
  /** E.g. `8.4`; the lowest of the cluster's nodes that answered. */
  readonly version: string;
  readonly nodes: readonly BalanceNode[];
  readonly guests: readonly BalanceGuest[];
  readonly storages: readonly StorageInfo[];
  readonly networks: readonly NodeNetwork[];
  readonly vnets: readonly VnetInfo[];
  readonly pools: readonly PoolInfo[];
  /** Configurations read so far. */
  readonly configs: readonly VmConfig[];
  /** What runs, of guests whose configuration was read; 7.4 and stopped guests give none. */
  readonly running: readonly RunningMachine[];
  /** As in `Inventory`: the bridges named by the guests of `bridgeUseNodes`. */
  readonly bridgeUse: readonly BridgeUse[];
  readonly bridgeUseNodes: readonly string[];
  readonly haRules: readonly HaRule[];
  /** PVE 9.2's own balancer (`crs: ha-auto-rebalance=1`) is on. */
  readonly haAutoRebalance: boolean;
  /** Migrations of the task logs, finished ones and those under way, of any caller. */
  readonly migrations: readonly MigrationRecord[];
  /** Node → ISO time before which its task log is gone; absent: it reaches back far enough. */
  readonly historyFrom: Readonly<Record<string, string>>;
  /** Tasks under way, migrations included. */
  readonly tasks: readonly RunningTask[];
  /** What could not be read, in words. */
  readonly gaps: readonly string[];
}

/** `cpu` and `memoryUsed` are averages over the window. */
export interface BalanceNode extends NodeInfo {
  /** Load average (averaged over the window) by threads; absent: not known. */
  readonly loadPerCore?: number;
  /** PSI "some", 0…1; PVE 9. */
  readonly pressure?: { readonly cpu: number; readonly memory: number };
  /** `cpuinfo.model`; absent: not known, the node is in a CPU group of its own unless `cpu_groups` says otherwise. */
  readonly cpuModel?: string;
  /** Installed pve-qemu-kvm or `pveversion`, e.g. `9.2.0`; absent: not known. */
  readonly qemuVersion?: string;
  /** `/nodes/{n}/version`, e.g. `8.4.5`. */
  readonly pveVersion?: string;
}

export interface BalanceGuest extends GuestInfo {
  /** Fraction of its own `cpus`, averaged; 0 when stopped. */
  readonly cpu: number;
  /** Bytes of the host, averaged (`memhost` on 9, `mem` before); 0 when stopped. */
  readonly memoryUsed: number;
  /** Lower case. */
  readonly tags: readonly string[];
  readonly haState?: string;
}

export interface VnetInfo {
  readonly vnet: string;
  /** `simple` vnets do not reach across nodes; absent: not known, taken as reaching. */
  readonly zoneType?: string;
  /** Nodes of its zone; absent: all. */
  readonly nodes?: readonly string[];
}

export interface RunningMachine {
  readonly vmid: number;
  /** `running-machine`, e.g. `pc-i440fx-9.2+pve1`. */
  readonly machine?: string;
  /** `running-qemu`, e.g. `9.2.0`. */
  readonly qemu?: string;
}

/** An HA rule of PVE 9, or a group of 7/8 as a `node-affinity`. Resources as VMIDs. */
export type HaRule =
  | {
      readonly name: string;
      readonly kind: 'node-affinity';
      readonly vmids: readonly number[];
      readonly nodes: readonly string[];
      /** Groups: `restricted`. */
      readonly strict: boolean;
    }
  | {
      readonly name: string;
      readonly kind: 'resource-affinity';
      readonly vmids: readonly number[];
      readonly affinity: 'positive' | 'negative';
    };

/** One migration task. A `hamigrate` counts as failed only when its guest did not arrive. */
export interface MigrationRecord {
  readonly vmid: number;
  readonly from: string;
  /** Absent: the log does not tell. */
  readonly to?: string;
  /** ISO 8601 UTC. */
  readonly start: string;
  /** Absent while it runs. */
  readonly end?: string;
  /** `timeout`: it ran longer than `migration_timeout`, or somebody stopped it. */
  readonly status: 'running' | 'ok' | 'failed' | 'timeout';
  /** The last words of the task, for messages. */
  readonly error?: string;
}

/** A move that PVE's own precondition call refused, or that may not be tried in this run. */
export interface Veto {
  readonly vmid: number;
  /** Absent: nowhere. */
  readonly target?: string;
  readonly reason: string;
}

/** What has to be read before this plan may be applied; all empty: it may. Read it, and plan again. */
export interface BalanceNeeds {
  /** VMIDs whose configuration (and running machine) is not known. Ascending. */
  readonly configs: readonly number[];
  /** Nodes whose guests' NICs are not known. */
  readonly bridgeUse: readonly string[];
}

/** Projected load of a node. Fractions as in `NodeLimits`. */
export interface NodeLoad {
  readonly cpu: number;
  /** Used by the host. */
  readonly memory: number;
  /** Configured memory of what runs, by the node's memory; may exceed 1. */
  readonly committed: number;
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

interface PlannedMigration {
  readonly vmid: number;
  readonly name: string;
  readonly from: string;
  readonly running: boolean;
  /** Through HA: the task ends when HA has queued it. */
  readonly ha: boolean;
  readonly bytes: number;
}

/** Why something that would have had to move does not. */
export interface RejectedMove {
  readonly unit: 'guest' | 'stand' | 'group';
  readonly name: string;
  readonly vmids: readonly number[];
  readonly node: string;
  /** E.g. `ha-managed`, `linked-clone`, `cooldown`, `no-target`, `not-needed`, `limit`. */
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
  readonly mode: 'threshold' | 'spread';
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
  /** Moves that the limits per run put off to the next one. */
  readonly deferred: number;
  /** Migrations of others under way, as `vmid from to`. */
  readonly inFlight: readonly MigrationRecord[];
  /** Before this moment some node's history of migrations is gone. */
  readonly historyGoneBefore?: string;
}
