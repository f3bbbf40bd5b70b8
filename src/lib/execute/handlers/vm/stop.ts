/** Cuts a VM's power. A VM that is stopped, or gone, is left as it is. */
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { unlessGonePatiently } from './gone.ts';
import { SEE_HA, unfulfilled, untilOff } from './power.ts';

export const stopVm: Handler<'vm.stop'> = (step, io) => {
  let { node } = step;
  const { vmid } = step;
  const stop = async (here: typeof step) => {
    node = here.node;
    const isOff = async () => (await io.pve.vmStatus(here, io.signal)).status === 'stopped';
    const send = async () => {
      await io.ownership.assertOursNow(here);
      await awaitTask(io, await io.pve.stopVm(here, io.signal));
    };
    if (await isOff()) return 'already-done';
    await send();
    // Under HA the task ends as soon as the wish is noted.
    if (await isOff()) return 'done';
    const seen = await untilOff(here, io, { again: send });
    if (seen) return seen;
    const error = new StepError('STILL_RUNNING', `VM ${vmid} on ${node} was told to stop, but runs on`, {
      hint: SEE_HA,
    });
    throw await unfulfilled(here, error, io);
  };
  return attempt(io, {
    id: step.id,
    act: () => unlessGonePatiently(step, io, stop),
    // Each try begins with the look.
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'stop'));
      return 'absent';
    },
  });
};
