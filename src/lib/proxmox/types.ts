/**
 * The PVE endpoints we use, as methods. Privileges and versions are from the official contract; behaviour is from
 * PVE's source as noted. Every method takes an AbortSignal last and may throw the errors of errors.ts in this room.
 */

import type { GuestAt } from '../pve-values/guest-kinds.ts';
import type { BalanceApi } from './balance-types.ts';
import type { StockApi } from './stock-types.ts';

/** Where a cluster is, and how to log in. `Connection` of the configuration has this shape. */
export interface ConnectionSettings {
  readonly name: string;
  /** The connections file that says where it is and what to trust; absent: the environment does. */
  readonly file?: string;
  /** Hosts of one cluster in the order to try: `host`, `host:port`, `[v6]:port`, or `http://127.0.0.1:port`. */
  readonly hosts: readonly string[];
  readonly auth:
    | { readonly kind: 'token'; readonly tokenId: string; readonly secret: string }
    | { readonly kind: 'password'; readonly user: string; readonly password: string };
  readonly tls: {
    readonly verify: boolean;
    /** PEM text. */
    readonly ca?: string;
    /** SHA-256 of the certificate; several (one per host) separated by spaces or commas. Replaces verification. */
    readonly fingerprint?: string;
  };
  /** Milliseconds for one request. */
  readonly timeout: number;
}

/** One HTTP exchange, for a debug log. Secrets are already masked. */
export interface RequestEvent {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly params: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly error?: string;
  readonly durationMs: number;
}

/** A write that is about to be sent. */
export interface WriteRequest {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** Below `/api2/json`, decoded. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  /** The step of the plan that it is for, if any. */
  readonly step?: string | undefined;
}

/** How a write ended. `not-sent`: certainly not carried out. `lost`: the outcome is unknown. */
export interface WriteEnding {
  readonly result: 'done' | 'refused' | 'not-sent' | 'lost';
  readonly status?: number;
  readonly upid?: Upid;
  /** Of the error. */
  readonly code?: string;
  readonly message?: string;
}

/** Is told of every request that is not a read, the login included. */
export interface WriteWitness {
  /** Nothing is sent before this resolves, and nothing at all when it rejects. What it resolves to never rejects. */
  begin(write: WriteRequest): Promise<(ending: WriteEnding) => Promise<void>>;
}

/** A task identifier; the node inside it is the one to ask. */
export type Upid = string;

export interface ResourceRow {
  readonly id: string;
  readonly type: string;
  readonly node?: string;
  readonly vmid?: number;
  readonly name?: string;
  readonly status?: string;
  readonly template?: boolean;
  readonly pool?: string;
  readonly lock?: string;
  /** Separated by `;`. */
  readonly tags?: string;
  readonly hastate?: string;
  readonly storage?: string;
  /** Of SDN; `status` is `available`, `pending` or `error`. */
  readonly zone?: string;
  readonly plugintype?: string;
  readonly shared?: boolean;
  readonly content?: string;
  readonly cpu?: number;
  readonly maxcpu?: number;
  readonly mem?: number;
  readonly maxmem?: number;
  readonly disk?: number;
  readonly maxdisk?: number;
  /** Seconds. */
  readonly uptime?: number;
  /** 9: what the guest takes of the host's memory. */
  readonly memhost?: number;
}

export interface ClusterStatus {
  readonly cluster?: { readonly name: string; readonly quorate: boolean };
  readonly nodes: readonly { readonly name: string; readonly online: boolean }[];
}

export interface NetworkRow {
  readonly iface: string;
  readonly type: string;
  readonly active: boolean;
  /** It comes up with a reload, or when the node starts. */
  readonly autostart: boolean;
  readonly vlanAware: boolean;
  /** Of a bridge (OVS ones, too) or bond. */
  readonly ports: readonly string[];
  /** The OVS bridge that a port, bond or internal port says it is of. */
  readonly ovsBridge?: string;
  /** What a VLAN interface with a name of its own is on. */
  readonly rawDevice?: string;
  /** As it is written; absent: its ports', or the usual one. */
  readonly mtu?: number;
  /** The host's own on it, as PVE writes them, and the gateways reached through it. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly comments: string;
  /** Its place in the interfaces file; absent: it has no stanza there. */
  readonly priority?: number;
}

