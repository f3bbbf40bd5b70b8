/**
 * The seal of a clone: 128 random bits in its notes, which only those can read who may read the VM. A claim holds their
 * hash, which everybody may read; so only the clone that the claim was written for fits it. Draws nothing.
 */
import { createHash } from 'node:crypto';

const HASH_DIGITS = 24;
/** Hashes per id: of killed runs, whose clones may come late. */
const MOST_SEALS = 3;
const SEAL = /^[0-9a-f]{32}$/;

export function isSeal(text: string): boolean {
  return SEAL.test(text);
}

/** What the claim of this VMID says of the seal: another id makes another hash. */
export function sealHash(seal: string, vmid: number): string {
  return createHash('sha256').update(`${seal}${vmid}`).digest('hex').slice(0, HASH_DIGITS);
}

/** The hashes that a claim wants of a clone that is to be made now: one still to be drawn, and those of before. */
export function withNewSeal(former: readonly string[] = []): string[] {
  return ['', ...former].slice(0, MOST_SEALS);
}

/** `?<hash>?<hash>`, what stands behind an id in a claim; of one to be drawn only the mark. */
export function parseSeals(marks: string): string[] {
  return marks === '' ? [] : marks.slice(1).split('?').slice(0, MOST_SEALS);
}

/** How much longer a planned comment gets: seals are drawn while it is written. */
export function drawnLength(comment: string): number {
  return (comment.match(/\?(?=[?,\s]|$)/g)?.length ?? 0) * HASH_DIGITS;
}

/** The id in a claim with the hashes behind it, `10201?<hash>?<hash>`; of one to be drawn only the mark. */
export function formatSealed(vmid: number, seals: readonly string[]): string {
  return `${vmid}${(seals.length === 0 ? [''] : seals).map((seal) => `?${seal}`).join('')}`;
}
