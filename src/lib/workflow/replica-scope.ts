/** Which configurations tell of the copies of templates. Reads nothing itself. */
import type { PoolInfo } from '../inventory/types.ts';
import { parseReplicaPool, REPLICA_POOL } from '../marks/replica.ts';

/** VMIDs of all copies: their configurations tell what they are copies of. */
export function replicaVmids(pools: readonly PoolInfo[]): number[] {
  const comment = pools.find(({ pool }) => pool === REPLICA_POOL)?.comment;
  return parseReplicaPool(comment).claims.map(({ vmid }) => vmid);
}
