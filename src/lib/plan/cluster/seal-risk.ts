/**
 * Tells whether the seal of a clone in no pool could be forged: by whoever reads it, makes a machine with it at the same
 * number when that is free again, and takes it out of a pool. Then clones are made in their pools. Two accounts may help
 * each other, so that any of each suffices. Pure.
 */
import type { Inventory } from '../../inventory/types.ts';
import { SEAL_WAY_OUT } from '../../inventory/delegated-words.ts';

/** Who could read it, and who could take a machine out of a pool; in words. */
export interface SealRisk {
  readonly reader: string;
  readonly writer: string;
}

export function sealRiskOf({
  sealReaders,
  poolWriters,
}: Pick<Inventory, 'sealReaders' | 'poolWriters'>): SealRisk | undefined {
  const [reader] = sealReaders;
  const [writer] = poolWriters;
  return reader === undefined || writer === undefined ? undefined : { reader, writer: writer.says };
}

/**
 * Of machines that are cloned anew: between its seal and its removal each is a member of its student's pool, who reads that
 * seal.
 */
export function remakeRiskOf(have: Pick<Inventory, 'sealReaders' | 'poolWriters'>): SealRisk | undefined {
  return sealRiskOf({
    ...have,
    sealReaders: [...have.sealReaders, 'students read the notes of their machines'],
  });
}

export function sealRiskWarning({ reader, writer }: SealRisk): string {
  return `clones are made in their pools, few at a time, since the seal of one in no pool could be read and forged: ${reader}; ${writer}. To have them made faster, ${SEAL_WAY_OUT}`;
}
