/** The plan: a JSON document (no functions, Dates, Maps or class instances) and the step kinds it is made of. */
import type { Nic } from '../pve-values/nics.ts';
import type { Strategy } from '../config/types.ts';
import type { BalanceReport } from './balance/types.ts';

/**
 * Payload per step kind; everything else is derived from this map. Each kind's comment has a "Fail:" line: what is
 * left behind, and how it is mended. "Run again" means: deploy with the same files.
 */
export interface StepPayloads {
  /** Fail: no user. Run again. The password waits in the credentials file as `pending`. */
  'user.create': {
    readonly userid: string;
    readonly comment: string;
    readonly groups: readonly string[];
    readonly email?: string;
    readonly firstName?: string;
    readonly lastName?: string;
    readonly expire?: number;
    /** `directory`: the realm keeps passwords itself. */
    readonly password: 'generate' | 'directory';
  };
  /** Fail: no pool. Run again. */
  'pool.create': { readonly pool: string; readonly comment: string };
  /**
   * Claims VMIDs: one PUT with the new comment and the new members. Fail with VMID_TAKEN: somebody has one of the
   * ids; nothing was written and the stand is planned again.
   */
  'pool.update': {
    readonly pool: string;
    readonly comment: string;
    readonly addVmids: readonly number[];
    /** What was there before us and becomes ours, as the planner saw it: with another comment or other members nothing is written. */
    readonly takeOver?: { readonly comment: string; readonly vmids: readonly number[] };
  };
  /** Fail: the student cannot reach the finished stand. Run again. */
  'acl.grant': {
    readonly path: string;
    readonly role: string;
    readonly userid: string;
    readonly propagate: boolean;
  };
  /** Staged only; `network.reload` puts it into force. Fail with BRIDGE_TAKEN: planned again under another number. */
  'bridge.create': {
    readonly node: string;
    readonly bridge: string;
    readonly vlanAware: boolean;
    readonly comment: string;
  };
  /**
   * Makes a bridge VLAN-aware, or ours by writing our mark into an empty comment, or both. Staged only. Fail: unchanged.
   * Run again.
   */
  'bridge.update': {
    readonly node: string;
    readonly bridge: string;
    /** Absent: stays as it is. */
    readonly vlanAware?: true;
    /** The comment that the planner saw; with another one the bridge is left alone. */
    readonly comment: string;
    /** Absent: the comment stays. */
    readonly newComment?: string;
  };
  /** Fail: staged bridges are not up; the next run notices (`active` missing) and applies again. */
  'network.reload': {
    readonly node: string;
    /** Must be up afterwards. */
    readonly bridges: readonly string[];
    /** Must be gone afterwards; absent: none. */
    readonly gone?: readonly string[];
  };
  /** Fail: PVE rolls the clone back; the claim stays and the id is used again. */
  'vm.clone': {
    /** Node of the template; the task lives there. */
    readonly node: string;
    /** Node of the new VM; differs from `node` only on shared storage. */
    readonly target: string;
    readonly templateVmid: number;
    readonly vmid: number;
    readonly name: string;
    /** The mark, without `spec=`. */
    readonly description: string;
    readonly full: boolean;
    readonly storage?: string;
    /** Of a confined caller: the pool that the VM joins at the end of its clone. Else its claim has made it a member. */
    readonly pool?: string;
    /** Storages whose locks the clone takes: `shared:<id>` or `<node>:<id>`. */
    readonly locks: readonly string[];
  };
  /**
   * Writes our mark into the notes of a VM that was not made by us, and changes nothing else. Only while it is a member of
   * the pool and its notes are those that the planner saw. Fail: claimed, but unmarked. Run again.
   */
  'vm.mark': {
    readonly node: string;
    readonly vmid: number;
    readonly pool: string;
    readonly description: string;
    readonly newDescription: string;
  };
  /**
   * A full copy of a template under a claimed VMID; `home` is the node that it is made for. Fail: PVE rolls the copy
   * back; the claim stays and the id is used again.
   */
  'template.clone': {
    /** Node of the template. */
    readonly node: string;
    /** The same: PVE cannot copy onto another node what is on local storage. */
    readonly target: string;
    readonly home: string;
    readonly templateVmid: number;
    readonly vmid: number;
    readonly name: string;
    /** The mark. */
    readonly description: string;
    readonly full: true;
    readonly storage?: string;
    readonly locks: readonly string[];
  };
  /** Takes from a copy what its template handed down. Fail: run again; `templates prune` removes what is left. */
  'template.configure': {
    readonly node: string;
    readonly home: string;
    readonly vmid: number;
    readonly description: string;
    /** Plain config keys → values. */
    readonly options: Readonly<Record<string, string>>;
  };
  /** Moves a copy, with its local disks. Fail: it is still on `node`. Run again. */
  'template.migrate': {
    readonly node: string;
    readonly home: string;
    readonly vmid: number;
    readonly description: string;
    readonly targetStorage?: string;
    /** Storages of `home` whose locks it takes. */
    readonly locks: readonly string[];
  };
  /** Makes a copy a template. Fail: it is none yet, and nothing is cloned from it. Run again. */
  'template.convert': {
    /** The node that it is on by now. */
    readonly node: string;
    readonly home: string;
    readonly vmid: number;
    readonly description: string;
    readonly locks: readonly string[];
  };
  /**
   * One PUT: NICs (the complete set; others are removed), options and the mark with `spec=`. Fail: the VM has no
   * `spec` and is configured again by the next run.
   */
  'vm.configure': {
    readonly node: string;
    readonly vmid: number;
    readonly description: string;
    readonly nics: readonly Nic[];
    /** Plain config keys → values, e.g. `{ cores: '2', onboot: '0' }`. */
    readonly options: Readonly<Record<string, string>>;
    /** Added to the tags the VM has. */
    readonly tags: readonly string[];
    /** Config keys to delete, NICs aside. */
    readonly remove: readonly string[];
    /** Machine whose cloud-init password the handler has to add. */
    readonly secret?: { readonly machine: string };
  };
  /** Fail: no snapshot, no access for the student yet. Run again. */
  'vm.snapshot': { readonly node: string; readonly vmid: number; readonly snapshot: string };
  /** Fail: the VM is stopped. Run again. */
  'vm.start': { readonly node: string; readonly vmid: number };
  /** Hard power-off (a shutdown waits for a guest that may never answer). Fail: it runs on. Run cleanup again. */
  'vm.stop': { readonly node: string; readonly vmid: number; readonly lockWaitSeconds: number };
  /** Lifts the protection flag before a removal that was asked for by name. Fail: still protected. */
  'vm.unprotect': { readonly node: string; readonly vmid: number; readonly lockWaitSeconds: number };
  /** Takes a VM out of HA management. Fail: HA goes on managing it. Run cleanup again. */
  'ha.remove': { readonly vmid: number };
  /**
   * Removes a VM with its disks, jobs and references (`purge`). Waits `lockWaitSeconds` for a backup, snapshot or
   * migration to end. Fail with VM_LOCKED: untouched. A rest with `lock: destroyed` is reported as ZOMBIE_VM.
   */
  'vm.delete': {
    readonly node: string;
    readonly vmid: number;
    /** Pool whose claim makes it ours, and the description seen by the planner: one of them must still hold. */
    readonly pool: string;
    readonly description: string;
    readonly lockWaitSeconds: number;
  };
  /** Staged only. Fail: the bridge stays, marked; the next cleanup removes it. */
  'bridge.delete': { readonly node: string; readonly bridge: string; readonly comment: string };
  /** Fail: the student keeps the right until cleanup is run again. */
  'acl.revoke': { readonly path: string; readonly role: string; readonly userid: string };
  /** Takes a lab's line out of the pool's comment and its VMIDs out of the pool. Fail: the claim stays. */
  'pool.release': {
    readonly pool: string;
    readonly comment: string;
    readonly removeVmids: readonly number[];
  };
  /** Fail: an empty, marked pool stays. Run cleanup again. */
  'pool.delete': { readonly pool: string; readonly comment: string };
  /**
   * Changes what is named, on a user with our mark. `expire` is 0 for never, `groups` the complete set. Fail: the user
   * is as before. Run again.
   */
  'user.update': {
    readonly userid: string;
    /** The comment that the planner saw; with another one the user is left alone. */
    readonly comment: string;
    readonly newComment?: string;
    readonly groups?: readonly string[];
    readonly email?: string;
    readonly firstName?: string;
    readonly lastName?: string;
    readonly expire?: number;
    readonly enable?: boolean;
  };
  /**
   * Sets a new password; takes a login by password, PVE lets no token do it. Fail: the file holds both the former and
   * the new password, of which one is valid. Run again: the new one is set.
   */
  'user.password': { readonly userid: string; readonly comment: string };
  /**
   * Removes a user of ours and creates it anew with a new password and the rights it had: one step, so that a stop
   * never comes between. Tokens and second factors of the user are lost. Fail: no user. Run deploy or `users sync`:
   * the user gets the password that waits in the credentials file as `pending`.
   */
  'user.recreate': {
    readonly userid: string;
    readonly comment: string;
    readonly groups: readonly string[];
    readonly email?: string;
    readonly firstName?: string;
    readonly lastName?: string;
    readonly expire?: number;
    readonly enable: boolean;
    readonly acls: readonly { readonly path: string; readonly role: string; readonly propagate: boolean }[];
  };
  /**
   * Moves a VM; done when it is on `target`. Fail: it stays where it was, or PVE says "migration problems" and it may
   * be on either node; whoever depends on it is skipped. Run balance again: a stand that is on two nodes is put together.
   */
  'vm.migrate': {
    /** Where it is; the task lives there. */
    readonly node: string;
    readonly target: string;
    readonly vmid: number;
    /** It runs: live. */
    readonly online: boolean;
    /** It has disks on node-local storage, which are copied. */
    readonly withLocalDisks: boolean;
    /** Managed by HA: the task only queues the request. */
    readonly ha: boolean;
    /** Keep connection tracking; PVE 9. */
    readonly conntrack: boolean;
    /** KiB/s. */
    readonly bandwidth?: number;
    readonly timeoutSeconds: number;
  };
  /** Only a user with our mark. Fail: the user stays. Run cleanup again. */
  'user.delete': { readonly userid: string; readonly comment: string };
}

