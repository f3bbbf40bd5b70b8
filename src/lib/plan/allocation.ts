/** Hands out VMIDs and bridge numbers from the snapshot; always the first free one. */
import { bridgeOf, standBridgeNumber } from '../pve-values/bridge-name.ts';
import type { Inventory } from '../inventory/types.ts';
import { presentNics } from '../pve-values/nics.ts';
import type { HaveIndex } from './have-index.ts';

const FIRST_BRIDGE = 1000;
const LAST_BRIDGE = 4094;

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
  let left = Math.max(0, last - next + 1);
  for (const vmid of used) if (vmid >= next && vmid <= last) left -= 1;
  return {
    take() {
      while (next <= last && used.has(next)) next += 1;
      if (next > last) return undefined;
      next += 1;
      left -= 1;
      return next - 1;
    },
    takeLast() {
      while (last >= next && used.has(last)) last -= 1;
      if (last < next) return undefined;
      last -= 1;
      left -= 1;
      return last + 1;
    },
    left: () => left,
  };
}

export interface BridgeAllocator {
  /** A name free in the whole cluster, else one free on `node` only (`repeated`), else undefined. */
  take(node: string): { readonly bridge: string; readonly repeated: boolean } | undefined;
  /** How many numbers are left on `node`. */
  left(node: string): number;
}

export function createBridgeAllocator(have: Inventory, index: HaveIndex, taken: Taken): BridgeAllocator {
  const cluster = new Set<string>([...taken.bridges, ...have.vnets]);
  for (const { bridges } of have.networks) for (const { iface } of bridges) cluster.add(iface);
  for (const config of [...have.vms, ...have.templates]) {
    for (const nic of presentNics(config.values)) cluster.add(nic.bridge);
  }
  const perNode = new Map<string, Set<string>>();
  let next = FIRST_BRIDGE;

  function usedOn(node: string): Set<string> {
    const used = perNode.get(node) ?? new Set([...(index.bridges.get(node)?.keys() ?? []), ...taken.bridges]);
    perNode.set(node, used);
    return used;
  }

  function firstFreeOn(node: string): string | undefined {
    const used = usedOn(node);
    for (let number = FIRST_BRIDGE; number <= LAST_BRIDGE; number += 1) {
      if (!used.has(bridgeOf(number))) return bridgeOf(number);
    }
    return undefined;
  }

  return {
    take(node) {
      while (next <= LAST_BRIDGE && cluster.has(bridgeOf(next))) next += 1;
      const free = next <= LAST_BRIDGE ? bridgeOf(next) : undefined;
      const bridge = free ?? firstFreeOn(node);
      if (bridge === undefined) return undefined;
      cluster.add(bridge);
      usedOn(node).add(bridge);
      return { bridge, repeated: free === undefined };
    },
    left(node) {
      const used = [...usedOn(node)].filter((name) => {
        const number = standBridgeNumber(name) ?? 0;
        return number >= FIRST_BRIDGE && number <= LAST_BRIDGE;
      });
      return LAST_BRIDGE - FIRST_BRIDGE + 1 - used.length;
    },
  };
}
