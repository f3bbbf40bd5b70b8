/** Hands out VMIDs and bridge numbers from the snapshot: the one that is wished for if it is free, else the first free one. */
import { bridgeOf, standBridgeNumber } from '../pve-values/bridge-name.ts';
import type { Inventory } from '../inventory/types.ts';
import { presentNics } from '../pve-values/nics.ts';
import type { HaveIndex } from './have-index.ts';
import { NO_PINS, type Pins } from './pins.ts';

const FIRST_BRIDGE = 1000;
const LAST_BRIDGE = 4094;

/** What a former round of the same run found taken although the snapshot did not show it. */
export interface Taken {
  readonly vmids: readonly number[];
  readonly bridges: readonly string[];
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
  index: HaveIndex,
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
    if (vmid !== undefined) used.add(vmid);
    return vmid;
  }

  const isFree = (vmid: number): boolean => !used.has(vmid) && !pinned.has(vmid);
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
    left() {
      let free = 0;
      for (let vmid = next; vmid <= last; vmid += 1) if (!used.has(vmid)) free += 1;
      return free;
    },
  };
}

export interface BridgeAllocator {
  /** A name free in the whole cluster, else one free on `node` only (`repeated`), else undefined. */
  take(node: string, wish?: string): { readonly bridge: string; readonly repeated: boolean } | undefined;
  /** How many numbers are left on `node`. */
  left(node: string): number;
}

export function createBridgeAllocator(
  have: Inventory,
  index: HaveIndex,
  taken: Taken,
  pins: Pins = NO_PINS,
): BridgeAllocator {
  const cluster = new Set<string>([...taken.bridges, ...have.vnets]);
  for (const { bridges } of have.networks) for (const { iface } of bridges) cluster.add(iface);
  for (const config of [...have.vms, ...have.templates]) {
    for (const nic of presentNics(config.values)) cluster.add(nic.bridge);
  }
  const pinned = new Set(pins.bridges.values());
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

  function firstFree(): string | undefined {
    while (next <= LAST_BRIDGE && cluster.has(bridgeOf(next))) next += 1;
    for (let number = next; number <= LAST_BRIDGE; number += 1) {
      const bridge = bridgeOf(number);
      if (!cluster.has(bridge) && !pinned.has(bridge)) return bridge;
    }
    return undefined;
  }

  /** Numbers are repeated only when there is none left in the whole cluster, pinned ones that nobody has yet included. */
  function granted(node: string, wish: string | undefined): string | undefined {
    const number = wish === undefined ? undefined : standBridgeNumber(wish);
    if (wish === undefined || number === undefined || number < FIRST_BRIDGE || number > LAST_BRIDGE)
      return undefined;
    if (!cluster.has(wish)) return wish;
    const isUsedUp = firstFree() === undefined && [...pinned].every((bridge) => cluster.has(bridge));
    return isUsedUp && !usedOn(node).has(wish) ? wish : undefined;
  }

  return {
    take(node, wish) {
      const bridge = granted(node, wish) ?? firstFree() ?? firstFreeOn(node);
      if (bridge === undefined) return undefined;
      const repeated = cluster.has(bridge);
      cluster.add(bridge);
      usedOn(node).add(bridge);
      return { bridge, repeated };
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