export type StepKind = keyof StepPayloads;

interface StepBase {
  /** `<kind>:<natural key>`. Same input, same id. */
  readonly id: string;
  /** Ids that must have succeeded; sorted. */
  readonly dependsOn: readonly string[];
  /** Ids that must have ended, however; sorted. */
  readonly after: readonly string[];
  /** Why the planner wants this; printed with the plan. */
  readonly reason: string;
  /** The stand (userid) it belongs to; absent for shared objects (reserved bridges, reloads). */
  readonly user?: string;
}

export type StepOf<K extends StepKind> = {
  [P in K]: StepBase & { readonly kind: P } & Readonly<StepPayloads[P]>;
}[K];
export type Step = StepOf<StepKind>;

/** What must still be true when a saved plan is applied. */
export type Precondition =
  | { readonly kind: 'vmid-free'; readonly vmid: number }
  | { readonly kind: 'bridge-free'; readonly bridge: string; readonly node: string }
  | { readonly kind: 'bridge'; readonly bridge: string; readonly node: string; readonly comment: string }
  | { readonly kind: 'template'; readonly vmid: number; readonly node: string; readonly digest: string }
  | { readonly kind: 'pool'; readonly pool: string; readonly comment: string | null }
  | { readonly kind: 'user-absent'; readonly userid: string }
  | { readonly kind: 'vm'; readonly vmid: number; readonly node: string; readonly description: string }
  | { readonly kind: 'node-online'; readonly node: string };

