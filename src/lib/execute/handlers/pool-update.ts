/** Writes a claim: new comment and, for copies of templates, new members in one write. Never moves an id out of another pool. */
import type { StepOf } from '../../plan/document/step.ts';
import { refusedVmid } from './pool-refusal.ts';
import { sealed } from './sealed.ts';
import { attempt } from '../retry.ts';
import { StepError } from '../step-error.ts';
import type { Handler, StepIo } from '../types.ts';

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
  let vmids = step.addVmids;
  const comment = sealed(step.comment, io);
  const claim = async (): Promise<'done'> => {
    await assertSeen(step, comment, io);
    for (;;) {
      try {
        await io.pve.updatePool(step.pool, { comment, addVmids: vmids }, io.signal);
        io.ownership.wrote(step.pool, comment);
        return 'done';
      } catch (error) {
        const refused = refusedVmid(error);
        if (refused === undefined || !vmids.includes(refused.vmid)) throw error;
        if (refused.pool !== undefined) {
          throw new StepError(
            'VMID_TAKEN',
            `VMID ${refused.vmid}, planned for pool ${step.pool}, belongs to pool ${refused.pool} by now`,
            { hint: 'run the command again: the stand gets other numbers', cause: error },
          );
        }
        // The claim of a run that was killed is still there: the rest of the list is what is missing.
        vmids = vmids.filter((vmid) => vmid !== refused.vmid);
      }
    }
  };
  return attempt(io, {
    id: step.id,
    act: claim,
    // All or nothing: with the comment, the members are there too.
    look: async () => {
      const pools = await io.pve.pools(io.signal);
      const mine = pools.find(({ pool }) => pool === step.pool);
      return mine?.comment.trim() === comment.trim() ? 'done' : 'absent';
    },
  });
};
