/**
 * Takes machines that are gone out of the claim of their stand. Under the planning lock, since a pool's comment is one text
 * for all its labs. Never drops the claim of a VM that exists.
 */
import { formatPoolComment, makeClaim, parsePoolComment } from '../../../marks/pool.ts';
import { formatVmids } from '../../../marks/vmid-ranges.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { usedIds } from './claim-use.ts';
import { poolChanged } from './members.ts';

type LeaveStep = StepOf<'pool.leave'>;

async function leave({ pool, lab, machines }: LeaveStep, io: StepIo): Promise<StepOutcome> {
  const present = await io.pve.pool(pool, io.signal);
  if (!present) return 'already-done';
  const mark = parsePoolComment(present.comment);
  const { user } = mark;
  if (user === undefined) throw poolChanged(pool, 'it does not carry our mark');
  const isLeaving = (one: { readonly machine: string; readonly vmid: number }): boolean =>
    machines.some(({ machine, vmid }) => one.machine === machine && one.vmid === vmid);
  const leaving = mark.claims
    .filter((claim) => claim.lab === lab)
    .flatMap((claim) => claim.machines.filter(isLeaving).map(({ vmid }) => vmid));
  if (leaving.length === 0) return 'already-done';
  const used = await usedIds(pool, leaving, io);
  if (used.length > 0) {
    throw new StepError('CLAIM_IN_USE', `pool ${pool} still has VMs of the lab: ${formatVmids(used)}`, {
      hint: 'run the command again: it plans anew from what is there',
    });
  }
  const claims = mark.claims.map((claim) =>
    claim.lab === lab
      ? makeClaim({ ...claim, machines: claim.machines.filter((one) => !isLeaving(one)) })
      : claim,
  );
  const comment = formatPoolComment({ ...mark, user, claims });
  await io.pve.updatePool(pool, { comment }, io.signal);
  io.ownership.wrote(pool, comment);
  return 'done';
}

export const leavePool: Handler<'pool.leave'> = (step, io) =>
  attempt(io, {
    id: step.id,
    act: () => io.exclusively(() => leave(step, io)),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
