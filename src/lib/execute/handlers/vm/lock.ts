/** Waits while another operation (a backup, a snapshot, a migration) holds a VM. Never breaks a lock. */
import { holdHint, holdOn, sayHold, type Hold } from '../../../plan/cluster/locks.ts';
import { isVmLocked } from '../../../proxmox/words.ts';
import { isCloneLock, LOCK, type GuestAt } from '../../../pve-values/guest-kinds.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo, StepOutcome } from '../../types.ts';

export interface Patience extends GuestAt {
  /** Absent: it is not waited for. */
  readonly lockWaitSeconds?: number;
  /** That its memory is on disk keeps nobody from the work. */
  readonly mayHibernate?: true;
}

const FIRST_POLL = 2000;
const LONGEST_POLL = 5000;

/** A rest that no operation of PVE will ever take care of. `why` reads on after "VM 1 on pve1". */
export function zombie(vm: GuestAt, why: string): StepError {
  return new StepError('ZOMBIE_VM', `VM ${vm.vmid} on ${vm.node} ${why}; only root can remove it`, {
    hint: `${holdHint(vm, { kind: 'removed' })}, then run again`,
  });
}

function heldError(vm: GuestAt, hold: Hold): StepError {
  const code = hold.kind === 'hibernated' ? 'VM_HIBERNATED' : 'VM_LOCKED';
  return new StepError(code, `VM ${vm.vmid} on ${vm.node} ${sayHold(hold)}`, {
    hint: `${holdHint(vm, hold)}; then run again`,
  });
}

/** No operation holds it, so that waiting ends nothing. */
export function unlessHibernated(vm: GuestAt, lock: string | undefined): void {
  const hold = lock === undefined ? undefined : holdOn(vm, lock);
  if (hold?.kind === 'hibernated') throw heldError(vm, hold);
}

/** The lock did not go: who has it, or that nobody does. */
export async function lockError(vm: GuestAt, lock: string, io: StepIo): Promise<StepError> {
  const tasks = await io.pve.tasks(vm.node, { source: 'active' }, io.signal);
  const hold = holdOn(
    vm,
    lock,
    tasks.map(({ type, id }) => ({ node: vm.node, type, id })),
  );
  if (hold.kind === 'stale' && isCloneLock(lock))
    return zombie(vm, 'is the rest of a failed clone (lock: clone)');
  return heldError(vm, hold);
}

/** Ends when the lock is gone, is one that never goes, or the VM is. */
async function outwait(patience: Patience, io: StepIo, deadline: number): Promise<void> {
  for (let poll = FIRST_POLL; ; poll = Math.min(poll * 1.5, LONGEST_POLL)) {
    const lock = (await io.pve.guestConfig(patience, io.signal))?.['lock'];
    if (lock === LOCK.destroyed || (lock === LOCK.suspended && patience.mayHibernate)) return;
    unlessHibernated(patience, lock);
    if (lock !== undefined && io.clock.now() + poll > deadline) throw await lockError(patience, lock, io);
    await io.clock.sleep(poll, io.signal);
    if (lock === undefined) return;
  }
}

/** Carries `act` out, and once more after each lock that it meets: it says `locked`, or PVE does. */
export async function patiently(
  patience: Patience,
  io: StepIo,
  act: () => Promise<StepOutcome | 'locked'>,
): Promise<StepOutcome> {
  const deadline = io.clock.now() + (patience.lockWaitSeconds ?? 0) * 1000;
  for (;;) {
    try {
      const outcome = await act();
      if (outcome !== 'locked') return outcome;
    } catch (error) {
      if (!isVmLocked(error)) throw error;
    }
    await io.stepAside(() => outwait(patience, io, deadline));
  }
}
