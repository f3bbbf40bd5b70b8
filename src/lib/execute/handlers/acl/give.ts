/**
 * Writes a right between two looks. Whoever shuts a stand says so in its claim and then looks which rights there are; one that
 * was asked for while the stand was open may arrive after that look (PVE waits for its lock, the answer is lost, this run was
 * stopped for a while). So it is looked at again once it is there: of the two, one always sees the other.
 */
import type { PveApi } from '../../../proxmox/types.ts';
import { isNotFound } from '../../../proxmox/words.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo, StepOutcome } from '../../types.ts';

type Right = Parameters<PveApi['grant']>[0];

/** Taking it twice is taking it once: a right ends with its user, and with its role. */
export async function takeAway(
  { path, role, userid }: Omit<Right, 'propagate'>,
  io: StepIo,
): Promise<'done' | 'already-done'> {
  try {
    await io.pve.revoke({ path, role, userid }, io.signal);
    return 'done';
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return 'already-done';
  }
}

/** Both say no, or why not. */
interface Looks {
  readonly before: () => Promise<boolean>;
  /** Begun once it is written. */
  readonly after: () => Promise<boolean>;
}

/** One try of it: what this run has written of it goes again where it may not be. */
export function giving(right: Right, io: StepIo, { before, after }: Looks): () => Promise<StepOutcome> {
  let isOnItsWay = false;
  const isStillOpen = async (look: () => Promise<boolean>): Promise<boolean> => {
    try {
      if (await look()) return true;
    } catch (error) {
      if (isOnItsWay && error instanceof StepError) await takeAway(right, io);
      throw error;
    }
    if (isOnItsWay) await takeAway(right, io);
    return false;
  };
  return async () => {
    if (!(await isStillOpen(before))) return 'already-done';
    isOnItsWay = true;
    await io.pve.grant(right, io.signal);
    return (await isStillOpen(after)) ? 'done' : 'already-done';
  };
}
