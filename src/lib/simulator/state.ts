/** What a simulated cluster is, as plain JSON: the only thing that is saved. Holds no logic. */
import type { Version } from './version.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One stanza of /etc/network/interfaces, options by their API names; order is the file's order. */
export interface InterfaceState {
  readonly iface: string;
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
}

/** What the kernel has after the last successful reload. */
export interface RunningInterface {
  readonly type: string;
  readonly vlanAware: boolean;
  readonly ports: readonly string[];
  /** Absent: 1500. */
  readonly mtu?: number;
}

export interface NodeState {
  readonly name: string;
  readonly id: number;
  readonly cpus: number;
  readonly memory: number;
  readonly rootfs: number;
  online: boolean;
  offlineSince?: number;
  /** Loses power at that moment. */
  readonly offlineAt?: number;
  maintenance: boolean;
  bootTime: number;
  /** Load that guests do not explain, as a fraction of the node's CPUs. */
  readonly baseLoad: number;
  readonly cpuModel?: string;
  readonly cpuFlags?: readonly string[];
  readonly lacksKvm?: boolean;
  /** pve-manager's version on this node, where it is another than the cluster's. */
  readonly pveVersion?: string;
  /** Bytes of ZFS's cache: used memory that goes when somebody needs it. */
  readonly arcSize?: number;
  /** Of pve-qemu-kvm, where it is another than came with the release. */
  readonly qemuVersion?: string;
  readonly fingerprint: string;
  interfaces: readonly InterfaceState[];
  /** interfaces.new, when something is staged. */
  staged?: readonly InterfaceState[] | undefined;
  running: Record<string, RunningInterface>;
  /** Bridges of files that /etc/network/interfaces sources: PVE does not read those. */
  readonly sourcedBridges?: readonly string[];
  /** Bridges that are in no file. */
  handMadeBridges?: readonly string[];
  /** Of the file; ifupdown2 fails at them. */
  readonly failingInterfaces?: readonly string[];
  /** Version of the SDN configuration that the node generated last. */
  sdnVersion?: number;
  /** Offset of pvestatd's 10 s cycle. */
  readonly cyclePhase: number;
}

export interface StorageState {
  readonly storage: string;
  readonly type: string;
  readonly content: readonly string[];
  readonly shared: boolean;
  readonly nodes?: readonly string[];
  readonly disabled: boolean;
  /** Nodes that cannot reach it. */
  readonly offlineOn?: readonly string[];
  readonly size: number;
  readonly used: number;
  readonly options: Readonly<Record<string, string>>;
  /** Seconds under the lock per volume; absent: as for all storages. */
  readonly lockSeconds?: number;
  /** Seconds for which other nodes do not see a new file: NFS keeps what it knows of a folder for a while. */
  readonly cacheSeconds?: number;
}

export interface VolumeState {
  readonly volid: string;
  readonly storage: string;
  /** Only for storages that are not shared. */
  readonly node?: string;
  size: number;
  vmid?: number;
  readonly format: string;
  readonly content: string;
  /** Volume id of the base image of a linked clone. */
  readonly parent?: string;
  /** Where and when it was made, on storages whose other nodes see it late. */
  readonly made?: { readonly node: string; readonly at: number };
}

export type GuestConfig = Record<string, string>;

export interface SnapshotState {
  readonly name: string;
  readonly parent?: string;
  readonly snaptime: number;
  readonly description: string;
  readonly vmstate: boolean;
  readonly config: Readonly<GuestConfig>;
}

/** What pvestatd last told the other nodes of a guest. */
export interface PublishedGuest {
  readonly name: string;
  readonly status: string;
  readonly template: boolean;
  readonly maxcpu: number;
  readonly maxmem: number;
  readonly maxdisk: number;
  readonly runningSince: number | null;
}

/** How a command inside a guest ends. */
export interface AgentCommand {
  /** Program and arguments, joined by blanks; absent: any command. */
  readonly run?: string;
  readonly exitcode?: number;
  /** It dies of this instead. */
  readonly signal?: number;
  readonly output?: string;
  /** Of any bytes. */
  readonly output_base64?: string;
  /** How often it prints that. */
  readonly repeat?: number;
  readonly error?: string;
  /** Until it ends; it may outlast any client's patience. */
  readonly seconds?: number;
}

/** How a guest behaves that runs. */
export interface GuestHabits {
  /** It does not hear the power button: a shutdown ends with its time. */
  readonly deaf?: boolean;
  /** Bytes per second, in both directions. */
  readonly traffic?: number;
  /** Fraction of its own CPUs while it boots; default: as later. */
  readonly boot?: number;
}

/** What is inside a guest, as far as its agent tells. */
export interface AgentState {
  /** `stuck` answers a ping and nothing else, `garbage` what no agent would. */
  readonly state?: 'running' | 'absent' | 'stuck' | 'garbage';
  /** Of the first NIC, with prefix length. */
  readonly addresses?: readonly string[];
  readonly os?: string;
  /** The pid that it gives for every command. */
  readonly claims_pid?: number;
  readonly commands?: readonly AgentCommand[];
}

export interface AgentProcess {
  readonly pid: number;
  readonly endsAt: number;
  readonly command: AgentCommand;
}

