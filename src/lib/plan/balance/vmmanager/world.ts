/** One cluster of VMmanager 6 as core's world. */
import type { BalanceConfig } from '../../../config/balance/types.ts';
import type { SeenGuest, SeenNode, VmmanagerInventory } from '../../../inventory/vmmanager-types.ts';
import { groupBy } from '../../../group.ts';
import type { Guest, Node, Veto } from '../core/types.ts';
import { indexSeen, type World as CoreWorld } from '../core/world.ts';
import { policyFor } from './policy.ts';

export interface World extends CoreWorld {
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  readonly guests: ReadonlyMap<number, ClusterGuest>;
}

interface ClusterNode extends Node {
  readonly seen: SeenNode;
}

export interface ClusterGuest extends Guest {
  readonly seen: SeenGuest;
}

const NO_STANDS: Pick<CoreWorld, 'stands' | 'bound' | 'wired' | 'ties' | 'localVolumes' | 'queued'> = {
  stands: new Map(),
  bound: new Set(),
  wired: new Set(),
  ties: new Map(),
  localVolumes: new Map(),
  queued: new Set(),
};

export function isActive({ state }: SeenGuest): boolean {
  return state === 'active';
}

function total(guests: readonly SeenGuest[], of: (guest: SeenGuest) => number): number {
  return guests.reduce((sum, guest) => sum + of(guest), 0);
}

/**
 * Busy threads of each virtual CPU on the node: nobody tells whose a load is, so each has an equal part of it, and no more
 * than one thread.
 */
function shareOf({ loadAverage = 0 }: SeenNode, here: readonly SeenGuest[]): number {
  const vcpus = total(here, ({ cpus }) => cpus);
  return vcpus === 0 ? 0 : Math.min(loadAverage / vcpus, 1);
}

/** Stopped ones take nothing. `here`: what runs on the node; `share`: see above. */
function nodeOf(seen: SeenNode, here: readonly SeenGuest[], share: number): ClusterNode {
  const { name, online, maintenance, cpus = 0, memoryTotal = 0, memoryAllocated = 0 } = seen;
  const configured = total(here, ({ memory }) => memory);
  const isUnknown = seen.cpus === undefined || seen.memoryTotal === undefined || seen.hasUnread === true;
  return {
    ...{ seen, name, online, maintenance, cpus, memoryTotal },
    cpu: (share * total(here, (guest) => guest.cpus)) / Math.max(cpus, 1),
    memoryUsed: Math.max(memoryAllocated, configured),
    ...(seen.loadAverage === undefined ? {} : { loadPerCore: seen.loadAverage / Math.max(cpus, 1) }),
    ...(isUnknown ? { loadUnknown: true as const } : {}),
    ...(seen.maxGuests === undefined ? {} : { maxGuests: seen.maxGuests }),
  };
}

/** `share`: how busy its virtual CPUs are taken to be. */
function guestOf(seen: SeenGuest, node: ClusterNode, share: number): ClusterGuest {
  const { id, name, cpus, memory, tags, state } = seen;
  const isRunning = isActive(seen);
  return {
    ...{ seen, vmid: id, name, cpus, memory, tags, node: node.name },
    status: isRunning ? 'running' : (state ?? 'unknown'),
    cpu: isRunning ? share : 0,
    memoryUsed: isRunning ? memory : 0,
  };
}

export interface ClusterInput {
  readonly have: VmmanagerInventory;
  /** Its number. */
  readonly cluster: number;
  readonly config: BalanceConfig;
  readonly evacuate: readonly string[];
  readonly vetoes: readonly Veto[];
}

export function createWorld({ have, cluster, config, evacuate, vetoes }: ClusterInput): World {
  const seenNodes = have.nodes.filter((node) => node.cluster === cluster);
  const byId = new Map(seenNodes.map((node) => [node.id, node]));
  const seenGuests = have.guests.filter((guest) => byId.has(guest.node));
  const running = groupBy(seenGuests.filter(isActive), ({ node }) => node);
  const here = (id: number): readonly SeenGuest[] => running.get(id) ?? [];
  const shares = new Map(seenNodes.map((node) => [node.id, shareOf(node, here(node.id))]));
  const nodes = new Map(
    seenNodes.map((node) => [node.id, nodeOf(node, here(node.id), shares.get(node.id) ?? 0)]),
  );
  const guests = seenGuests.flatMap((guest) => {
    const node = nodes.get(guest.node);
    return node ? [guestOf(guest, node, shares.get(guest.node) ?? 0)] : [];
  });
  const own = new Set(guests.map(({ vmid }) => vmid));
  const names = new Set(seenNodes.map(({ name }) => name));
  const indexed = indexSeen(
    {
      ...{ now: have.now, nodes: [...nodes.values()], guests, historyFrom: {}, tasks: new Map() },
      migrations: have.migrations.filter(({ vmid }) => own.has(vmid)),
      vetoes: [...have.vetoes, ...vetoes],
      evacuate: evacuate.filter((name) => names.has(name)),
    },
    policyFor(config, seenNodes),
  );
  return {
    ...NO_STANDS,
    ...indexed,
    labels: new Map(guests.map(({ vmid, seen: { name } }) => [vmid, labelOf(vmid, name)])),
  };
}

function labelOf(id: number, name: string): string {
  return name === '' ? `VM ${id}` : `VM ${id} (${name})`;
}
