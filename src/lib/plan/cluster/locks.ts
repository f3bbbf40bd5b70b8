/** What the `lock` of a VM means: a state of it, an operation under way, or the rest of one. The one place that tells them apart. */
import { privilegesOn } from '../../inventory/rights.ts';
import type { Inventory, RunningTask } from '../../inventory/types.ts';
import { asRoot, destroyLockedCommand, guestCommand } from '../../pve-values/admin-commands.ts';
import {
  guestTasks,
  LOCK,
  MIGRATIONS,
  ourTasks,
  taskType,
  type GuestAt,
} from '../../pve-values/guest-kinds.ts';

export type Hold =
  /** `suspended`: its memory is on disk. No operation is under way; it starts, and it can be removed. */
  | { readonly kind: 'hibernated' }
  /** `destroyed`, and no removal of it is to be seen: what a failed one left. */
  | { readonly kind: 'removed' }
  | { readonly kind: 'operation'; readonly lock: string; readonly task: string }
  /** No task of it is to be seen: nobody will take it away. */
  | { readonly kind: 'stale'; readonly lock: string }
  /** Nobody looked at the tasks. */
  | { readonly kind: 'unknown'; readonly lock: string };

/** Who does not see the tasks of others cannot tell what is under way from what was left behind. `rights` absent: sees all. */
export function seesTasks({ rights }: Pick<Inventory, 'rights'>): boolean {
  return rights === undefined || privilegesOn(rights, '/nodes')['Sys.Audit'] === true;
}

/**
 * Is any clone under way? The id of its task is the template's: it may be of whichever machine. Undefined: none is to be
 * seen, and somebody else's may be.
 */
export function isAnyCloning({ tasks, rights }: Pick<Inventory, 'tasks' | 'rights'>): boolean | undefined {
  if (tasks.some(({ type }) => ourTasks('clone').includes(type))) return true;
  return seesTasks(rights === undefined ? {} : { rights }) ? false : undefined;
}

/** Tasks that take each lock (qemu-server, pve-container, pve-guest-common). */
const TASKS: ReadonlyMap<string, readonly string[]> = new Map([
  [LOCK.backup, ['vzdump']],
  [LOCK.clone, [...guestTasks('clone'), taskType('create', 'lxc')]],
  [LOCK.destroyed, guestTasks('destroy')],
  [LOCK.create, guestTasks('create', 'restore')],
  [LOCK.migrate, MIGRATIONS],
  [LOCK.rollback, guestTasks('rollback')],
  [LOCK.snapshot, guestTasks('snapshot')],
  [LOCK.snapshotDelete, guestTasks('delsnapshot')],
  [LOCK.suspending, [taskType('suspend', 'qemu')]],
]);

/** A clone is filed under its template's id, a backup of several under none: any of them on the node may be this one. */
const NAMELESS = [...guestTasks('clone'), 'vzdump'];

function taskOf({ vmid, node }: GuestAt, lock: string, tasks: readonly RunningTask[]): string | undefined {
  const types = TASKS.get(lock);
  return tasks.find(
    (task) =>
      (types === undefined || types.includes(task.type)) &&
      (task.id === String(vmid) || (NAMELESS.includes(task.type) && task.node === node)),
  )?.type;
}

/** A lock that is a state of the VM: it outlasts the task that set it. */
export function isLasting(lock: string): boolean {
  return lock === LOCK.suspended;
}

/** `tasks`: those under way, on all nodes or at least on the VM's; absent: not known. */
export function holdOn(vm: GuestAt, lock: string, tasks?: readonly RunningTask[]): Hold {
  if (isLasting(lock)) return { kind: 'hibernated' };
  const task = tasks && taskOf(vm, lock, tasks);
  if (lock === LOCK.destroyed && task === undefined) return { kind: 'removed' };
  if (!tasks) return { kind: 'unknown', lock };
  return task === undefined ? { kind: 'stale', lock } : { kind: 'operation', lock, task };
}

function unlock(vm: GuestAt): string {
  return asRoot(vm, guestCommand(vm, 'unlock'));
}

/** After "VM 1 on pve1". */
export function sayHold(hold: Hold): string {
  if (hold.kind === 'hibernated') return `is hibernated (lock: ${LOCK.suspended})`;
  if (hold.kind === 'removed') return `is the rest of a failed removal (lock: ${LOCK.destroyed})`;
  if (hold.kind === 'operation' && hold.lock === LOCK.destroyed) return 'is being removed';
  return `is locked (${hold.lock})`;
}

/** What to do about it, without "then run again". */
export function holdHint(vm: GuestAt, hold: Hold): string {
  switch (hold.kind) {
    case 'hibernated':
      // While it is protected PVE does not let its saved memory go, either (check_protection).
      return `start VM ${vm.vmid}, or ${unlock(vm)}`;
    case 'removed':
      return asRoot(vm, destroyLockedCommand(vm));
    case 'operation':
      return `task ${hold.task} holds it: wait until it has ended`;
    case 'stale':
      return `no task of it is to be seen on ${vm.node}; unless somebody else's holds it, ${unlock(vm)}`;
    case 'unknown':
      return `wait for the operation that holds it; if none is running, ${unlock(vm)}`;
  }
}
