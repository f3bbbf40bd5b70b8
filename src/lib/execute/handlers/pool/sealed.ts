/** A claim as it is written: with the hashes of the seals that this run draws for its clones. */
import { sealComment } from '../../../marks/pool.ts';
import { isReplicaPool, sealReplicaPool } from '../../../marks/replica.ts';
import { sealHash } from '../../../marks/seal.ts';
import type { StepIo } from '../../types.ts';

export function sealed(comment: string, { seals }: Pick<StepIo, 'seals'>): string {
  const hashOf = (vmid: number): string => sealHash(seals.of(vmid), vmid);
  return isReplicaPool(comment) ? sealReplicaPool(comment, hashOf) : sealComment(comment, hashOf);
}
