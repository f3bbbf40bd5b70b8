/** What moves as one: a guest, a stand on networks of its own, or guests that a rule or their node ties. */
import { addTo, groupBy } from '../../../group.ts';
import type { PlannedMove } from '../../document/balance-report.ts';
import { demandOf, isRunning, sum, type Demand } from './load.ts';
import { standKey, type Guest, type Stand } from './types.ts';
import type { World } from './world.ts';
import { compareText } from '../../../order.ts';

export interface Unit<G extends Guest = Guest> {
  readonly kind: PlannedMove['unit'];
  readonly name: string;
  /** In the order in which they move: running before stopped, the largest first, so that what may fail fails early. */
  readonly guests: readonly G[];
  readonly vmids: readonly number[];
  /** Where it is; all guests of a unit are on one node. */
  readonly node: string;
  /** Stands with networks of their own that are in it. */
  readonly stands: readonly Stand[];
  readonly demand: Demand;
  /** Bytes over the network. */
  readonly bytes: number;
  /** Guests that are down meanwhile. */
  readonly restarts: number;
}

/** Memory in use crosses the network, except of what is shut down for it, and so do disks that are on this node only. */
export function bytesToMove(guest: Guest, world: World): number {
  const memory = isRunning(guest) && guest.restarts !== true ? guest.memoryUsed : 0;
  let disks = 0;
  for (const { bytes, isDisk } of world.localVolumes.get(guest.vmid) ?? []) if (isDisk) disks += bytes;
  return memory + disks;
}

function inOrder(guests: readonly Guest[], world: World): Guest[] {
  if (guests.length < 2) return [...guests];
  const key = (guest: Guest): number => (isRunning(guest) ? 2 ** 60 : 0) + bytesToMove(guest, world);
  return [...guests].sort((a, b) => key(b) - key(a) || a.vmid - b.vmid);
}

/** The stand of a guest, if that stand moves as one. */
function boundStand(vmid: number, world: World): Stand | undefined {
  return world.bound.has(vmid) ? world.stands.get(vmid) : undefined;
}

function distinct(stands: readonly Stand[]): Stand[] {
  if (stands.length < 2) return [...stands];
  return [...new Map(stands.map((stand) => [standKey(stand), stand]))]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, stand]) => stand);
}

export function makeUnit(guests: readonly Guest[], world: World): Unit {
  const ordered = inOrder(guests, world);
  const [first] = ordered;
  if (!first) throw new RangeError('a unit has guests');
  const refs = ordered.flatMap(({ vmid }) => boundStand(vmid, world) ?? []);
  const stands = distinct(refs);
  const [stand] = stands;
  const isStand = stand !== undefined && stands.length === 1 && refs.length === ordered.length;
  const kind = isStand ? 'stand' : ordered.length === 1 ? 'guest' : 'group';
  const ids = ordered.map(({ vmid }) => vmid).sort((a, b) => a - b);
  const name =
    kind === 'stand' && stand
      ? `stand ${stand.lab} of ${stand.user}`
      : kind === 'guest'
        ? (world.labels.get(first.vmid) ?? '')
        : `guests ${ids.join(', ')}`;
  return {
    kind,
    name,
    guests: ordered,
    vmids: ordered.map(({ vmid }) => vmid),
    node: first.node,
    stands,
    demand: sum(ordered.map(demandOf)),
    bytes: ordered.reduce((total, guest) => total + bytesToMove(guest, world), 0),
    restarts: ordered.filter(({ restarts }) => restarts === true).length,
  };
}

/** What ties a guest to others on its node. */
function tiesOf(guest: Guest, world: World): string[] {
  const groups = world.rules.affinity.of.get(guest.vmid) ?? [];
  return [...groups.map((index) => `affinity ${index}`), ...(world.ties.get(guest.vmid) ?? [])];
}

/** In the order of their first guests. */
function partition(guests: readonly Guest[], world: World): Guest[][] {
  const root = guests.map((_, index) => index);
  const find = (index: number): number => {
    let top = index;
    while (root[top] !== undefined && root[top] !== top) top = root[top] ?? top;
    root[index] = top;
    return top;
  };
  const first = new Map<string, number>();
  for (const [index, guest] of guests.entries()) {
    for (const tie of tiesOf(guest, world)) {
      const other = first.get(tie);
      if (other === undefined) first.set(tie, index);
      else root[find(index)] = find(other);
    }
  }
  const parts = new Map<number, Guest[]>();
  for (const [index, guest] of guests.entries()) {
    addTo(parts, find(index), guest);
  }
  return [...parts.values()];
}

export interface UnitIndex {
  /** By node, each in ascending order of the lowest VMID. */
  readonly on: ReadonlyMap<string, readonly Unit[]>;
  readonly of: ReadonlyMap<number, Unit>;
}

export function buildUnits(world: World): UnitIndex {
  const byNode = groupBy(world.guests.values(), ({ node }) => node);
  const on = new Map<string, Unit[]>();
  const of = new Map<number, Unit>();
  for (const [node, guests] of byNode) {
    const units = partition(guests, world).map((part) => makeUnit(part, world));
    on.set(node, units);
    for (const unit of units) for (const vmid of unit.vmids) of.set(vmid, unit);
  }
  return { on, of };
}
