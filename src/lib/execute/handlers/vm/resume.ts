/** Lets a suspended VM go on. A VM that runs is left as it is. */
import { isAlreadyRunning, isNotRunning } from '../../../proxmox/words.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { hereOrMoved } from './gone.ts';
import { patiently } from './lock.ts';
import { hasPower } from './power.ts';

export const resumeVm: Handler<'vm.resume'> = (step, io) => {
  const { node, vmid } = step;
  const resume = async () => {
    await io.ownership.assertOurs(step);
    try {
      await awaitTask(io, await io.pve.resumeVm(step, io.signal));
      return 'done';
    } catch (error) {
      if (isAlreadyRunning(error)) return 'already-done';
      if (!isNotRunning(error)) throw error;
      throw new StepError(
        'NOT_SUSPENDED',
        `VM ${vmid} on ${node} is off by now: there is nothing to resume`,
        {
          hint: 'power start starts it',
          cause: error,
        },
      );
    }
  };
  return attempt(io, {
    id: step.id,
    act: () => hereOrMoved(step, io, () => patiently({ ...step, mayHibernate: true }, io, resume)),
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'resume'));
      return hasPower(await io.pve.vmStatus(step, io.signal), 'running') ? 'done' : 'absent';
    },
  });
};
