/**
 * Makes the finished machines of a stand members of its pool, and says so in its claim: one write. From then on membership
 * proves that they are ours. Under the planning lock, since a pool's comment is one text for all its labs.
 */
import { formatPoolComment, mapMachines, parsePoolComment, type PoolMark } from '../../marks/pool.ts';
import type { StepOf } from '../../plan/document/step.ts';
import { attempt } from '../retry.ts';
import { StepError } from '../step-error.ts';
import { refusedVmid } from './pool-refusal.ts';
import type { Handler, StepIo, StepOutcome } from '../types.ts';

type JoinStep = StepOf<'pool.join'>;

function changed(pool: string, what: string): StepError {
  return new StepError('NOT_OURS', `pool ${pool} was changed meanwhile: ${what}`, {
    hint: 'run the command again: it plans anew from what is there',
  });
}

/** The machines that were made: all others stay reserved. */
function readyIn({ machines }: JoinStep, io: StepIo): JoinStep['machines'] {
  return machines.filter(({ madeBy }) => madeBy === undefined || !io.isUndone(madeBy));
}

function madeComment(
  mark: PoolMark & { readonly user: string },
  { lab }: JoinStep,
  made: ReadonlySet<number>,
): string {
  const claims = mark.claims.map((claim) =>
    claim.lab === lab
      ? mapMachines(claim, (one) => (made.has(one.vmid) ? { ...one, state: 'made', seals: [] } : one))
      : claim,
  );
  return formatPoolComment({ ...mark, claims });
}

async function join(step: JoinStep, io: StepIo): Promise<StepOutcome> {
  const { pool } = step;
  const present = await io.pve.pool(pool, io.signal);
  if (!present) throw changed(pool, 'it is gone');
  const mark = parsePoolComment(present.comment);
  const { user } = mark;
  if (user === undefined) throw changed(pool, 'it does not carry our mark');
  const ready = readyIn(step, io);
  await Promise.all(ready.map(({ vmid }) => io.ownership.assertOurs({ vmid, pool })));
  const comment = madeComment({ ...mark, user }, step, new Set(ready.map(({ vmid }) => vmid)));
  const members = new Set(present.vmids);
  const addVmids = ready.map(({ vmid }) => vmid).filter((vmid) => !members.has(vmid));
  if (addVmids.length === 0 && comment.trim() === present.comment.trim()) return 'already-done';
  try {
    await io.pve.updatePool(pool, { comment, addVmids }, io.signal);
  } catch (error) {
    const refused = refusedVmid(error);
    if (refused?.pool === undefined) throw error;
    throw changed(pool, `VM ${refused.vmid} was put into pool ${refused.pool}`);
  }
  io.ownership.wrote(pool, comment, addVmids);
  return 'done';
}

export const joinPool: Handler<'pool.join'> = (step, io) =>
  attempt(io, {
    id: step.id,
    act: () => io.exclusively(() => join(step, io)),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