export interface GuestState {
  readonly vmid: number;
  readonly type: 'qemu' | 'lxc';
  node: string;
  config: GuestConfig;
  snapshots: SnapshotState[];
  /** Name of the snapshot that the current state descends from. */
  parent?: string | undefined;
  pending: GuestConfig;
  pendingDelete: string[];
  runningSince?: number | undefined;
  pid?: number | undefined;
  /** What QEMU was started as, and which one runs it now; absent: as its node would start it. */
  process?: { readonly machine: string; readonly qemu: string } | undefined;
  paused: boolean;
  /** QEMU has stopped its CPUs: the storage refused a write, or KVM failed. */
  halted?: 'io-error' | 'internal-error' | undefined;
  /** Fraction of its own CPUs that a running guest uses. */
  readonly load: number;
  /** Fraction of its memory that a running guest uses; absent: goes with `load`. */
  readonly memoryLoad?: number;
  /** Absent: an agent runs and knows no command. */
  readonly agent?: AgentState;
  readonly habits?: GuestHabits;
  /** Started through the agent and not yet asked for their end. */
  agentProcesses?: readonly AgentProcess[] | undefined;
  /** A container that CRIU wrote to disk. */
  checkpointed?: boolean | undefined;
  /** Published view until that moment; null: nothing published yet. Absent: the live view is published. */
  published?: PublishedGuest | null | undefined;
  publishedUntil?: number | undefined;
}

export interface TokenState {
  privsep: boolean;
  expire: number;
  comment: string;
  secretHash: string;
}

export interface UserState {
  readonly userid: string;
  enable: boolean;
  expire: number;
  comment: string;
  email: string;
  firstname: string;
  lastname: string;
  keys: string;
  groups: string[];
  passwordHash?: string | undefined;
  /** The code a second factor accepts; absent: no second factor. */
  totp?: string;
  tokens: Record<string, TokenState>;
}

export interface RealmState {
  readonly realm: string;
  readonly type: string;
  readonly comment: string;
}

export interface AclState {
  readonly path: string;
  readonly type: 'user' | 'group' | 'token';
  readonly subject: string;
  readonly role: string;
  readonly propagate: boolean;
}

export interface PoolState {
  readonly poolid: string;
  comment: string;
  readonly vms: readonly number[];
  readonly storage: readonly string[];
}

export interface TaskState {
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  /** Seconds. */
  readonly starttime: number;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  endtime?: number;
  exitstatus?: string;
  log: string[];
  /** What has to go on when the cluster is loaded again. */
  job?:
    | { readonly kind: string; readonly args: Readonly<Record<string, Json>>; progress: Record<string, Json> }
    | undefined;
  /** The exit status a fault asks for. */
  fault?: string | undefined;
}

export interface ZoneState {
  readonly zone: string;
  readonly type: string;
  /** `nodes`, `bridge`, `peers`, `mtu` and the like, by their API names. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface VnetState {
  readonly vnet: string;
  readonly zone: string;
  readonly tag?: number;
  readonly alias?: string;
  readonly vlanaware: boolean;
  readonly isolatePorts?: boolean;
}

export interface SdnConfig {
  readonly zones: readonly ZoneState[];
  readonly vnets: readonly VnetState[];
}

/** Zones and vnets as configured; what was applied beside them. */
export interface SdnState extends SdnConfig {
  readonly installed: boolean;
  /** Absent: everything was applied. */
  readonly running?: SdnConfig;
  /** Of what was applied. */
  readonly version?: number;
  /** Token of the global lock (9). */
  readonly lock?: string;
}

/** A group of PVE 7 and 8. */
export interface HaGroupState {
  readonly group: string;
  readonly nodes: readonly string[];
  readonly restricted: boolean;
  readonly nofailback: boolean;
  readonly comment?: string;
}

/** A rule of PVE 9. */
export interface HaRuleState {
  readonly rule: string;
  readonly type: 'node-affinity' | 'resource-affinity';
  readonly resources: readonly string[];
  readonly nodes: readonly string[];
  readonly strict: boolean;
  readonly affinity?: 'positive' | 'negative';
  readonly comment?: string;
  readonly disabled?: boolean;
}

export interface HaResourceState {
  readonly sid: string;
  /** As requested. */
  readonly state: string;
  /** What the manager is at with it: `migrate`, `request_stop`, `error`. Absent: it is as requested. */
  readonly status?: string;
  readonly group?: string;
  readonly comment?: string;
  /** `max_restart`, `failback` and the like, by their API names. */
  readonly options?: Readonly<Record<string, string>>;
}

/** A resource mapping, with the nodes that have an entry in it. */
export interface MappingState {
  readonly kind: 'pci' | 'usb' | 'dir';
  readonly id: string;
  readonly nodes: readonly string[];
}

export interface ClusterState {
  readonly format: 1;
  readonly version: Version;
  readonly name: string;
  readonly now: number;
  readonly randomState: number;
  readonly nextPid: number;
  readonly quorumLost?: boolean;
  readonly ticketKey: string;
  readonly credentials: {
    readonly tokenId: string;
    readonly secret: string;
    readonly user: string;
    readonly password: string;
  };
  readonly nodes: readonly NodeState[];
  readonly storages: readonly StorageState[];
  readonly volumes: readonly VolumeState[];
  readonly guests: readonly GuestState[];
  readonly realms: readonly RealmState[];
  readonly users: readonly UserState[];
  readonly groups: Readonly<Record<string, string>>;
  readonly roles: Readonly<Record<string, readonly string[]>>;
  readonly acl: readonly AclState[];
  readonly pools: readonly PoolState[];
  readonly datacenter: Readonly<Record<string, string>>;
  /** Resource mappings; 8 and later. */
  readonly mappings?: readonly MappingState[];
  readonly sdn: SdnState;
  readonly ha: {
    readonly resources: readonly HaResourceState[];
    readonly groups: readonly HaGroupState[];
    readonly rules?: readonly HaRuleState[];
  };
  readonly tasks: readonly TaskState[];
}
