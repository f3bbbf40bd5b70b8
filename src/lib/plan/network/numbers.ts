/** Hands out bridge numbers from the snapshot; always the first free one. */
import { bridgeOf, standBridgeNumber } from '../../pve-values/bridge-name.ts';
import type { BridgeRange } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { presentNics } from '../../pve-values/nics.ts';
import type { HaveIndex } from '../have-index.ts';

export interface BridgeAllocator {
  /** A name free in the whole cluster, else one free on `node` only (`repeated`), else undefined. */
  take(node: string): { readonly bridge: string; readonly repeated: boolean } | undefined;
  /** May a bridge of this name be made at all? */
  isInRange(bridge: string): boolean;
  /** A former round found that others have it. */
  isTaken(bridge: string): boolean;
  /** How many numbers are left on `node`. */
  left(node: string): number;
}

export function createBridgeAllocator(
  have: Inventory,
  index: HaveIndex,
  {
    range: { first, last },
    taken,
  }: { readonly range: BridgeRange; readonly taken: { readonly bridges: readonly string[] } },
): BridgeAllocator {
  const cluster = new Set<string>([...taken.bridges, ...have.vnets]);
  for (const { bridges } of have.networks) for (const { iface } of bridges) cluster.add(iface);
  for (const config of [...have.vms, ...have.templates]) {
    for (const nic of presentNics(config.values)) cluster.add(nic.bridge);
  }
  const perNode = new Map<string, Set<string>>();
  let next = first;

  function usedOn(node: string): Set<string> {
    const used = perNode.get(node) ?? new Set([...(index.bridges.get(node)?.keys() ?? []), ...taken.bridges]);
    perNode.set(node, used);
    return used;
  }

  function firstFreeOn(node: string): string | undefined {
    const used = usedOn(node);
    for (let number = first; number <= last; number += 1) {
      if (!used.has(bridgeOf(number))) return bridgeOf(number);
    }
    return undefined;
  }

  return {
    isInRange: (bridge) => {
      const number = standBridgeNumber(bridge) ?? 0;
      return number >= first && number <= last;
    },
    isTaken: (bridge) => taken.bridges.includes(bridge),
    take(node) {
      while (next <= last && cluster.has(bridgeOf(next))) next += 1;
      const free = next <= last ? bridgeOf(next) : undefined;
      const bridge = free ?? firstFreeOn(node);
      if (bridge === undefined) return undefined;
      cluster.add(bridge);
      usedOn(node).add(bridge);
      return { bridge, repeated: free === undefined };
    },
    left(node) {
      const used = [...usedOn(node)].filter((name) => {
        const number = standBridgeNumber(name) ?? 0;
        return number >= first && number <= last;
      });
      return last - first + 1 - used.length;
    },
  };
}
