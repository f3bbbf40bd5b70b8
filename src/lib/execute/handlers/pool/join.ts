/**
 * Makes the finished machines of a stand members of its pool, and says so in its claim: one write. From then on membership
 * proves that they are ours. Under the planning lock, since a pool's comment is one text for all its labs.
 */
import { formatPoolComment, mapMachines, parsePoolComment, type PoolMark } from '../../../marks/pool.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { attempt } from '../../retry.ts';
import { orGiveBack } from '../vm/abandoned.ts';
import { bringIn, poolChanged, type Pool } from './members.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';

type JoinStep = StepOf<'pool.join'>;

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
      ? mapMachines(claim, (one) =>
          made.has(one.vmid) ? { machine: one.machine, vmid: one.vmid, state: 'made', seals: [] } : one,
        )
      : claim,
  );
  return formatPoolComment({ ...mark, claims });
}

async function join(step: JoinStep, present: Pool | undefined, io: StepIo): Promise<StepOutcome> {
  const { pool } = step;
  if (!present) throw poolChanged(pool, 'it is gone');
  const mark = parsePoolComment(present.comment);
  const { user } = mark;
  if (user === undefined) throw poolChanged(pool, 'it does not carry our mark');
  const ready = readyIn(step, io);
  await Promise.all(ready.map(({ vmid }) => io.ownership.assertOurs({ vmid, pool })));
  const comment = madeComment({ ...mark, user }, step, new Set(ready.map(({ vmid }) => vmid)));
  return bringIn(pool, present, { comment, vmids: ready.map(({ vmid }) => vmid) }, io);
}

/**
 * `since`: no other run has written claims from that moment on, so that the lists which all joins of a moment share are
 * what there is to change.
 */
async function presentPool(
  { pool }: JoinStep,
  since: number | undefined,
  io: StepIo,
): Promise<Pool | undefined> {
  const listed = since === undefined ? undefined : await io.ownership.pool(pool, since);
  return listed ?? io.pve.pool(pool, io.signal);
}

export const joinPool: Handler<'pool.join'> = (step, io) => {
  let tries = 0;
  return attempt(io, {
    id: step.id,
    act: () => {
      tries += 1;
      const isFirst = tries === 1;
      const clones = readyIn(step, io).map(({ vmid }) => ({ vmid, pool: step.pool }));
      return orGiveBack(clones, io, () =>
        io.exclusively(async (since) =>
          // After an answer that was lost, the lists may be from before the write.
          join(step, await presentPool(step, isFirst ? since : undefined, io), io),
        ),
      );
    },
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
