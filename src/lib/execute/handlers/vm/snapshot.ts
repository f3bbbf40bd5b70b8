/** Takes and deletes snapshots of VMs. Never replaces one, nor deletes one that is not ours. */
import type { GuestAt } from '../../../pve-values/guest-kinds.ts';
import { isOurs } from '../../../plan/stands/snapshots.ts';
import type { SnapshotRow } from '../../../proxmox/types.ts';
import { isNoSuchSnapshot, isSnapshotNameUsed } from '../../../proxmox/words.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { hereOrMoved } from './gone.ts';
import { patiently } from './lock.ts';

interface Named extends GuestAt {
  readonly snapshot: string;
}

async function findSnapshot(named: Named, io: StepIo): Promise<SnapshotRow | undefined> {
  return (await io.pve.snapshots(named, io.signal)).find(({ name }) => name === named.snapshot);
}

function notOurs({ node, vmid, snapshot }: Named): StepError {
  return new StepError(
    'SNAPSHOT_NOT_OURS',
    `snapshot ${snapshot} of VM ${vmid} on ${node} was not taken by us; it is left alone`,
    { hint: 'choose another name, or let its owner delete it' },
  );
}

export const snapshotVm: Handler<'vm.snapshot'> = (step, io) => {
  const { node, vmid, snapshot, description } = step;
  const wanted = { snapshot, description, withMemory: step.withMemory === true };
  const take = async (): Promise<StepOutcome> => {
    await io.ownership.assertOurs(step);
    try {
      await awaitTask(io, await io.pve.snapshotVm(step, wanted, io.signal));
      return 'done';
    } catch (error) {
      if (!isSnapshotNameUsed(error)) throw error;
      const there = await findSnapshot(step, io);
      if (there && isOurs(there, vmid)) return 'already-done';
      throw notOurs(step);
    }
  };
  return attempt(io, {
    id: step.id,
    act: () => hereOrMoved(step, io, () => patiently(step, io, take)),
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'snapshot'));
      const there = await findSnapshot(step, io);
      return there && isOurs(there, vmid) ? 'done' : 'absent';
    },
  });
};

export const deleteSnapshot: Handler<'vm.snapshot.delete'> = (step, io) => {
  const { node, vmid, snapshot } = step;
  const remove = async (): Promise<StepOutcome> => {
    await io.ownership.assertOursNow(step);
    const there = await findSnapshot(step, io);
    if (!there) return 'already-done';
    if (!isOurs(there, vmid)) throw notOurs(step);
    try {
      await awaitTask(io, await io.pve.deleteSnapshot(step, snapshot, io.signal));
      return 'done';
    } catch (error) {
      if (!isNoSuchSnapshot(error)) throw error;
      return 'already-done';
    }
  };
  return attempt(io, {
    id: step.id,
    act: () => hereOrMoved(step, io, () => patiently(step, io, remove)),
    // Each try begins with the look.
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'delsnapshot'));
      return 'absent';
    },
  });
};
