/** Writes a VM's memory to disk and ends its process, or halts it in memory. A VM that is off is left as it is. */
import { isNotRunning } from '../../../proxmox/words.ts';
import { attempt, awaitTask } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { hereOrMoved } from './gone.ts';
import { patiently } from './lock.ts';
import { hasPower } from './power.ts';

export const suspendVm: Handler<'vm.suspend'> = (step, io) => {
  const { node, storage } = step;
  const suspend = async () => {
    await io.ownership.assertOursNow(step);
    try {
      await awaitTask(io, await io.pve.suspendVm(step, storage, io.signal));
      return 'done';
    } catch (error) {
      if (!isNotRunning(error)) throw error;
      return 'already-done';
    }
  };
  return attempt(io, {
    id: step.id,
    // One that a former run has begun to suspend is under a lock until it is.
    act: () => hereOrMoved(step, io, () => patiently({ ...step, mayHibernate: true }, io, suspend)),
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'suspend'));
      const now = await io.pve.vmStatus(step, io.signal);
      return hasPower(now, storage === undefined ? 'paused' : 'suspended') ? 'done' : 'absent';
    },
  });
};
