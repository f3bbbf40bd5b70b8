/**
 * Whether somebody has frozen a stand since it was planned: rights that are given after that would open it again, and no
 * freeze would know. Asked of its pool as it is now. A freeze looks again once it has said in the claim that there is one
 * (workflow/access-rounds.ts), so that of two that meet one sees the other. Reads only.
 */
import { parsePoolComment, type PoolMark } from '../../../marks/pool.ts';
import { shellCommand } from '../../../shell.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo } from '../../types.ts';

/** What the pool says of itself; undefined: there is none. */
export async function markNow(pool: string, { ownership }: StepIo): Promise<PoolMark | undefined> {
  return markIn((await ownership.poolNow(pool))?.comment);
}

/** The same, for what has just been written. */
export async function markLater(pool: string, { ownership }: StepIo): Promise<PoolMark | undefined> {
  return markIn((await ownership.poolLater(pool))?.comment);
}

export function markIn(comment: string | undefined): PoolMark | undefined {
  return comment === undefined ? undefined : parsePoolComment(comment);
}

interface FrozenPool {
  readonly pool: string;
  /** Whose stand it is. */
  readonly userid: string;
  /** By which it is frozen. */
  readonly labs: readonly string[];
}

/** `then`: what gives the right once it is thawed. */
export function frozenMeanwhile({ pool, userid, labs }: FrozenPool, then: string): StepError {
  const thaw = labs.map((lab) => `\`${shellCommand('deploy-stand', 'access', 'thaw', '--lab', lab)}\``);
  return new StepError('FROZEN', `pool ${pool} was frozen meanwhile: ${userid} gets no right by this run`, {
    hint: `when access is to be given again: ${thaw.join(' and ')}, then ${then}`,
  });
}