export interface PlannedVm {
  readonly vmid: number;
  readonly name: string;
  readonly node: string;
  /** What is known before the run. */
  readonly state: 'new' | 'unfinished' | 'complete' | 'pending-change' | 'going' | 'staying';
  /** Observed power state, `stopped` for new ones. */
  readonly power: string;
}

export interface PlannedBridge {
  readonly node: string;
  readonly iface: string;
  readonly alias: string;
}

/** One user's stand in the plan; also when nothing is to be done for it. */
export interface PlannedStand {
  readonly user: string;
  readonly pool: string;
  /** Absent when the stand was refused before it had one. */
  readonly node?: string;
  /** Why this node. */
  readonly placement?: string;
  readonly vms: readonly PlannedVm[];
  readonly bridges: readonly PlannedBridge[];
  /** Set: nothing is done for this stand, and the run ends "partial". */
  readonly refused?: Refusal;
  /** Differences that deploy reports and leaves alone. */
  readonly notes: readonly string[];
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** One node in a plan that is about nodes instead of stands. */
export interface PlannedNode {
  readonly node: string;
  /** Set: nothing is done on this node, and the run ends "partial". */
  readonly refused?: Refusal;
  /** What stays as it is, and why. */
  readonly notes: readonly string[];
}

export interface Plan {
  readonly version: 1;
  readonly command: 'deploy' | 'cleanup' | 'bridges' | 'users' | 'templates' | 'balance';
  /** Empty when several labs are concerned. */
  readonly lab: string;
  /** Of a deploy. */
  readonly strategy?: Strategy;
  /** By which rights of the caller VMs are made and claimed; absent where it was not asked. */
  readonly profile?: 'full' | 'confined';
  /** Topological: a step stands behind all it depends on. */
  readonly steps: readonly Step[];
  readonly stands: readonly PlannedStand[];
  /** Of `bridges` and `templates`: the nodes with something to do or to say, in natural order. */
  readonly nodes?: readonly PlannedNode[];
  /** Of `balance`: loads, and why each guest moves or stays. */
  readonly balance?: BalanceReport;
  readonly preconditions: readonly Precondition[];
  readonly warnings: readonly string[];
}
