/** Asks a guest to shut down. A VM that is off, or gone, is left as it is. */
import { isShutdownIgnored } from '../../../proxmox/words.ts';
import { spanText } from '../../../pve-values/moment.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { unlessGonePatiently } from './gone.ts';
import { isWishOfHa, stillWaiting, untilOff } from './power.ts';

export const shutdownVm: Handler<'vm.shutdown'> = (step, io) => {
  let { node } = step;
  const { vmid, timeoutSeconds: timeout, force } = step;
  const shutdown = async (here: typeof step) => {
    node = here.node;
    const send = async () => {
      await io.ownership.assertOursNow(here);
      const upid = await io.pve.shutdownVm(here, { timeout, force }, io.signal);
      await awaitTask(io, upid);
      return upid;
    };
    try {
      const upid = await send();
      const late = { afterMs: timeout * 1000, again: send };
      const seen = isWishOfHa(upid) ? await untilOff(here, io, late) : 'done';
      if (seen) return seen;
      throw await stillWaiting(here, 'was to be stopped, but runs on', io);
    } catch (error) {
      if (!isShutdownIgnored(error)) throw error;
      throw new StepError(
        'SHUTDOWN_IGNORED',
        `VM ${vmid} on ${node} did not shut down within ${spanText(timeout)}`,
        {
          hint: 'run again with --force, which cuts the power of those that do not obey',
          cause: error,
        },
      );
    }
  };
  return attempt(io, {
    id: step.id,
    act: () => unlessGonePatiently(step, io, shutdown),
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'shutdown'));
      return (await io.pve.vmStatus({ ...step, node }, io.signal)).status === 'stopped' ? 'done' : 'absent';
    },
  });
};
