/** Starts a VM. A VM that runs is left as it is. */
import { isAlreadyRunning } from '../../../proxmox/words.ts';
import { attempt, awaitTask } from '../../retry.ts';
import type { Handler, StepOutcome } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { hereOrMoved } from './gone.ts';
import { hasPower, isWishOfHa, untilRunning } from './power.ts';
import { patiently } from './lock.ts';

export const startVm: Handler<'vm.start'> = (step, io) => {
  const { node } = step;
  const start = async (): Promise<StepOutcome> => {
    await io.ownership.assertOurs(step);
    try {
      const upid = await io.pve.startVm(step, io.signal);
      await awaitTask(io, upid);
      if (isWishOfHa(upid)) await untilRunning(step, io);
      return 'done';
    } catch (error) {
      if (!isAlreadyRunning(error)) throw error;
      return 'already-done';
    }
  };
  return attempt(io, {
    id: step.id,
    act: () =>
      hereOrMoved(step, io, () =>
        step.lockWaitSeconds === undefined ? start() : patiently({ ...step, mayHibernate: true }, io, start),
      ),
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'start'));
      return hasPower(await io.pve.vmStatus(step, io.signal), 'running') ? 'done' : 'absent';
    },
  });
};
