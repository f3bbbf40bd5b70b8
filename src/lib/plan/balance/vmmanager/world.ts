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

/** Stopped ones take nothing. `here`: what runs on the node. */
function nodeOf(seen: SeenNode, here: readonly SeenGuest[]): ClusterNode {
  const { name, online, maintenance, cpus = 0, memoryTotal = 0, memoryAllocated = 0 } = seen;
  const configured = total(here, ({ memory }) => memory);
  const isUnknown = seen.cpus === undefined || seen.memoryTotal === undefined;
  return {
    ...{ seen, name, online, maintenance, cpus, memoryTotal },
    cpu: 0,
    memoryUsed: Math.max(memoryAllocated, configured),
    ...(isUnknown ? { loadUnknown: true as const } : {}),
    ...(seen.maxGuests === undefined ? {} : { maxGuests: seen.maxGuests }),
  };
}

/** Nobody measures how busy it is. */
function guestOf(seen: SeenGuest, node: ClusterNode): ClusterGuest {
  const { id, name, cpus, memory, tags, state } = seen;
  const isRunning = isActive(seen);
  return {
    ...{ seen, vmid: id, name, cpus, memory, tags, node: node.name },
    status: isRunning ? 'running' : state,
    cpu: 0,
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
  const nodes = new Map(seenNodes.map((node) => [node.id, nodeOf(node, running.get(node.id) ?? [])]));
  const guests = seenGuests.flatMap((guest) => {
    const node = nodes.get(guest.node);
    return node ? [guestOf(guest, node)] : [];
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
