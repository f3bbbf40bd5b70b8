/** Hands out VMIDs from the snapshot: the one that is wished for if it is free, else the first free one. */
import type { ClusterView } from './view.ts';
import { NO_PINS, type Pins } from './pins.ts';

/** What a former round of the same run found taken although the snapshot did not show it. */
export interface Taken {
  readonly vmids: readonly number[];
  readonly bridges: readonly TakenBridge[];
}

export interface TakenBridge {
  readonly bridge: string;
  readonly node: string;
  /** Guests that name it, where they are why; empty: it is there. */
  readonly vmids: readonly number[];
}

export interface VmidAllocator {
  /** Undefined when the range is used up. */
  take(wish?: number): number | undefined;
  /** From the end of the range, so that copies of templates do not stand among the students' VMs. */
  takeLast(wish?: number): number | undefined;
  /** How many ids are left. */
  left(): number;
}

/** Ids of guests and ids claimed by any marked pool are never handed out, and pinned ones only to those that wish for them. */
export function createVmidAllocator(
  range: { readonly first: number; readonly last: number },
  index: ClusterView,
  taken: Taken,
  pins: Pins = NO_PINS,
): VmidAllocator {
  const used = new Set<number>([...index.guests.keys(), ...taken.vmids]);
  for (const mark of index.marks.values()) {
    for (const claim of mark.claims) for (const vmid of claim.vmids) used.add(vmid);
  }
  for (const claim of index.replicaPool.claims) used.add(claim.vmid);
  const pinned = new Set([...pins.vmids.values(), ...pins.replicas.values()]);
  let next = range.first;
  let last = range.last;

  function granted(wish: number | undefined): boolean {
    return wish !== undefined && wish >= range.first && wish <= range.last && !used.has(wish);
  }

  function handOut(vmid: number | undefined): number | undefined {
    if (vmid === undefined) return undefined;
    used.add(vmid);
    left -= 1;
    return vmid;
  }

  const isFree = (vmid: number): boolean => !used.has(vmid) && !pinned.has(vmid);
  let left = Math.max(0, range.last - range.first + 1);
  for (const vmid of used) if (vmid >= range.first && vmid <= range.last) left -= 1;
  return {
    take(wish) {
      if (granted(wish)) return handOut(wish);
      while (next <= last && !isFree(next)) next += 1;
      return handOut(next > last ? undefined : next);
    },
    takeLast(wish) {
      if (granted(wish)) return handOut(wish);
      while (last >= next && !isFree(last)) last -= 1;
      return handOut(last < next ? undefined : last);
    },
    left: () => left,
  };
}
