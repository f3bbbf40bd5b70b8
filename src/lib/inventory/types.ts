/** The observed cluster ("have"): plain data, one snapshot per run. */
import type { GuestAt, GuestKind } from '../pve-values/guest-kinds.ts';
import type { VnetRow } from '../proxmox/sdn-types.ts';

/** Everything a planner may know. Arrays are in no particular order. */
export interface Inventory {
  /** Server's own time, ISO 8601 UTC, at the moment of reading. */
  readonly now: string;
  /** Whose login it is, `user@realm` or `user@realm!token`; absent where nobody said. */
  readonly caller?: string;
  /** E.g. `8.4`; the lowest of the cluster's nodes that answered. */
  readonly version: string;
  readonly nodes: readonly NodeInfo[];
  readonly storages: readonly StorageInfo[];
  /** All guests the caller may see, foreign ones and containers included. */
  readonly guests: readonly GuestInfo[];
  /** Configurations of the templates the lab names (those that exist), where asked for of all. */
  readonly templates: readonly VmConfig[];
  /** Configurations of VMs claimed by pools in scope for the lab in scope. */
  readonly vms: readonly VmConfig[];
  readonly networks: readonly NodeNetwork[];
  /** SDN vnet names; may be short without SDN.Audit. */
  readonly vnets: readonly string[];
  /** The same with their zones; absent where nobody asked. */
  readonly zones?: readonly VnetInfo[];
  /** What nodes have that the configurations above name; absent where nobody asked. */
  readonly stock?: NodeStock;
  readonly pools: readonly PoolInfo[];
  /** Who else may write pools, those that do not exist included. */
  readonly poolWriters: readonly (PoolRight | PoolWriter)[];
  /** Who else may make and name VMs in which pools. */
  readonly memberWriters: readonly PoolWriter[];
  /** Who else can read the seal of a clone in no pool, in words. */
  readonly sealReaders: readonly string[];
  readonly users: readonly UserInfo[];
  readonly acls: readonly AclEntry[];
  /** Names of roles the server knows. */
  readonly roles: readonly string[];
  /** Role → its privileges on this server; absent where the list cannot be read. */
  readonly rolePrivileges?: Readonly<Record<string, readonly string[]>>;
  /** What the caller may do; absent where nobody asked. */
  readonly rights?: Rights;
  /** Names of groups the caller may see; empty when it may see none. */
  readonly groups: readonly string[];
  /** Realm name → type (`pve`, `pam`, `ldap`, `ad`, `openid`). */
  readonly realms: Readonly<Record<string, string>>;
  /** Bridges named by the guests of `bridgeUseNodes`; empty when nobody asked. */
  readonly bridgeUse: readonly BridgeUse[];
  /** Nodes on which the NICs of every guest were read. On others nothing is known of who uses a bridge. */
  readonly bridgeUseNodes: readonly string[];
  /** What the caller's own rights may hide from these lists; absent where nobody asked. */
  readonly hidden?: {
    /** Bridges; 8+: SDN.Audit or SDN.Use on `/sdn/zones/localnetwork` shows them all. */
    readonly bridges: boolean;
    /** Guests; VM.Audit on `/vms` shows them all. */
    readonly guests: boolean;
    /** Groups; Sys.Audit on `/access/groups`, and what else shows one, shows them all. */
    readonly groups?: boolean;
  };
  /** Tasks under way, where asked for. */
  readonly tasks: readonly RunningTask[];
  /** Were they? */
  readonly tasksKnown?: boolean;
  /** Tasks that have only just ended; absent where nobody asked for those that failed. */
  readonly justEnded?: readonly RunningTask[];
  /** Of each VM the last one; where failed tasks were asked for. */
  readonly removals?: readonly Removal[];
  /** Of each guest and type of task the last one, where it failed; absent where nobody asked. */
  readonly failures?: readonly FailedTask[];
  readonly gaps: readonly Gap[];
}

/** What could not be read, and what comes of it. Other languages than English, which `text` is, say it by its kind. */
export type Gap =
  | { readonly kind: 'roles-unread' | 'acls-unread' | 'groups-unread'; readonly text: string }
  | {
      /** Pools that are not believed: of stands, or the one of our copies of templates. */
      readonly kind: 'stands-delegated' | 'copies-delegated';
      readonly pools: readonly string[];
      readonly writer: PoolWriter;
      readonly text: string;
    };

/** Path → privilege of the caller there → does it reach below? `privilegesOn` answers for paths that are not listed. */
export type Rights = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

export interface NodeInfo {
  readonly name: string;
  readonly online: boolean;
  readonly maintenance: boolean;
  readonly cpus: number;
  /** Bytes. */
  readonly memoryTotal: number;
  readonly memoryUsed: number;
  /** Fraction of all threads, 0…1; average of about 10 s. */
  readonly cpu: number;
  /** The same over the last hour; absent when nobody asked, or it cannot be read. */
  readonly cpuHour?: number;
  /** What its CPU can, as /proc/cpuinfo names it; absent when nobody asked, or it cannot be read. */
  readonly cpuFlags?: readonly string[];
  /** Asked and read along with that. */
  readonly hasKvm?: boolean;
}

/** One row per node and storage, shared storages included. */
export interface StorageInfo {
  readonly node: string;
  readonly storage: string;
  readonly type: string;
  readonly shared: boolean;
  readonly active: boolean;
  readonly content: readonly string[];
  /** Bytes. */
  readonly total: number;
  readonly used: number;
}

