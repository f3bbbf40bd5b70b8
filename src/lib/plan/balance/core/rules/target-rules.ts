/** Why a unit cannot go to a node, on any platform: load, room, and what the operator wants. One named rule each. */
import type { RejectionCode } from '../../../document/balance-report.ts';
import type { Board } from '../board.ts';
import { isLastResort, isMending, type Destination, type Obstacle } from '../constraints.ts';
import { GATES } from '../gates.ts';
import { breaches, EPSILON, isBelow, type Level } from '../load.ts';
import type { Guest, Migration } from '../types.ts';
import type { Unit } from '../units.ts';
import type { World } from '../world.ts';
import { ago } from './guest-rules.ts';

/** How far a search goes: which nodes take something, and how full they may get. */
export interface Reach {
  /** A node that is below these limits takes something. */
  readonly receivers: Level;
  /** And stays below these. */
  readonly ceiling: Exclude<Level, 'target'>;
}

/** For all that is not the relief of a node: targets only. */
export const TARGETS: Reach = { receivers: 'target', ceiling: 'overload' };
/** For the relief of a node, when nothing else helps: whatever does not become overloaded by it. */
export const WIDEST: Reach = { receivers: 'overload', ceiling: 'overload' };

interface NodeView extends Destination {
  readonly world: World;
  readonly reach: Reach;
}

export interface MoveView extends NodeView {
  readonly unit: Unit;
}

export function first<T>(items: Iterable<T>, say: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const text = say(item);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The first of the unit's guests that something keeps from going there, by its name where there are several. */
export function ofGuests<G extends Guest>(
  { unit, world }: { readonly unit: Unit<G>; readonly world: World },
  say: (guest: G) => string | undefined,
): string | undefined {
  return first(unit.guests, (guest) => {
    const text = say(guest);
    return text === undefined || unit.kind === 'guest'
      ? text
      : `${world.labels.get(guest.vmid) ?? ''}: ${text}`;
  });
}

function excluded({ target, world }: NodeView): string | undefined {
  if (world.evacuated.has(target.name)) return 'is being emptied';
  return world.config.excludeTarget.includes(target.name) ? 'is excluded as a target' : undefined;
}

/** The numbers of a target are not those of its report. */
function awaitedAt({ name }: { readonly name: string }, board: Board): string {
  const vmids = board.awaited(name);
  return vmids.length === 0 ? '' : ` (with ${vmids.join(', ')}, under way and perhaps to it)`;
}

/** A stand that is torn apart is put together wherever there is room at all. */
function aboveTarget({ target, world, board, purpose, reach: { receivers } }: NodeView): string | undefined {
  if (isMending(purpose)) return undefined;
  if (board.isBelow(target.name, receivers)) return undefined;
  const texts = breaches(board.loadsAsTarget(target.name), world.config, receivers).map(({ text }) => text);
  return `is no target: ${texts.length === 0 ? 'at the limit' : texts.join(', ')}${awaitedAt(target, board)}`;
}

function overloadedAfter({
  unit,
  target,
  world,
  board,
  purpose,
  reach: { ceiling },
}: MoveView): string | undefined {
  if (purpose === 'mend-back') return undefined;
  const after = board.loadsAsTarget(target.name, unit.demand);
  if (isBelow(after, world.config, ceiling)) return undefined;
  const reached = breaches(after, world.config, ceiling).map(({ text }) => text);
  return `would be overloaded: ${reached.length === 0 ? 'at the limit' : reached.join(', ')}${awaitedAt(target, board)}`;
}

/** Machines that go back to one that failed again and again only have to fit into the memory. */
function gateObstacle({ unit, target, world, board, purpose }: MoveView): Obstacle | undefined {
  const after = board.loadsAsTarget(target.name, unit.demand);
  if (purpose === 'mend-back')
    return after.used <= 1 ? undefined : { code: 'reserve', text: 'would use more memory than the node has' };
  const gate = GATES.find(
    ({ part, value, limit }) =>
      unit.demand[part] > 0 && value(after) > limit(target, world.config) * (1 + EPSILON),
  );
  return (
    gate && {
      code: gate.code,
      text: `${gate.say(after, target, world.config)}${awaitedAt(target, board)}`,
    }
  );
}

function pinned(move: MoveView): string | undefined {
  return ofGuests(move, ({ vmid }) => {
    const pin = move.world.rules.pins.get(vmid)?.find(({ nodes }) => !nodes.includes(move.target.name));
    return pin && `rule ${pin.name} keeps it on ${pin.nodes.join(', ')}`;
  });
}

function antiAffinity({ unit, target, world, board }: MoveView): string | undefined {
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
function affinity({ unit, target, world, board }: MoveView): string | undefined {
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

function returning(move: MoveView): string | undefined {
  if (isMending(move.purpose) || isLastResort(move.purpose)) return undefined;
  return ofGuests(move, ({ vmid }) =>
    move.world.history.of.get(vmid)?.left.includes(move.target.name) === true
      ? 'it came from there within the cooldown'
      : undefined,
  );
}

function vetoed(move: MoveView): string | undefined {
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
function blamedNode({ target, world, purpose }: NodeView): string | undefined {
  const failure = isLastResort(purpose) ? undefined : world.history.blamed.get(target.name);
  return failure && `migrations of several guests to it failed, the last ${toldFailure(failure, world)}`;
}

/** It failed there for a reason that is the target's: other targets are not concerned. */
function blamedTarget(move: MoveView): string | undefined {
  if (isLastResort(move.purpose)) return undefined;
  return ofGuests(move, ({ vmid }) => {
    const failure = move.world.history.of.get(vmid)?.avoid.get(move.target.name);
    return failure && `its migration there failed ${toldFailure(failure, move.world)}`;
  });
}

/** Nobody can say what a move would make of it. */
function unknownLoad({ target }: NodeView): string | undefined {
  return target.loadUnknown === true ? 'its load is not known' : undefined;
}

export type Rules<V> = readonly (readonly [code: RejectionCode, rule: (view: V) => string | undefined])[];

const NODE_RULES: Rules<NodeView> = [
  ['excluded', excluded],
  ['load-unknown', unknownLoad],
  ['blamed', blamedNode],
  ['no-target', aboveTarget],
];

/** Whom it would stand beside, and where it may be; these change with what else moves. */
const WISHES: Rules<MoveView> = [
  ['pin', pinned],
  ['anti-affinity', antiAffinity],
  ['affinity', affinity],
  ['return', returning],
  ['veto', vetoed],
  ['blamed', blamedTarget],
];

/** The first that speaks counts. */
export function firstObstacle<V>(rules: Rules<V>, view: V): Obstacle | undefined {
  for (const [code, rule] of rules) {
    const text = rule(view);
    if (text !== undefined) return { code, text };
  }
  return undefined;
}

/** Why nothing can go there. */
export function nodeRuleObstacle(view: NodeView): Obstacle | undefined {
  return firstObstacle(NODE_RULES, view);
}

/** Why there is no room for it. */
export function roomObstacle(move: MoveView): Obstacle | undefined {
  return firstObstacle([['overload', overloadedAfter]], move) ?? gateObstacle(move);
}

/** Why it is not wanted there. */
export function wishObstacle(move: MoveView): Obstacle | undefined {
  return firstObstacle(WISHES, move);
}
