/** What becomes of a right that is carried over where somebody has frozen the stand meanwhile. Reads nothing. */
import { frozenLabs, hadBefore, type PoolMark } from '../../marks/pool.ts';

interface CarriedRight {
  readonly userid: string;
  readonly role: string;
  /** Undefined: on the pool. */
  readonly vmid: number | undefined;
}

/** `thaw`: it stays away, and the thaw gives it back; `lost`: no thaw knows of it. */
export type RightFate = 'given' | 'thaw' | 'lost';

/** `mark`: what the pool says of itself now. */
export function underFreeze({ userid, role, vmid }: CarriedRight, mark: PoolMark | undefined): RightFate {
  if (mark?.user !== userid || frozenLabs(mark).length === 0) return 'given';
  if (vmid === undefined && hadBefore(mark, role)) return 'given';
  const isKept = mark.taken?.some((right) => right.role === role && right.vmid === vmid) === true;
  return isKept ? 'thaw' : 'lost';
}