export interface GuestInfo {
  readonly vmid: number;
  readonly node: string;
  readonly type: GuestKind;
  /** Absent for about 10 s after creation (one cycle of pvestatd). */
  readonly name?: string;
  /** `unknown` for about 10 s after creation. */
  readonly status: string;
  readonly template: boolean;
  readonly pool?: string;
  readonly lock?: string;
  /** Lower case. */
  readonly tags?: readonly string[];
  /** Managed by HA. */
  readonly ha: boolean;
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
  /** What it uses, where asked for. */
  readonly use?: GuestUse;
  /** What its monitor says while its process runs, where that is another word: `paused`, `io-error`, …; some 10 s old. */
  readonly monitor?: string;
}

export interface GuestUse {
  /** Fraction of its own CPUs; average of about 10 s. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Seconds. */
  readonly uptime: number;
}

/** One guest's `GET config`, values as strings, plus where it is. */
export interface VmConfig extends GuestAt {
  /** sha1 hex of the configuration file. */
  readonly digest: string;
  readonly values: Readonly<Record<string, string>>;
}

export interface VnetInfo extends VnetRow {
  /** Node → what it says of it where it is not up: what was applied is not generated there, or did not come up. */
  readonly down?: Readonly<Record<string, 'pending' | 'error'>>;
}

/**
 * Read as far as a configuration names such a thing, and the caller is shown it. A key that is absent: not known.
 */
export interface NodeStock {
  /** Storage → how it is defined; absent altogether: every storage that is named is there on all nodes. */
  readonly definitions?: Readonly<Record<string, StorageDefinition>>;
  /** `node storage content` → volume ids. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** `pci gpu` → nodes that have the device. */
  readonly mappings: Readonly<Record<string, readonly string[]>>;
  /** Node → machine types that its QEMU knows. */
  readonly machines: Readonly<Record<string, readonly string[]>>;
}

export interface StorageDefinition {
  readonly disabled: boolean;
  /** Absent: all. */
  readonly nodes?: readonly string[];
}

export interface NodeNetwork {
  readonly node: string;
  /** False when the list could not be read (node offline). */
  readonly readable: boolean;
  readonly bridges: readonly BridgeInfo[];
  /** Staged edits that an apply would put into force. */
  readonly pending: readonly PendingRow[];
}

export interface BridgeInfo {
  readonly iface: string;
  /** Up; of ours with VLANs also that the node's last network reload, as far as the caller sees it, did not fail. */
  readonly active: boolean;
  /** It comes up with a reload, or when the node starts. */
  readonly autostart: boolean;
  /** It takes VLANs; OVS bridges always do. */
  readonly vlanAware: boolean;
  /** Absent: not known. */
  readonly mtu?: number;
  readonly ports: readonly string[];
  /** The host's own on it, as PVE shows them, and the gateways reached through it. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  /** Interfaces that are built on it or on a VLAN of it: bridges and bonds it is a port of, VLANs. */
  readonly above: readonly string[];
  /** Without trailing newline; empty if none. */
  readonly comments: string;
}

export interface PendingRow {
  readonly iface: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Carries a deploy-stand mark. */
  readonly ours: boolean;
  /** The diff lines, for the message. */
  readonly text: string;
}

export interface PoolInfo {
  readonly pool: string;
  /** Empty for one that somebody else may write: it would prove nothing. */
  readonly comment: string;
  /** Who that is, and by which right; absent: its marks count. */
  readonly delegated?: PoolWriter;
}

/** A right on pools, or on what is in them, that somebody else has, or may have: on one, and on those below it where it is passed down. */
export interface PoolWriter {
  /** `/pool/NAME`. */
  readonly path: string;
  readonly propagate: boolean;
  /** Who it is, and by which right. */
  readonly says: string;
  /** It is not known whether anybody has it: the caller is not shown the rights there. */
  readonly unseen?: boolean;
}

/** The entry of the access control list that gives it. */
export interface PoolRight extends PoolWriter, AclEntry {}

export interface UserInfo {
  readonly userid: string;
  readonly comment: string;
  readonly enabled: boolean;
  readonly expire: number;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly groups: readonly string[];
}

export interface AclEntry {
  readonly path: string;
  readonly role: string;
  /** A user, group or token id. */
  readonly subject: string;
  readonly type: 'user' | 'group' | 'token';
  readonly propagate: boolean;
}

export interface BridgeUse {
  readonly vmid: number;
  readonly node: string;
  /** `*`: its configuration or a snapshot of it cannot be read, it may use any. */
  readonly bridges: readonly string[];
  /** Those that going back to a snapshot plugs it into, which asks for no right on them. */
  readonly snapshotBridges: readonly string[];
  /** Its notes, empty where it has none; absent: its configuration cannot be read. */
  readonly description?: string;
}

export interface FailedTask {
  readonly node: string;
  /** `qmstart`, … */
  readonly type: string;
  readonly vmid: number;
  readonly user: string;
  /** Seconds since the epoch. */
  readonly ended: number;
  readonly error: string;
}

export interface SnapshotInfo {
  readonly name: string;
  readonly description: string;
  /** Seconds since the epoch; absent while it is being taken. */
  readonly time?: number;
  readonly withMemory: boolean;
}

/** Of a VM, seen among the tasks of a day. */
export interface Removal {
  readonly vmid: number;
  /** Who asked for it; a token's begins with its user. */
  readonly user: string;
  /** `recent`: ended so short a time ago that the run that did it may be at the next one. */
  readonly was: 'running' | 'recent' | 'earlier';
}

export interface RunningTask {
  readonly node: string;
  /** `qmclone`, `qmdestroy`, … */
  readonly type: string;
  /** What it works on; a VMID for most types (for `qmclone` the template's). */
  readonly id: string;
}
