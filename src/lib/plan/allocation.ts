/** Hands out VMIDs from the snapshot; always the first free one. */
import type { HaveIndex } from './have-index.ts';

/** What a former round of the same run found taken although the snapshot did not show it. */
export interface Taken {
  readonly vmids: readonly number[];
  readonly bridges: readonly string[];
}

export interface VmidAllocator {
  /** Undefined when the range is used up. */
  take(): number | undefined;
  /** From the end of the range, so that copies of templates do not stand among the students' VMs. */
  takeLast(): number | undefined;
  /** How many ids are left. */
  left(): number;
}

/** Ids of guests and ids claimed by any marked pool are never handed out. */
export function createVmidAllocator(
  range: { readonly first: number; readonly last: number },
  index: HaveIndex,
  taken: Taken,
): VmidAllocator {
  const used = new Set<number>([...index.guests.keys(), ...taken.vmids]);
  for (const mark of index.marks.values()) {
    for (const claim of mark.claims) for (const vmid of claim.vmids) used.add(vmid);
  }
  for (const claim of index.replicaPool.claims) used.add(claim.vmid);
  let next = range.first;
  let last = range.last;
  return {
    take() {
      while (next <= last && used.has(next)) next += 1;
      if (next > last) return undefined;
      next += 1;
      return next - 1;
    },
    takeLast() {
      while (last >= next && used.has(last)) last -= 1;
      if (last < next) return undefined;
      last -= 1;
      return last + 1;
    },
    left() {
      let free = 0;
      for (let vmid = next; vmid <= last; vmid += 1) if (!used.has(vmid)) free += 1;
      return free;
    },
  };
}
