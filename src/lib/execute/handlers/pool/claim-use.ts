/** Which ids of a claim still have a guest of ours, member of the pool or not: their claim is not given up. Reads only. */
import { vmidsClaimedBy } from '../../../marks/pool.ts';
import { parseReplicaPool } from '../../../marks/replica.ts';
import type { StepIo } from '../../types.ts';

/** For machines, or for copies of templates. */
export function claimedIn(comment: string): number[] {
  return [...vmidsClaimedBy([{ comment }]), ...parseReplicaPool(comment).claims.map(({ vmid }) => vmid)];
}

export async function usedIds(
  pool: string,
  vmids: readonly number[],
  { ownership }: StepIo,
): Promise<number[]> {
  const unused = await Promise.all(vmids.map((vmid) => ownership.isUnused({ vmid, pool })));
  return vmids.filter((_, at) => unused[at] !== true);
}
