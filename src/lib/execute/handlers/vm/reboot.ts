/** Shuts a guest down and starts it again. A VM that is off is left off. */
import { isNotRunning, isShutdownIgnored } from '../../../proxmox/words.ts';
import { spanText } from '../../../pve-values/moment.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { hereOrMoved } from './gone.ts';
import { patiently } from './lock.ts';
import { isSeen, stillWaiting, type VmPower } from './power.ts';

interface Seen {
  readonly at: number;
  readonly uptime: number;
}

/** Has it been off since? Uptimes are whole seconds. */
function isReborn(now: VmPower, { at, uptime }: Seen, io: StepIo): boolean {
  if (now.status !== 'running') return false;
  return (now.uptime ?? 0) + 1 < uptime + (io.clock.now() - at) / 1000;
}

export const rebootVm: Handler<'vm.reboot'> = (step, io) => {
  const { node, vmid, timeoutSeconds: timeout } = step;
  const look = () => io.pve.vmStatus(step, io.signal);
  let before: Seen | undefined;
  const reboot = async () => {
    await io.ownership.assertOursNow(step);
    const { status, uptime = 0 } = await look();
    if (status !== 'running') return 'already-done';
    const seen = (before ??= { at: io.clock.now(), uptime });
    try {
      await awaitTask(io, await io.pve.rebootVm(step, { timeout }, io.signal));
    } catch (error) {
      if (isNotRunning(error)) return 'already-done';
      if (!isShutdownIgnored(error)) throw error;
      throw new StepError(
        'SHUTDOWN_IGNORED',
        `VM ${vmid} on ${node} did not shut down within ${spanText(timeout)}`,
        {
          hint: `it runs on as it was; power stop, then power start, is the way that asks no guest`,
          cause: error,
        },
      );
    }
    // The task ends with the shutdown; qmeventd starts it again.
    if (!(await isSeen(step, (now) => isReborn(now, seen, io), io)))
      throw await stillWaiting(step, 'was shut down for its reboot, but is not up', io);
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => hereOrMoved(step, io, () => patiently(step, io, reboot)),
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'reboot'));
      return before && isReborn(await look(), before, io) ? 'done' : 'absent';
    },
  });
};
