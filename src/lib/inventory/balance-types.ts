/** The cluster as `balance` observes it: plain data with loads, a snapshot per round. */
import type {
  AclEntry,
  BridgeUse,
  GuestInfo,
  NodeInfo,
  NodeNetwork,
  PoolInfo,
  Rights,
  RunningTask,
  StorageInfo,
  NodeStock,
  VmConfig,
  VnetInfo,
} from './types.ts';

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
  /** What nodes have that `configs` name. */
  readonly stock?: NodeStock;
  readonly pools: readonly PoolInfo[];
  readonly acls: readonly AclEntry[];
  /** Configurations read so far. */
  readonly configs: readonly GuestConfig[];
  /** What runs, of guests whose configuration was read; 7.4 and stopped guests give none. */
  readonly running: readonly RunningMachine[];
  /** As in `Inventory`: the bridges named by the guests of `bridgeUseNodes`. */
  readonly bridgeUse: readonly BridgeUse[];
  readonly bridgeUseNodes: readonly string[];
  /** What the caller's rights may hide; absent where they were not read. */
  readonly hidden?: { readonly guests: boolean };
  /** What the caller may do; absent where it was not read. */
  readonly rights?: Rights;
  readonly haRules: readonly HaRule[];
  /** What HA does, or wants, could not be read: its guests are left to it. */
  readonly haUnread?: true;
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
  /** ZFS's cache is known, and not in `memoryUsed` (9). */
  readonly arcKnown?: true;
  /** Its row has no number where one belongs, and no statistics have one. */
  readonly loadUnknown?: true;
  /** `cpuinfo.model`; absent: not known, the node is in a CPU group of its own unless `cpu_groups` says otherwise. */
  readonly cpuModel?: string;
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
  /** It cannot move while it runs; set by the planner. */
  readonly restarts?: true;
  /** It runs, and nobody says what it takes. */
  readonly loadUnknown?: true;
}

export interface RunningMachine {
  readonly vmid: number;
  /** `running-machine`, e.g. `pc-i440fx-9.2+pve1`. */
  readonly machine?: string;
  /** `running-qemu`, e.g. `9.2.0`. */
  readonly qemu?: string;
}

/** With the bridges that its snapshots name: going back to one asks for no right on them. */
export interface GuestConfig extends VmConfig {
  readonly snapshotBridges: readonly string[];
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
  /** Absent: the platform does not tell. */
  readonly from?: string;
  /** Absent: the log does not tell. Of one that failed: where it was to go. */
  readonly to?: string;
  /** ISO 8601 UTC. */
  readonly start: string;
  /** Absent while it runs. */
  readonly end?: string;
  /** `timeout`: it ran longer than `migration_timeout`, or somebody stopped it. */
  readonly status: 'running' | 'ok' | 'failed' | 'timeout';
  /** What the task's log says of the cause, else its last words; for messages. */
  readonly error?: string;
  /** Of one that failed: whose fault it is, by the task's log; absent: it does not tell. */
  readonly blames?: 'node' | 'storage' | 'guest';
  /** The storage that is to blame. */
  readonly storage?: string;
  /** The bridge that the target did not have. */
  readonly bridge?: string;
  /** HA moved it of its own accord. */
  readonly by?: 'ha';
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
