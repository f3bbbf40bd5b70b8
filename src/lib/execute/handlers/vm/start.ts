/** Starts a VM. A VM that runs is left as it is. */
import { isAlreadyRunning } from '../../../proxmox/words.ts';
import { attempt, awaitTask } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { outliveTasks } from '../outlive-tasks.ts';

export const startVm: Handler<'vm.start'> = (step, io) => {
  const { node, vmid, pool } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      await io.ownership.assertOurs({ vmid, pool });
      try {
        await awaitTask(io, await io.pve.startVm(node, vmid, io.signal));
        return 'done';
      } catch (error) {
        if (!isAlreadyRunning(error)) throw error;
        return 'already-done';
      }
    },
    look: async () => {
      await outliveTasks(io, node, { type: 'qmstart', vmid });
      const { status } = await io.pve.vmStatus(node, vmid, io.signal);
      return status === 'running' ? 'done' : 'absent';
    },
  });
};
