/** A claim as it is written: with the hashes of the seals that this run draws for its clones. */
import { sealComment } from '../../marks/pool.ts';
import { sealHash } from '../../marks/seal.ts';
import type { StepIo } from '../types.ts';

export function sealed(comment: string, { seals }: Pick<StepIo, 'seals'>): string {
  return sealComment(comment, (vmid) => sealHash(seals.of(vmid), vmid));
}
