/** Which ids of a claim still have a guest of ours, member of the pool or not: their claim is not given up. Reads only. */
import type { Verdict } from '../../plan/stands/ownership.ts';
import type { StepIo } from '../types.ts';

const UNUSED: ReadonlySet<Verdict> = new Set(['missing', 'open', 'foreign']);

export async function usedIds(pool: string, vmids: Iterable<number>, io: StepIo): Promise<number[]> {
  const used: number[] = [];
  for (const vmid of vmids) {
    if (!UNUSED.has(await io.ownership.verdict({ vmid, pool }))) used.push(vmid);
  }
  return used;
}
