/** Why a unit cannot go to a node, on any platform: one named rule each. What only a platform knows is its own room's. */
import { isLastResort, isMending, type Destination } from '../constraints.ts';
import { breaches, isBelow, type Loads } from '../load.ts';
import type { Guest, Migration, Node } from '../types.ts';
import type { Unit } from '../units.ts';
import type { World } from '../world.ts';
import { ago } from './guest-rules.ts';

export interface NodeView<W extends World = World, N extends Node = Node> extends Destination {
  readonly target: N;
  readonly world: W;
}

export interface Move<G extends Guest = Guest> extends NodeView {
  readonly unit: Unit<G>;
}

const GIB = 2 ** 30;

export function first<T>(items: Iterable<T>, say: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const text = say(item);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The first of the unit's guests that something keeps from going there, by its name where there are several. */
export function ofGuests<G extends Guest>(
  { unit, world }: Move<G>,
  say: (guest: G) => string | undefined,
): string | undefined {
  return first(unit.guests, (guest) => {
    const text = say(guest);
    return text === undefined || unit.kind === 'guest'
      ? text
      : `${world.labels.get(guest.vmid) ?? ''}: ${text}`;
  });
}

export function excluded({ target, world }: NodeView): string | undefined {
  if (world.evacuated.has(target.name)) return 'is being emptied';
  return world.config.excludeTarget.includes(target.name) ? 'is excluded as a target' : undefined;
}

/** A stand that is torn apart is put together wherever there is room at all. */
export function aboveTarget({ target, world, board, purpose }: NodeView): string | undefined {
  if (isMending(purpose)) return undefined;
  const loads = board.loads(target.name);
  if (isBelow(loads, world.config, 'target')) return undefined;
  return `is no target: ${breaches(loads, world.config, 'target')
    .map(({ text }) => text)
    .join(', ')}`;
}

function loadsAfter({ unit, target, board }: Move): Loads {
  return board.loadsWith(target.name, unit.demand);
}

export function overloadedAfter(move: Move): string | undefined {
  const { config } = move.world;
  if (move.purpose === 'mend-back') return undefined;
  const after = loadsAfter(move);
  if (isBelow(after, config, 'overload')) return undefined;
  const reached = breaches(after, config, 'overload').map(({ text }) => text);
  return `would be overloaded: ${reached.length === 0 ? 'at the limit' : reached.join(', ')}`;
}

function shareOf(amount: { kind: string; value: number } | undefined, total: number, unit: number): number {
  if (!amount) return 0;
  return amount.kind === 'percent' ? (total * amount.value) / 100 : amount.value * unit;
}

export function reserve(move: Move): string | undefined {
  const { target, world, purpose } = move;
  const after = loadsAfter(move);
  if (purpose === 'mend-back') return after.used <= 1 ? undefined : 'would use more memory than the node has';
  const memory = shareOf(world.config.reserve.memory, target.memoryTotal, 2 ** 20);
  const free = target.memoryTotal * (1 - after.used);
  if (free < memory)
    return `would have ${(Math.max(free, 0) / GIB).toFixed(1)} GiB of memory free, less than the reserve of ${(memory / GIB).toFixed(1)} GiB`;
  const threads = target.cpus * (1 - after.cpu);
  const cores = shareOf(world.config.reserve.cores, target.cpus, 1);
  return threads < cores
    ? `would have ${Math.max(threads, 0).toFixed(1)} threads free, less than the reserve of ${cores}`
    : undefined;
}

export function overcommit(move: Move): string | undefined {
  const { overcommit: limit } = move.world.config;
  if (move.unit.demand.committed === 0 || move.purpose === 'mend-back') return undefined;
  const { committed } = loadsAfter(move);
  if (committed <= limit) return undefined;
  return `guests would be promised ${Math.round(committed * 100)} % of its memory (overcommit ${Math.round(limit * 100)} %)`;
}

export function pinned(move: Move): string | undefined {
  return ofGuests(move, ({ vmid }) => {
    const pin = move.world.rules.pins.get(vmid)?.find(({ nodes }) => !nodes.includes(move.target.name));
    return pin && `rule ${pin.name} keeps it on ${pin.nodes.join(', ')}`;
  });
}

export function antiAffinity({ unit, target, world, board }: Move): string | undefined {
  const moving = new Set(unit.vmids);
  return first(unit.vmids, (vmid) =>
    first(world.rules.antiAffinity.of.get(vmid) ?? [], (rule) => {
      const other = [...board.antiMembers(rule, target.name)]
        .sort((a, b) => a - b)
        .find((id) => !moving.has(id));
      if (other === undefined) return undefined;
      return `rule ${world.rules.antiAffinity.groups[rule]?.name ?? ''} keeps VM ${vmid} apart from ${other}`;
    }),
  );
}

/** While a group is torn apart, its members may only join others of it. */
export function affinity({ unit, target, world, board }: Move): string | undefined {
  const moving = new Set(unit.vmids);
  return first(unit.vmids, (vmid) =>
    first(world.rules.affinity.of.get(vmid) ?? [], (index) => {
      const rule = world.rules.affinity.groups[index];
      const others = (rule?.vmids ?? []).filter((id) => !moving.has(id));
      if (others.length === 0 || others.some((id) => board.whereIs(id) === target.name)) return undefined;
      return `rule ${rule?.name ?? ''} keeps VM ${vmid} with ${others.join(', ')}`;
    }),
  );
}

export function returning(move: Move): string | undefined {
  if (isMending(move.purpose) || isLastResort(move.purpose)) return undefined;
  return ofGuests(move, ({ vmid }) =>
    move.world.history.of.get(vmid)?.left.includes(move.target.name) === true
      ? 'it came from there within the cooldown'
      : undefined,
  );
}

export function vetoed(move: Move): string | undefined {
  return ofGuests(
    move,
    ({ vmid }) => move.world.vetoes.get(vmid)?.find(({ target }) => target === move.target.name)?.reason,
  );
}

/** Who failed there, when, and why, in the words of a rejection. */
export function toldFailure(failure: Migration, world: World): string {
  const cause = failure.error === undefined || failure.error === '' ? '' : `: ${failure.error}`;
  return `${ago(failure.end ?? failure.start, world)}${cause} (blacklist)`;
}

/** A node towards which several guests failed is the reason itself. */
export function blamedNode({ target, world, purpose }: NodeView): string | undefined {
  const failure = isLastResort(purpose) ? undefined : world.history.blamed.get(target.name);
  return failure && `migrations of several guests to it failed, the last ${toldFailure(failure, world)}`;
}

/** It failed there for a reason that is the target's: other targets are not concerned. */
export function blamedTarget(move: Move): string | undefined {
  if (isLastResort(move.purpose)) return undefined;
  return ofGuests(move, ({ vmid }) => {
    const failure = move.world.history.of.get(vmid)?.avoid.get(move.target.name);
    return failure && `its migration there failed ${toldFailure(failure, move.world)}`;
  });
}

/** Nobody can say what a move would make of it. */
export function unknownLoad({ target }: NodeView): string | undefined {
  return target.loadUnknown === true ? 'its load is not known' : undefined;
}
