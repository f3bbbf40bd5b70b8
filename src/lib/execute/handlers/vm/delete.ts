/** Removes a VM with its disks and references. Never one that is not the planned one any more, nor under a lock. */
import { LOCK } from '../../../pve-values/guest-kinds.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import {
  diskNotRemoved,
  isBaseInUse,
  isProtected,
  isRootOnly,
  isStillRunning,
  wordsOf,
} from '../../../proxmox/words.ts';
import type { Upid } from '../../../proxmox/types.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { confirmGone, unlessGone } from './gone.ts';
import { holdOn } from '../../../plan/cluster/locks.ts';
import { patiently, zombie } from './lock.ts';

type DeleteStep = StepOf<'vm.delete'>;

/** A removal under another account is not among the tasks that we see; its last phase is one lock timeout long. */
const GRACE_MS = 15_000;
const LOG_LINES = 50;
/** The machines of a stand are removed one after another, a moment apart: one look at their pool serves them. */
const STAND_MS = 1000;
/** After that a seal that was read before proves nothing: the number may be somebody else's by then. */
const LONG_WAIT_MS = 2000;

async function isMember(step: DeleteStep, io: StepIo): Promise<boolean> {
  const pool = await io.pve.pool(step.pool, io.signal);
  return pool?.vmids.includes(step.vmid) ?? false;
}

/** What people can do something about, in words. */
function explain({ node, vmid }: DeleteStep, error: unknown): unknown {
  const says = (code: 'BASE_IN_USE' | 'PROTECTED' | 'STILL_RUNNING', message: string, hint: string) =>
    new StepError(code, `VM ${vmid} on ${node} ${message}`, { hint, cause: error });
  if (isProtected(error))
    return says('PROTECTED', 'is protected', 'add --force-protected to remove it all the same');
  if (isStillRunning(error)) return says('STILL_RUNNING', 'was started meanwhile', 'run the command again');
  if (!isBaseInUse(error)) return error;
  return says('BASE_IN_USE', `has linked clones: ${wordsOf(error)[0] ?? ''}`, 'remove the clones first');
}

/** PVE forgets such a disk with its VM. */
async function assertNoDiskLeft({ node, vmid }: DeleteStep, upid: Upid, io: StepIo): Promise<void> {
  const log = await io.pve.taskLog(upid, LOG_LINES, io.signal);
  const disks = log.flatMap((line) => diskNotRemoved(line) ?? []);
  if (disks.length === 0) return;
  throw new StepError('DISK_LEFT', `VM ${vmid} is removed, but not its disk ${disks.join(', ')}`, {
    hint: `as root on ${node}: ${disks.map((disk) => `\`pvesm free ${disk}\``).join(', ')}; then run again`,
  });
}

async function destroy(step: DeleteStep, io: StepIo): Promise<StepOutcome> {
  const { waitedMs } = await io.removals.turn(io.signal);
  const values = waitedMs > LONG_WAIT_MS ? await io.pve.guestConfig(step, io.signal) : undefined;
  await io.ownership.assertOursNow(step, values, STAND_MS);
  try {
    return await io.removals.remove<StepOutcome>(async () => {
      const upid = await io.pve.deleteVm(step, { purge: true }, io.signal);
      const { warnings } = await awaitTask(io, upid);
      if (warnings) await assertNoDiskLeft(step, upid, io);
      return 'done';
    });
  } catch (error) {
    throw explain(step, error);
  }
}

/** A removal marks its VM so before its last phase; without a task it is what a failed one has left. */
async function outliveRemoval(step: DeleteStep, io: StepIo): Promise<StepOutcome> {
  const { node } = step;
  await io.stepAside(async () => {
    await outliveTasks(io, node, tasksOn(step, 'destroy'));
    await io.clock.sleep(GRACE_MS, io.signal);
  });
  const left = await io.pve.guestConfig(step, io.signal);
  if (!left) return confirmGone(step, io);
  throw zombie(step, 'is the rest of a failed removal (lock: destroyed)');
}

/** A member without a lock shows that it is ours in the shared lists; PVE looks at lock and place again by itself. */
async function destroyOwn(
  step: DeleteStep,
  io: StepIo,
  mayTrustLists: boolean,
): Promise<StepOutcome | 'locked'> {
  if (mayTrustLists && (await io.ownership.isListedOurs(step))) return destroy(step, io);
  const values = await io.pve.guestConfig(step, io.signal);
  if (!values) return confirmGone(step, io);
  if (values['lock'] === LOCK.destroyed) return outliveRemoval(step, io);
  // A hibernated VM is under no operation: PVE removes it with its saved memory (qemu-server QemuServer.pm, destroy_vm).
  const lock = values['lock'];
  if (lock !== undefined && holdOn(step, lock).kind !== 'hibernated') return 'locked';
  await io.ownership.assertOurs(step, values);
  return destroy(step, io);
}

/** A removal that is under way takes its VM out of the pool at its end: between two readings ours can seem to be nobody's. */
async function unlessGoing(step: DeleteStep, io: StepIo, error: unknown): Promise<StepOutcome> {
  if (!(error instanceof StepError) || error.code !== 'NOT_OURS') throw error;
  const values = await io.pve.guestConfig(step, io.signal);
  if (!values) return confirmGone(step, io);
  if (values['lock'] !== LOCK.destroyed) throw error;
  return outliveRemoval(step, io);
}

/** Only root@pam's own ticket may: for everybody else PVE's refusal leaves things as they are. */
async function destroyRest(step: DeleteStep, io: StepIo, error: StepError): Promise<StepOutcome> {
  // Notes and seal went with the configuration: claim and membership are what is left.
  if (!(await isMember(step, io))) throw error;
  if ((await io.ownership.verdict(step)) === 'foreign') throw error;
  try {
    const options = { purge: true, skipLock: true };
    await awaitTask(io, await io.pve.deleteVm(step, options, io.signal));
    return 'done';
  } catch (refusal) {
    throw isRootOnly(refusal) ? error : refusal;
  }
}

export const deleteVm: Handler<'vm.delete'> = (step, io) => {
  let { node } = step;
  let tries = 0;
  const remove = async (here: DeleteStep) => {
    node = here.node;
    try {
      return await patiently(here, io, () =>
        destroyOwn(here, io, (tries += 1) === 1).catch((error: unknown) => unlessGoing(here, io, error)),
      );
    } catch (error) {
      if (!(error instanceof StepError) || error.code !== 'ZOMBIE_VM') throw error;
      return destroyRest(here, io, error);
    }
  };
  return attempt(io, {
    id: step.id,
    act: () => unlessGone(step, io, remove),
    // Each try begins with the look.
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'destroy'));
      return 'absent';
    },
  });
};