export interface SnapshotRow {
  readonly name: string;
  readonly description: string;
  /** Seconds since the epoch; absent while it is being taken. */
  readonly time?: number;
  /** With the memory of the running machine. */
  readonly vmstate: boolean;
  readonly parent?: string;
}

export interface TaskRow {
  readonly upid: Upid;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  /** Seconds since the epoch. */
  readonly starttime: number;
  /** Seconds since the epoch; absent while it runs. */
  readonly endtime?: number;
  /** How it ended; absent while it runs, for which PVE says `RUNNING`. */
  readonly status?: string;
}

export interface TaskStatus {
  readonly upid: Upid;
  readonly running: boolean;
  /** `OK`, `WARNINGS: n` or the error text; absent while running. */
  readonly exitstatus?: string;
}

export interface NewUser {
  readonly userid: string;
  readonly password?: string;
  readonly comment: string;
  readonly groups: readonly string[];
  readonly email?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly expire?: number;
  /** Default: true. */
  readonly enable?: boolean;
}

/** What is absent stays as it is. PVE takes an empty text for an absent one, so none can be cleared. */
export interface UserChange {
  readonly comment?: string;
  /** The complete set. */
  readonly groups?: readonly string[];
  readonly email?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  /** Seconds since the epoch; 0: never. */
  readonly expire?: number;
  readonly enable?: boolean;
}

/** `node`: the template's; `vmid`: the new one. */
export interface CloneRequest extends GuestAt {
  readonly templateVmid: number;
  readonly name: string;
  readonly description: string;
  readonly full: boolean;
  /** Only sent when it differs from `node`. */
  readonly target: string;
  readonly storage?: string;
  /** The new VM joins it at the very end, within the task. */
  readonly pool?: string;
}

/**
 * What came of asking a guest agent. `off`: none is configured; `silent`: nobody answers; `refused`: it did not do it, in its
 * own words; `garbage`: what no agent says.
 */
export type AgentAnswer<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'off' | 'silent' | 'garbage' }
  | { readonly kind: 'refused'; readonly text: string };

/** How a process in a guest ended. Bytes that are no UTF-8 are replacement characters. */
export interface AgentProcess {
  /** Absent: it was killed. */
  readonly exit?: number;
  readonly signal?: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The agent did not keep all of it. */
  readonly isTruncated: boolean;
}

/** Plain config values; all strings as in the form. */
export type ConfigValues = Readonly<Record<string, string>>;

