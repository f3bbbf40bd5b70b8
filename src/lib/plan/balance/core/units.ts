/** What moves as one: a guest, a stand on bridges of its own, or guests that a rule or a local network ties. */
import { addTo, groupBy } from '../../../group.ts';
import type { BalanceGuest } from '../../../inventory/balance-types.ts';
import type { PlannedMove } from '../../document/balance-report.ts';
import { demandOf, isRunning, sum, type Demand } from './load.ts';
import { bridgesOf, isLocalNetwork, standKey, type StandRef, type World } from '../pve/world.ts';
import { compareText } from '../../../order.ts';

export interface Unit {
  readonly kind: PlannedMove['unit'];
  readonly name: string;
  /** In the order in which they move: running before stopped, the largest first, so that what may fail fails early. */
  readonly guests: readonly BalanceGuest[];
  readonly vmids: readonly number[];
  /** Where it is; all guests of a unit are on one node. */
  readonly node: string;
  /** Stands with bridges of their own that are in it. */
  readonly stands: readonly StandRef[];
  readonly demand: Demand;
  /** Bytes over the network. */
  readonly bytes: number;
}

/** Memory in use crosses the network, and so do disks that are on this node only. */
export function bytesOf(guest: BalanceGuest, world: World): number {
  const disks = (world.facts.get(guest.vmid)?.volumes ?? []).filter(
    ({ storage, kind }) =>
      kind === 'disk' && world.storages.get(`${guest.node} ${storage}`)?.shared === false,
  );
  const memory = isRunning(guest) ? guest.memoryUsed : 0;
  return memory + disks.reduce((total, { bytes }) => total + bytes, 0);
}

export function guestName({ vmid, name, type }: BalanceGuest): string {
  const kind = type === 'lxc' ? 'CT' : 'VM';
  return name === undefined ? `${kind} ${vmid}` : `${kind} ${vmid} (${name})`;
}

function inOrder(guests: readonly BalanceGuest[], world: World): BalanceGuest[] {
  const key = (guest: BalanceGuest): number => (isRunning(guest) ? 2 ** 60 : 0) + bytesOf(guest, world);
  return [...guests].sort((a, b) => key(b) - key(a) || a.vmid - b.vmid);
}

/** The stand of a guest, if that stand has bridges of its own anywhere. */
function networkedStand(vmid: number, world: World): StandRef | undefined {
  const stand = world.stands.get(vmid);
  return stand && world.standBridges.has(standKey(stand)) ? stand : undefined;
}

export function makeUnit(guests: readonly BalanceGuest[], world: World): Unit {
  const ordered = inOrder(guests, world);
  const [first] = ordered;
  if (!first) throw new RangeError('a unit has guests');
  const refs = ordered.flatMap(({ vmid }) => networkedStand(vmid, world) ?? []);
  const stands = [...new Map(refs.map((ref) => [standKey(ref), ref])).entries()]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, ref]) => ref);
  const [stand] = stands;
  const isStand = stand !== undefined && stands.length === 1 && refs.length === ordered.length;
  const kind = isStand ? 'stand' : ordered.length === 1 ? 'guest' : 'group';
  const ids = ordered.map(({ vmid }) => vmid).sort((a, b) => a - b);
  const name =
    kind === 'stand' && stand
      ? `stand ${stand.lab} of ${stand.user}`
      : kind === 'guest'
        ? guestName(first)
        : `guests ${ids.join(', ')}`;
  return {
    kind,
    name,
    guests: ordered,
    vmids: ordered.map(({ vmid }) => vmid),
    node: first.node,
    stands,
    demand: sum(ordered.map(demandOf)),
    bytes: ordered.reduce((total, guest) => total + bytesOf(guest, world), 0),
  };
}

/** What ties a guest to others on its node. */
function tiesOf(guest: BalanceGuest, world: World): string[] {
  const stand = networkedStand(guest.vmid, world);
  const isHere = stand && world.standBridges.get(standKey(stand))?.some(({ node }) => node === guest.node);
  const nets = (bridgesOf(guest, world) ?? []).filter((iface) => isLocalNetwork(guest.node, iface, world));
  return [
    ...(isHere ? [`stand ${standKey(stand)}`] : []),
    ...(world.rules.affinity.of.get(guest.vmid) ?? []).map((index) => `affinity ${index}`),
    ...nets.map((iface) => `net ${iface}`),
  ];
}

function partition(guests: readonly BalanceGuest[], world: World): BalanceGuest[][] {
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
  const parts = new Map<number, BalanceGuest[]>();
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
    units.sort((a, b) => Math.min(...a.vmids) - Math.min(...b.vmids));
    on.set(node, units);
    for (const unit of units) for (const vmid of unit.vmids) of.set(vmid, unit);
  }
  return { on, of };
}
