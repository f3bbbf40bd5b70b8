/** Takes a snapshot of a VM. Never replaces one of the same name. */
import { isSnapshotNameUsed } from '../../../proxmox/words.ts';
import { attempt, awaitTask } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { outliveTasks } from '../outlive-tasks.ts';

export const snapshotVm: Handler<'vm.snapshot'> = (step, io) => {
  const { node, vmid, pool, snapshot } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      await io.ownership.assertOurs({ vmid, pool });
      try {
        await awaitTask(io, await io.pve.snapshotVm(node, vmid, snapshot, io.signal));
        return 'done';
      } catch (error) {
        if (!isSnapshotNameUsed(error)) throw error;
        return 'already-done';
      }
    },
    look: async () => {
      await outliveTasks(io, node, { type: 'qmsnapshot', vmid });
      return (await io.pve.snapshots(node, vmid, io.signal)).includes(snapshot) ? 'done' : 'absent';
    },
  });
};
