/** Writes a claim: the comment of a pool that is there. Of its members those leave that are made anew, in the same write. */
import type { StepOf } from '../../../plan/document/step.ts';
import { sealed } from './sealed.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo } from '../../types.ts';

/** What was there before us becomes ours only as it was seen. A former try may have written the claim. */
async function assertSeen(
  { pool, takeOver }: StepOf<'pool.update'>,
  comment: string,
  io: StepIo,
): Promise<void> {
  if (!takeOver) return;
  const present = await io.pve.pool(pool, io.signal);
  const members = new Set(present?.vmids);
  const missing = takeOver.vmids.filter((vmid) => !members.has(vmid));
  const known = [takeOver.comment.trim(), comment.trim()];
  if (present && known.includes(present.comment.trim()) && missing.length === 0) return;
  const what =
    missing.length > 0
      ? `VM ${missing.join(', ')} is no member any more`
      : 'its comment is not the planned one';
  throw new StepError('NOT_OURS', `pool ${pool} was changed meanwhile: ${present ? what : 'it is gone'}`, {
    hint: 'run the command again: it plans anew from what is there',
  });
}

export const updatePool: Handler<'pool.update'> = (step, io) => {
  const comment = sealed(step.comment, io);
  const { pool, leave = [] } = step;
  const noteWritten = (): void => io.ownership.wrote(pool, comment, { left: leave });
  const claim = async (): Promise<'done'> => {
    await assertSeen(step, comment, io);
    await Promise.all(leave.map((vmid) => io.ownership.assertOursNow({ vmid, pool })));
    await io.assertNobodyPlanned();
    await io.pve.updatePool(pool, { comment, removeVmids: leave }, io.signal);
    noteWritten();
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: claim,
    look: async () => {
      const pools = await io.pve.pools(io.signal);
      const mine = pools.find(({ pool }) => pool === step.pool);
      if (mine?.comment.trim() !== comment.trim()) return 'absent';
      noteWritten();
      return 'done';
    },
  });
};
