/**
 * The seal of a clone: 128 random bits in its notes, which only those can read who may read the VM. A claim holds their
 * hash, which everybody may read; so only the clone that the claim was written for fits it. Draws nothing.
 */
import { createHash } from 'node:crypto';

const HASH_DIGITS = 24;
const SEAL = /^[0-9a-f]{32}$/;

export function isSeal(text: string): boolean {
  return SEAL.test(text);
}

/** What the claim of this VMID says of the seal: another id makes another hash. */
export function sealHash(seal: string, vmid: number): string {
  return createHash('sha256').update(`${seal}${vmid}`).digest('hex').slice(0, HASH_DIGITS);
}
