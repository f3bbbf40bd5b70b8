/** Which ids of a claim still have a guest of ours, member of the pool or not: their claim is not given up. Reads only. */
import { vmidsClaimedBy } from '../../../marks/pool.ts';
import { parseReplicaPool } from '../../../marks/replica.ts';
import type { Verdict } from '../../../plan/stands/ownership.ts';
import type { StepIo } from '../../types.ts';

const UNUSED: ReadonlySet<Verdict> = new Set(['missing', 'open', 'foreign']);

/** For machines, or for copies of templates. */
export function claimedIn(comment: string): number[] {
  return [...vmidsClaimedBy([{ comment }]), ...parseReplicaPool(comment).claims.map(({ vmid }) => vmid)];
}

export async function usedIds(
  pool: string,
  vmids: readonly number[],
  { ownership }: StepIo,
): Promise<number[]> {
  const verdicts = await Promise.all(vmids.map((vmid) => ownership.verdictNow({ vmid, pool })));
  return vmids.filter((_, at) => !UNUSED.has(verdicts[at] as Verdict)); // one for each
}
