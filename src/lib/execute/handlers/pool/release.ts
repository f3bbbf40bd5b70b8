/** Takes a lab's claim out of a pool: comment and members in one write. Never drops the claim of a VM that exists. */
import type { StepOf } from '../../../plan/document/step.ts';
import { formatVmids } from '../../../marks/vmid-ranges.ts';
import { notPoolMember } from '../../../proxmox/words.ts';
import type { PveApi } from '../../../proxmox/types.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { claimedIn, usedIds } from './claim-use.ts';

type Pool = NonNullable<Awaited<ReturnType<PveApi['pool']>>>;

async function assertUnused(
  { pool, comment }: StepOf<'pool.release'>,
  present: Pool,
  io: StepIo,
): Promise<void> {
  const kept = new Set(claimedIn(comment));
  const used = await usedIds(
    pool,
    claimedIn(present.comment).filter((vmid) => !kept.has(vmid)),
    io,
  );
  if (used.length === 0) return;
  throw new StepError('CLAIM_IN_USE', `pool ${pool} still has VMs of the lab: ${formatVmids(used)}`, {
    hint: 'run the command again: it plans anew from what is there',
  });
}

export const releasePool: Handler<'pool.release'> = (step, io) => {
  const { pool, comment } = step;
  let vmids = step.removeVmids;
  const release = async (): Promise<StepOutcome> => {
    const present = await io.pve.pool(pool, io.signal);
    if (!present) return 'already-done';
    await assertUnused(step, present, io);
    await io.assertNobodyPlanned();
    while (vmids.length > 0 || present.comment.trim() !== comment.trim()) {
      try {
        await io.pve.updatePool(pool, { comment, removeVmids: vmids }, io.signal);
        return 'done';
      } catch (error) {
        const refused = notPoolMember(error);
        if (refused === undefined || !vmids.includes(refused)) throw error;
        // PVE takes a VM that is removed out of its pool, and lists no others: only its refusal tells which are left.
        vmids = vmids.filter((vmid) => vmid !== refused);
      }
    }
    return 'already-done';
  };
  return attempt(io, {
    id: step.id,
    act: release,
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
