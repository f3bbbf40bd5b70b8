/** Steps on VMs. Payloads only; "Fail:" says what is left behind, and how it is mended. */
import type { Nic } from '../../../pve-values/nics.ts';
import type { OursAt } from './place.ts';

/**
 * `adopted`: of the older tool, which claimed nothing; that it is a member of the pool is what makes it ours.
 * `member`: made in the pool by its own user, and `--include-members` was given; still a member, and still claimed by nobody,
 * is what has to be true. `halfMade`: an orphan; that it has not joined its pool meanwhile is.
 */
export interface RemovedAs {
  readonly adopted?: true;
  readonly member?: true;
  readonly halfMade?: true;
}

export interface VmSteps {
  /**
   * `node`: of the template, where the task lives; `vmid`: of the new VM, which is of the template's kind. Fail: PVE rolls the
   * clone back; the claim stays and the id is used again.
   */
  'vm.clone': OursAt & {
    /** Node of the new VM; differs from `node` only on shared storage. */
    readonly target: string;
    readonly templateVmid: number;
    readonly name: string;
    /** The mark, without `spec=`; its seal is drawn while it is cloned. */
    readonly description: string;
    readonly full: boolean;
    readonly storage?: string;
    /**
     * Of a confined caller, and where a seal alone could be forged: it joins the pool at the end of its clone. Else
     * `pool.join` makes it a member.
     */
    readonly joinsAtOnce?: true;
    /** A former run has begun to clone it: its end is waited for, and no second clone is made. */
    readonly isUnderWay?: true;
    /** Storages whose locks the clone takes: `shared:<id>` or `<node>:<id>`. */
    readonly locks: readonly string[];
  };
  /**
   * Writes our mark into the notes of a VM that was not made by us, and changes nothing else. Only while it is a member of
   * the pool and its notes are those that the planner saw. Fail: claimed, but unmarked. Run again.
   */
  'vm.mark': OursAt & {
    readonly description: string;
    readonly newDescription: string;
  };
  /**
   * Writes our mark with a seal that is drawn now into the notes of a VM of ours that is cloned anew: between leaving its
   * pool and its removal nothing else proves that it is ours. Fail: as before. Run the command again.
   */
  'vm.seal': OursAt & {
    /** The mark, without its seal. */
    readonly description: string;
    readonly lockWaitSeconds: number;
  };
  /**
   * One PUT: NICs (the complete set but for `keptNics`; others are removed), options and the mark with `spec=`. Fail: the VM has no
   * `spec` and is configured again by the next run.
   */
  'vm.configure': OursAt & {
    readonly description: string;
    readonly nics: readonly Nic[];
    /** Indices of cards that stay as they are, of a machine of the older tool. */
    readonly keptNics?: readonly number[];
    /** Plain config keys → values, e.g. `{ cores: '2', onboot: '0' }`. */
    readonly options: Readonly<Record<string, string>>;
    /** Added to the tags the VM has. */
    readonly tags: readonly string[];
    /** Config keys to delete, NICs aside. */
    readonly remove: readonly string[];
    /** Machine whose cloud-init password the handler has to add. */
    readonly secret?: { readonly machine: string };
  };
  /**
   * With our mark as its description; one of that name that is not ours is left alone. Fail: no snapshot; of a deploy, no
   * access for the student yet. Run again.
   */
  'vm.snapshot': OursAt & {
    readonly snapshot: string;
    readonly description: string;
    /** With the memory of the VM, which runs. */
    readonly withMemory?: true;
    readonly lockWaitSeconds?: number;
  };
  /** Only one with our mark; its state goes into the next one. Fail: it stays. Run the command again. */
  'vm.snapshot.delete': OursAt & {
    readonly snapshot: string;
    readonly lockWaitSeconds: number;
  };
  /**
   * Puts disks and configuration back; what runs is stopped by it. `bridges`: all that the snapshot may name, since PVE asks
   * for no right on them. `power`: `keep` switches it on again where it ran. Fail: PVE says how far it came. Run the command again.
   */
  'vm.rollback': OursAt & {
    readonly snapshot: string;
    readonly bridges: readonly string[];
    readonly power: 'keep' | 'start';
    readonly lockWaitSeconds: number;
  };
  /** Fail: the VM is stopped. Run again. `lockWaitSeconds`: of `power`; absent, a locked VM fails at once. */
  'vm.start': OursAt & {
    readonly lockWaitSeconds?: number;
  };
  /**
   * Asks the guest to shut down, and waits. `force`: cuts its power when the time is over. Fail with
   * SHUTDOWN_IGNORED: it runs on. Run again with `--force`.
   */
  'vm.shutdown': OursAt & {
    readonly timeoutSeconds: number;
    readonly force: boolean;
    readonly lockWaitSeconds: number;
  };
  /** Shuts the guest down and starts it again, which puts pending changes into force. Fail: it runs on, or is off. */
  'vm.reboot': OursAt & {
    readonly timeoutSeconds: number;
    readonly lockWaitSeconds: number;
  };
  /**
   * With a storage: writes its memory there and ends its process; without: halts its CPUs, and it keeps its memory.
   * Fail: it runs on; a save that broke off may leave `lock: suspending`, which is told with the command.
   */
  'vm.suspend': OursAt & {
    readonly storage?: string;
    readonly lockWaitSeconds: number;
  };
  /** Goes on where it was suspended. Fail: it stays suspended. Run again. */
  'vm.resume': OursAt & {
    /** Its memory is read from disk: a start, as far as its node is concerned. */
    readonly fromDisk: boolean;
    readonly lockWaitSeconds: number;
  };
  /** Hard power-off (a shutdown waits for a guest that may never answer). Fail: it runs on. Run cleanup again. */
  'vm.stop': OursAt &
    RemovedAs & {
      readonly lockWaitSeconds: number;
    };
  /** Lifts the protection flag before a removal that was asked for by name. Fail: still protected. */
  'vm.unprotect': OursAt &
    RemovedAs & {
      readonly lockWaitSeconds: number;
    };
  /** Takes a VM out of HA management. Fail: HA goes on managing it. Run cleanup again. */
  'ha.remove': Omit<OursAt, 'node'> & RemovedAs;
  /**
   * Removes a VM with its disks, jobs and references (`purge`). Waits `lockWaitSeconds` for a backup, snapshot or
   * migration to end. Fail with VM_LOCKED: untouched. A rest with `lock: destroyed` is reported as ZOMBIE_VM.
   */
  'vm.delete': OursAt &
    RemovedAs & {
      readonly lockWaitSeconds: number;
      /** Storages whose locks it takes, as of a clone. Absent: not known. */
      readonly locks?: readonly string[];
    };
  /**
   * Moves a guest; done when it is on `target`, and a container that ran runs there. Fail: it stays where it was, or PVE says "migration problems" and it may
   * be on either node; whoever depends on it is skipped. Run balance again: a stand that is on two nodes is put together.
   */
  'vm.migrate': {
    /** Where it is; the task lives there. */
    readonly node: string;
    readonly target: string;
    readonly vmid: number;
    /** The pool by whose claim it is ours; absent: `guests: all` moves it, whosever it is. */
    readonly pool?: string;
    /** It is no VM; one that runs is shut down, moved, and started again. */
    readonly container?: { readonly restart: boolean };
    /** It runs: live. Never of a container. */
    readonly online: boolean;
    /** It has disks on node-local storage, which are copied. */
    readonly withLocalDisks: boolean;
    /** Local storage here → the one there that takes its disks. Absent: those of the same names. */
    readonly storageMap?: Readonly<Record<string, string>>;
    /** Managed by HA: the task only queues the request. */
    readonly ha: boolean;
    /** HA moves it of its own accord, its node being in maintenance: nothing is sent. */
    readonly awaited?: true;
    /** Keep connection tracking; PVE 9. */
    readonly conntrack: boolean;
    /** KiB/s. */
    readonly bandwidth?: number;
    readonly timeoutSeconds: number;
  };
}
