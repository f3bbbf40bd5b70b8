/** Draws the seals of one run's clones. Keeps them nowhere. */
import { randomBytes } from 'node:crypto';
import type { Seals } from './types.ts';

const BYTES = 16;

export function createSeals(): Seals {
  const drawn = new Map<number, string>();
  return {
    of(vmid) {
      const seal = drawn.get(vmid) ?? randomBytes(BYTES).toString('hex');
      drawn.set(vmid, seal);
      return seal;
    },
  };
}
