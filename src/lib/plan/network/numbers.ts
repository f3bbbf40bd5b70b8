/** Hands out bridge numbers from the snapshot: the one that is wished for if it is free, else the first free one. */
import { bridgeOf, standBridgeNumber } from '../../pve-values/bridge-name.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { bridgesIn } from '../../pve-values/nics.ts';
import type { Taken, TakenBridge } from '../cluster/free-vmids.ts';
import { heldBy } from './held-by.ts';
import type { ClusterView } from '../cluster/view.ts';
import { NO_PINS, type Pins } from '../cluster/pins.ts';

export interface BridgeAllocator {
  /** A name free in the whole cluster, else one free on `node` only (`repeated`), else undefined. */
  take(node: string, wish?: string): { readonly bridge: string; readonly repeated: boolean } | undefined;
  /** May two nodes have bridges of one number? */
  readonly mayRepeat: boolean;
  /** May a bridge of this name be made at all? */
  isInRange(bridge: string): boolean;
  /** A former round found that others have it. */
  isTaken(node: string, bridge: string): boolean;
  /** Whose guests name numbers of the range, on `node` or anywhere, in words; undefined: nobody's, as far as was looked. */
  heldBy(node?: string): string | undefined;
  /** How many numbers are left on `node`. */
  left(node: string): number;
}

interface BridgeChoice {
  readonly lab: Pick<Lab, 'bridgeRange'>;
  readonly taken: Pick<Taken, 'bridges'>;
  readonly pins?: Pick<Pins, 'bridges'>;
  /** Who may move machines brings them to the node where the number is somebody else's. Default: nobody may. */
  readonly mayRepeat?: boolean;
}

/** Bridges that machines of stands name, and their node has not. */
function unlisted({ vms }: Inventory, { bridges }: ClusterView): TakenBridge[] {
  return vms.flatMap(({ vmid, node, values }) =>
    bridgesIn(values)
      .filter((bridge) => bridges.get(node)?.has(bridge) !== true)
      .map((bridge) => ({ bridge, node, vmids: [vmid] })),
  );
}

export function createBridgeAllocator(
  have: Inventory,
  index: ClusterView,
  { lab: { bridgeRange: range }, taken, pins = NO_PINS, mayRepeat = true }: BridgeChoice,
): BridgeAllocator {
  const { first, last } = range;
  const cluster = new Set<string>([...taken.bridges.map(({ bridge }) => bridge), ...have.vnets]);
  for (const { bridges } of have.networks) for (const { iface } of bridges) cluster.add(iface);
  for (const config of [...have.vms, ...have.templates]) {
    for (const bridge of bridgesIn(config.values)) cluster.add(bridge);
  }
  const pinned = new Set(pins.bridges.values());
  const perNode = new Map<string, Set<string>>();
  let next = first;

  function usedOn(node: string): Set<string> {
    const named = taken.bridges.flatMap((one) => (one.node === node ? [one.bridge] : []));
    const used = perNode.get(node) ?? new Set([...(index.bridges.get(node)?.keys() ?? []), ...named]);
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

  function isInRange(bridge: string): boolean {
    const number = standBridgeNumber(bridge) ?? 0;
    return number >= first && number <= last;
  }

  function firstFree(): string | undefined {
    while (next <= last && cluster.has(bridgeOf(next))) next += 1;
    for (let number = next; number <= last; number += 1) {
      const bridge = bridgeOf(number);
      if (!cluster.has(bridge) && !pinned.has(bridge)) return bridge;
    }
    return undefined;
  }

  /** Numbers are repeated only when there is none left in the whole cluster, pinned ones that nobody has yet included. */
  function granted(node: string, wish: string | undefined): string | undefined {
    if (wish === undefined || !isInRange(wish)) return undefined;
    if (!cluster.has(wish)) return wish;
    const isUsedUp = firstFree() === undefined && [...pinned].every((bridge) => cluster.has(bridge));
    return isUsedUp && !usedOn(node).has(wish) ? wish : undefined;
  }

  return {
    mayRepeat,
    isInRange,
    isTaken: (node, bridge) => taken.bridges.some((one) => one.node === node && one.bridge === bridge),
    heldBy: (node) => heldBy([...taken.bridges, ...unlisted(have, index)], { range, node }, index),
    take(node, wish) {
      const bridge = granted(node, wish) ?? firstFree() ?? firstFreeOn(node);
      if (bridge === undefined) return undefined;
      const repeated = cluster.has(bridge);
      if (repeated && !mayRepeat) return undefined;
      cluster.add(bridge);
      usedOn(node).add(bridge);
      return { bridge, repeated };
    },
    left(node) {
      return last - first + 1 - [...usedOn(node)].filter(isInRange).length;
    },
  };
}
