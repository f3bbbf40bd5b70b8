/**
 * Clones of this run whose claim somebody removed meanwhile (a cleanup beside it): nothing on the cluster tells any more
 * whose they are, and no command would ever find them again. This run knows their seals, and gives them back.
 */
import { StepError } from '../../step-error.ts';
import type { StepIo } from '../../types.ts';
import { awaitTask } from '../../retry.ts';

interface Clone {
  readonly vmid: number;
  /** The pool whose claim names it. */
  readonly pool: string;
  /** Is it made in that pool? */
  readonly joinsAtOnce?: true | undefined;
}

function claimGone(vmids: readonly number[], pool: string, became: string, cause?: unknown): StepError {
  return new StepError(
    'CLAIM_GONE',
    `the claim of VM ${vmids.join(', ')} went from pool ${pool} meanwhile, as a cleanup does: ${became}`,
    { hint: 'run the command again if the stand is still wanted', cause },
  );
}

/** Whether the claim stands is asked once more when the clone is there: this saves most clones that would go again. */
const RECENT_MS = 30_000;

/** Nothing is made under a number that the claim has given up. */
export async function assertClaimed(clone: Clone, io: StepIo): Promise<void> {
  if (await io.ownership.isClaimed(sealed(clone, io), RECENT_MS)) return;
  throw claimGone([clone.vmid], clone.pool, 'it is not made');
}

function sealed(clone: Clone, { seals }: StepIo) {
  return { ...clone, seal: seals.of(clone.vmid) };
}

/** Those that were there and are gone now. */
async function giveBack(clones: readonly Clone[], io: StepIo): Promise<number[]> {
  const given: number[] = [];
  for (const clone of clones) {
    const { vmid } = clone;
    await io.removals.turn(io.signal);
    const left = await io.ownership.abandoned(sealed(clone, io));
    if (!left) continue;
    await io.removals.remove(async () => {
      await awaitTask(io, await io.pve.deleteVm(left, { purge: true }, io.signal));
    });
    given.push(vmid);
  }
  return given;
}

/** For the end of a clone: the claim may have gone since it began. */
export async function unlessGivenBack(clone: Clone, io: StepIo): Promise<void> {
  io.leavePlace();
  if (await io.ownership.isClaimed(sealed(clone, io))) return;
  const [given] = await giveBack([clone], io);
  if (given !== undefined) throw claimGone([given], clone.pool, 'the clone was removed again');
}

/** For what is done with clones before they are members: what is not ours any more may be theirs. */
export async function orGiveBack<T>(
  clones: readonly Clone[],
  io: StepIo,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StepError) || error.code !== 'NOT_OURS') throw error;
    const given = await giveBack(clones, io);
    const [first] = clones;
    if (!first || given.length === 0) throw error;
    throw claimGone(given, first.pool, 'what had been cloned was removed again', error);
  }
}
