/** Removes an empty pool of ours. Never one whose comment is not the planned one. */
import { isNotFound, poolContents } from '../../../proxmox/words.ts';
import { formatVmids } from '../../../marks/vmid-ranges.ts';
import { claimedIn, usedIds } from './claim-use.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';

export const deletePool: Handler<'pool.delete'> = (step, io) => {
  const { pool, comment } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      // The lists may be of a moment before: what they do not show, or show otherwise, is asked for by itself.
      const listed = await io.ownership.pool(pool);
      const isPlanned = listed?.comment.trim() === comment.trim();
      const present = isPlanned ? listed : await io.pve.pool(pool, io.signal);
      if (!present) return 'already-done';
      if (present.comment.trim() !== comment.trim()) {
        throw new StepError(
          'NOT_OURS',
          `pool ${pool} was changed meanwhile: its comment is not the planned one`,
          {
            hint: 'run the command again: it plans anew from what is there',
          },
        );
      }
      const used = await usedIds(pool, claimedIn(present.comment), io);
      if (used.length > 0) {
        throw new StepError(
          'CLAIM_IN_USE',
          `pool ${pool} stays: it claims VMs that are there: ${formatVmids(used)}`,
          {
            hint: 'run the command again: it plans anew from what is there',
          },
        );
      }
      try {
        await io.pve.deletePool(pool, io.signal);
        return 'done';
      } catch (error) {
        if (isNotFound(error)) return 'already-done';
        const what = poolContents(error);
        if (what === undefined) throw error;
        throw new StepError('POOL_NOT_EMPTY', `pool ${pool} stays: it contains ${what}`, {
          // Storages, and pools that the caller may not see, are in no plan.
          hint: `take ${what} out of it, or remove it, then run the command again`,
          cause: error,
        });
      }
    },
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