export interface PveApi extends BalanceApi, StockApi {
  /** Server's clock (HTTP `Date`) advanced by the time since the last answer. */
  serverTime(): Date;
  /** `GET /version`. All versions; no privilege. `release` is `7.4`, `8.4`, `9.2`… */
  version(signal?: AbortSignal): Promise<{ readonly version: string; readonly release: string }>;
  /** `GET /cluster/status`: Sys.Audit on /. Without `cluster` it is a node by itself, which needs no quorum. */
  clusterStatus(signal?: AbortSignal): Promise<ClusterStatus>;
  /** `GET /cluster/resources`. Rows are filtered to what the caller may audit; status lags about 10 s. */
  resources(signal?: AbortSignal): Promise<readonly ResourceRow[]>;
  /** `GET /cluster/nextid?vmid=`: does no guest have this id, whether the caller may see it or not? Needs no privilege. */
  isVmidFree(vmid: number, signal?: AbortSignal): Promise<boolean>;
  /** `GET /cluster/ha/status/manager_status` → node → `online|maintenance|…`. Sys.Audit on `/`. */
  nodeHaStates(signal?: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** `DELETE /cluster/ha/resources/{vm|ct}:{vmid}`. Sys.Console on `/`. 9: leaves its affinity rules, too. */
  removeHaResource(guest: Pick<GuestAt, 'vmid' | 'type'>, signal?: AbortSignal): Promise<void>;

  /** `GET /access/users?full=1`: the list is limited to users the caller may audit, itself included. */
  users(signal?: AbortSignal): Promise<
    readonly {
      readonly userid: string;
      readonly comment: string;
      readonly enabled: boolean;
      readonly expire: number;
      readonly email: string;
      readonly firstName: string;
      readonly lastName: string;
      readonly groups: readonly string[];
    }[]
  >;
  /** `GET /access/users/{userid}`. User.Modify or Sys.Audit on the groups. Undefined when there is no such user. */
  user(
    userid: string,
    signal?: AbortSignal,
  ): Promise<{ readonly comment: string; readonly enabled: boolean } | undefined>;
  /** `POST /access/users`. Realm.AllocateUser on the realm and User.Modify on the groups. */
  createUser(user: NewUser, signal?: AbortSignal): Promise<void>;
  /** `PUT /access/users/{userid}`. User.Modify on the user's groups and on the new ones. Idempotent. */
  updateUser(userid: string, change: UserChange, signal?: AbortSignal): Promise<void>;
  /**
   * `PUT /access/password`: by ticket only, a token gets a 403. Realm.AllocateUser and User.Modify; for `pam` root@pam
   * only. 8.2+ wants the password of every caller but root@pam, which is that of the connection. Idempotent.
   */
  setPassword(userid: string, password: string, signal?: AbortSignal): Promise<void>;
  /** `DELETE /access/users/{userid}`: with password, tokens and ACLs. The privileges that creating takes. */
  deleteUser(userid: string, signal?: AbortSignal): Promise<void>;
  /** `GET /access/domains`. World readable. */
  realms(signal?: AbortSignal): Promise<readonly { readonly realm: string; readonly type: string }[]>;
  /** `GET /access/groups`. Filtered to what the caller may audit. */
  groups(signal?: AbortSignal): Promise<readonly string[]>;
  /** `GET /access/roles`, with the privileges of each. */
  roles(
    signal?: AbortSignal,
  ): Promise<readonly { readonly role: string; readonly privileges: readonly string[] }[]>;
  /** `POST /access/roles`: Sys.Modify on /access. One that exists: 500 `role 'x' already exists`. */
  createRole(role: string, privileges: readonly string[], signal?: AbortSignal): Promise<void>;
  /**
   * `GET /access/permissions`: path → privilege of the caller there → whether it reaches below. Needs none. Lists the
   * paths of all ACLs, the members of all pools and the roots, each only if the caller has any privilege there. Tells a
   * token its own rights, already cut to its owner's (pve-access-control, get_effective_permissions).
   */
  permissions(signal?: AbortSignal): Promise<Readonly<Record<string, Readonly<Record<string, boolean>>>>>;
  /** `GET /access/acl`: limited to paths on which the caller may modify permissions. */
  acls(signal?: AbortSignal): Promise<
    readonly {
      readonly path: string;
      readonly role: string;
      readonly subject: string;
      readonly type: 'user' | 'group' | 'token';
      readonly propagate: boolean;
    }[]
  >;
  /** `PUT /access/acl`. Permissions.Modify on the path; 8+: or a subset of one's own privileges. Idempotent. */
  grant(
    entry: {
      readonly path: string;
      readonly role: string;
      readonly userid: string;
      readonly propagate: boolean;
    },
    signal?: AbortSignal,
  ): Promise<void>;
  /** `PUT /access/acl` with `delete`. The privileges of `grant`. Idempotent, unless the user or role is gone. */
  revoke(
    entry: { readonly path: string; readonly role: string; readonly userid: string },
    signal?: AbortSignal,
  ): Promise<void>;

  /** `GET /pools`. Pool.Audit (8+) or Pool.Allocate per pool. */
  pools(signal?: AbortSignal): Promise<readonly { readonly pool: string; readonly comment: string }[]>;
  /**
   * `GET /pools?poolid=` (8.1+) or `GET /pools/{pool}` (before). Pool.Audit. Members that do not exist (yet) are not
   * among the VMIDs; containers are. Undefined when there is no such pool.
   */
  pool(
    pool: string,
    signal?: AbortSignal,
  ): Promise<{ readonly comment: string; readonly vmids: readonly number[] } | undefined>;
  /** `POST /pools`. Pool.Allocate on `/pool/{pool}`. Exists → 500 `pool 'x' already exists`. */
  createPool(pool: string, comment: string, signal?: AbortSignal): Promise<void>;
  /**
   * `PUT /pools` (8.1+) or `PUT /pools/{pool}` (before). Pool.Allocate; VM.Allocate or Permissions.Modify on each
   * VM. All or nothing: one refused id (taken, or not a member that could be removed) and nothing is written.
   */
  updatePool(
    pool: string,
    change: {
      readonly comment?: string;
      readonly addVmids?: readonly number[];
      readonly removeVmids?: readonly number[];
    },
    signal?: AbortSignal,
  ): Promise<void>;
  /** `DELETE /pools` (8.1+) or `DELETE /pools/{pool}`. Pool.Allocate; members that do not exist do not count. */
  deletePool(pool: string, signal?: AbortSignal): Promise<void>;

  /** `GET /nodes/{node}/network`: the staged file; `changes` is the unified diff to the applied one, or empty. */
  network(
    node: string,
    signal?: AbortSignal,
  ): Promise<{ readonly rows: readonly NetworkRow[]; readonly changes: string }>;
  /** `POST /nodes/{node}/network` (staged, `type=bridge`, `autostart=1`). Sys.Modify on `/nodes/{node}`. */
  createBridge(
    node: string,
    bridge: { readonly iface: string; readonly vlanAware: boolean; readonly comment: string },
    signal?: AbortSignal,
  ): Promise<void>;
  /** `PUT /nodes/{node}/network/{iface}` (staged). Only ever turns VLAN awareness on; absent: it stays. */
  updateBridge(
    node: string,
    bridge: { readonly iface: string; readonly vlanAware?: true; readonly comment: string },
    signal?: AbortSignal,
  ): Promise<void>;
  /** `DELETE /nodes/{node}/network/{iface}` (staged). Sys.Modify on `/nodes/{node}`. In use is no obstacle for PVE. */
  deleteBridge(node: string, iface: string, signal?: AbortSignal): Promise<void>;
  /** `PUT /nodes/{node}/network`: applies everything staged on the node, whoever staged it. */
  reloadNetwork(node: string, signal?: AbortSignal): Promise<Upid>;

  /** `GET /nodes/{node}/{type}`: computed live, unlike `resources`. VM.Audit. */
  nodeVms(
    of: Pick<GuestAt, 'node' | 'type'>,
    signal?: AbortSignal,
  ): Promise<
    readonly {
      readonly vmid: number;
      readonly name?: string;
      readonly status: string;
      readonly lock?: string;
      /** Seconds. */
      readonly uptime?: number;
      /** Bytes used. */
      readonly mem?: number;
    }[]
  >;
  /** `GET /nodes/{node}/{type}/{vmid}/config`. VM.Audit. Undefined when there is no such guest on this node. */
  guestConfig(guest: GuestAt, signal?: AbortSignal): Promise<ConfigValues | undefined>;
  /**
   * `GET /nodes/{node}/qemu/{vmid}/pending`: as it runs, and as it will be after the next start. VM.Audit. Undefined when
   * there is no such VM on this node.
   */
  vmPending(
    guest: GuestAt,
    signal?: AbortSignal,
  ): Promise<{ readonly now: ConfigValues; readonly next: ConfigValues } | undefined>;
  /** `POST /nodes/{node}/{type}/{vmid}/clone`. The task lives on `node`, also with `target`. */
  cloneVm(request: CloneRequest, signal?: AbortSignal): Promise<Upid>;
  /** `PUT /nodes/{node}/qemu/{vmid}/config`: synchronous; for small edits only. */
  updateVmConfig(
    guest: GuestAt,
    change: { readonly set: ConfigValues; readonly remove: readonly string[]; readonly digest?: string },
    signal?: AbortSignal,
  ): Promise<void>;
  /** `POST /nodes/{node}/qemu/{vmid}/template`. VM.Allocate. The disks become base images where the storage has such. */
  convertToTemplate(guest: GuestAt, signal?: AbortSignal): Promise<Upid>;
  /** `GET /nodes/{node}/qemu/{vmid}/snapshot`, `current` left out. VM.Audit. */
  snapshots(guest: GuestAt, signal?: AbortSignal): Promise<readonly SnapshotRow[]>;
  /** `GET …/snapshot/{name}/config`. VM.Audit. Undefined: there is no such snapshot, or no such VM. */
  snapshotConfig(guest: GuestAt, snapshot: string, signal?: AbortSignal): Promise<ConfigValues | undefined>;
  /**
   * `GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces`: addresses without prefix, the loopback's left out.
   * VM.Monitor (7, 8), VM.GuestAgent.Audit (9). `off`: no agent is configured; `silent`: it does not answer; PVE waits 3 s
   * for its ping, then 5 s.
   */
  agentAddresses(guest: GuestAt, signal?: AbortSignal): Promise<readonly string[] | 'off' | 'silent'>;
  /**
   * `POST /nodes/{node}/qemu/{vmid}/agent/exec`: the number of the process. VM.Monitor (7, 8), VM.GuestAgent.Unrestricted (9).
   * ASCII only; on 7.4 an empty word at the end is lost. Never repeated: it may have run.
   */
  agentExec(guest: GuestAt, argv: readonly string[], signal?: AbortSignal): Promise<AgentAnswer<number>>;
  /** `GET …/agent/exec-status`. The agent forgets the process once it has told its end. The same rights. */
  agentExecStatus(
    guest: GuestAt,
    pid: number,
    signal?: AbortSignal,
  ): Promise<AgentAnswer<AgentProcess | 'running' | 'flood'>>;
  /**
   * `GET …/snapshot` and, of each, `GET …/snapshot/{name}/config`, of a VM or a container: what going back to it brings
   * back. VM.Audit. Empty when there is no such guest on this node.
   */
  snapshotConfigs(guest: GuestAt, signal?: AbortSignal): Promise<readonly ConfigValues[]>;
  /** `POST /nodes/{node}/qemu/{vmid}/snapshot`. VM.Snapshot. */
  snapshotVm(
    guest: GuestAt,
    wanted: { readonly snapshot: string; readonly description: string; readonly withMemory: boolean },
    signal?: AbortSignal,
  ): Promise<Upid>;
  /** `DELETE …/snapshot/{name}`. VM.Snapshot. No such one → the *task* fails. */
  deleteSnapshot(guest: GuestAt, snapshot: string, signal?: AbortSignal): Promise<Upid>;
  /**
   * `POST …/snapshot/{name}/rollback`. VM.Snapshot or VM.Snapshot.Rollback. A VM that runs is stopped by it; `start`
   * switches it on in the same task, as a snapshot with its memory does by itself.
   */
  rollbackVm(
    guest: GuestAt,
    to: { readonly snapshot: string; readonly start: boolean },
    signal?: AbortSignal,
  ): Promise<Upid>;
  /** `POST /nodes/{node}/qemu/{vmid}/status/start`. VM.PowerMgmt. Already running → the *task* fails. */
  startVm(guest: GuestAt, signal?: AbortSignal): Promise<Upid>;
  /** `POST /nodes/{node}/qemu/{vmid}/status/stop`. VM.PowerMgmt. Under HA the task ends when the wish is noted. */
  stopVm(guest: GuestAt, signal?: AbortSignal): Promise<Upid>;
  /**
   * `DELETE /nodes/{node}/qemu/{vmid}`. VM.Allocate. Takes disks, ACLs and pool membership; `purge` also backup and
   * replication jobs and HA. Disks that the configuration does not name are left alone. `skipLock`: root@pam's ticket
   * only, to everybody else PVE says no.
   */
  deleteVm(
    guest: GuestAt,
    options: { readonly purge: boolean; readonly skipLock?: boolean },
    signal?: AbortSignal,
  ): Promise<Upid>;
  /**
   * `POST /nodes/{node}/qemu/{vmid}/status/shutdown`. VM.PowerMgmt. The task waits `timeout` seconds for the guest; then it
   * fails or, with `force`, cuts the power. Under HA it ends when the wish is noted, and HA always cuts the power in the end.
   */
  shutdownVm(
    guest: GuestAt,
    options: { readonly timeout: number; readonly force: boolean },
    signal?: AbortSignal,
  ): Promise<Upid>;
  /** `POST /nodes/{node}/qemu/{vmid}/status/reboot`. VM.PowerMgmt. Stopped → 500. Who shuts down in time is started again. */
  rebootVm(guest: GuestAt, options: { readonly timeout: number }, signal?: AbortSignal): Promise<Upid>;
  /**
   * `POST /nodes/{node}/qemu/{vmid}/status/suspend`. VM.PowerMgmt; onto a storage also VM.Config.Disk, and
   * Datastore.AllocateSpace there. Stopped → 500.
   */
  suspendVm(guest: GuestAt, storage: string | undefined, signal?: AbortSignal): Promise<Upid>;
  /** `POST /nodes/{node}/qemu/{vmid}/status/resume`. VM.PowerMgmt. Neither running nor suspended → 500. */
  resumeVm(guest: GuestAt, signal?: AbortSignal): Promise<Upid>;
  /** `GET /nodes/{node}/qemu/{vmid}/status/current` → `running` or `stopped`. VM.Audit. */
  vmStatus(
    guest: GuestAt,
    signal?: AbortSignal,
  ): Promise<{
    readonly status: string;
    readonly lock?: string;
    /** What its monitor says: `running`, `paused`, … */
    readonly monitor?: string;
    /** Seconds. */
    readonly uptime?: number;
  }>;

  /** `GET /nodes/{node}/tasks?source=…`. Own tasks; all with Sys.Audit on the node. */
  tasks(
    node: string,
    filter: {
      readonly source: 'active' | 'archive' | 'all';
      readonly vmid?: number;
      readonly type?: string;
      /** Seconds since the epoch. */
      readonly since?: number;
      /** Seconds since the epoch. */
      readonly until?: number;
      readonly limit?: number;
    },
    signal?: AbortSignal,
  ): Promise<readonly TaskRow[]>;
  /** `GET /nodes/{node}/tasks/{upid}/status`, on the node named in the UPID. */
  taskStatus(upid: Upid, signal?: AbortSignal): Promise<TaskStatus>;
  /** Last `lines` lines of the task's log. */
  taskLog(upid: Upid, lines: number, signal?: AbortSignal): Promise<readonly string[]>;
  /** So many lines of the beginning and of the end, each line once. */
  taskLogEnds(upid: Upid, lines: number, signal?: AbortSignal): Promise<readonly string[]>;
}

/** Also speaks for single steps of a plan: the witness of their writes hears the step's id. */
export interface RunPve extends PveApi {
  readonly forStep: (id: string) => PveApi;
}

/** Waits for tasks with one shared poll per node. */
export interface TaskWaiter {
  /**
   * Resolves when the task ended `OK` or `WARNINGS: n`; throws TaskError (exit status and last log lines) otherwise.
   */
  wait(upid: Upid, signal?: AbortSignal): Promise<{ readonly warnings: boolean }>;
}
