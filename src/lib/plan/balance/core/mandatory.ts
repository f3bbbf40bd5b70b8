/** Moves that load is no reason for: torn stands put together, broken rules mended, nodes emptied. */
import { addTo } from '../../../group.ts';
import { compareNatural, sortedUnique } from '../../../order.ts';
import { costOf, type ChosenMove, type Draft } from './draft.ts';
import type { Obstacle } from './constraints.ts';
import { standKey, type Guest, type Stand } from './types.ts';
import type { World } from './world.ts';
import { makeUnit, type Unit } from './units.ts';

/** A stand whose machines share networks and are on several nodes. */
export interface TornStand {
  readonly stand: Stand;
  readonly guests: readonly Guest[];
  /** In natural order. */
  readonly nodes: readonly string[];
}

export function findTorn(world: World): TornStand[] {
  const members = new Map<string, Guest[]>();
  for (const [vmid, stand] of world.stands) {
    const guest = world.guests.get(vmid);
    if (guest && world.wired.has(vmid)) addTo(members, standKey(stand), guest);
  }
  return [...members]
    .map(([key, guests]) => ({ key, guests, nodes: sortedUnique(guests.map(({ node }) => node)) }))
    .filter(({ nodes }) => nodes.length > 1)
    .sort((a, b) => compareNatural(a.key, b.key))
    .flatMap(({ guests, nodes }) => {
      const stand = world.stands.get(guests[0]?.vmid ?? -1);
      return stand ? [{ stand, guests, nodes }] : [];
    });
}

/** Nodes on which the stand could come together: first those that have a part of it, by what is left to move. */
function meetingPoints({ guests, nodes }: TornStand, draft: Draft): { to: string; unit: Unit }[] {
  const points = [...draft.world.nodes.keys()].map((to) => {
    const unit = makeUnit(
      guests.filter(({ node }) => node !== to),
      draft.world,
    );
    return { to, unit, isPart: nodes.includes(to) };
  });
  return points.sort(
    (a, b) =>
      Number(b.isPart) - Number(a.isPart) || costOf(a.unit) - costOf(b.unit) || compareNatural(a.to, b.to),
  );
}

/**
 * The network of a torn stand is cut, so cooldown and the way back do not count; a machine whose last migration failed
 * moves only when there is no other way. When it failed again the others go back to it, even onto a node above its
 * limits: that had them before, and a cut network is worse. Returns why it stays torn.
 */
export function mend(torn: TornStand, draft: Draft): Obstacle | undefined {
  let why: Obstacle | undefined;
  if (draft.hasMovedAny(torn.guests.map(({ vmid }) => vmid))) return undefined;
  const isHopeless = torn.guests.some(({ vmid }) => (draft.world.history.of.get(vmid)?.failures ?? 0) > 1);
  for (const purpose of ['mend', ...(isHopeless ? ['mend-back' as const] : []), 'mend-anyway'] as const) {
    for (const { to, unit } of meetingPoints(torn, draft)) {
      if (purpose === 'mend-back' && !torn.nodes.includes(to)) continue;
      const obstacle = draft.obstacle(unit, purpose) ?? draft.targetObstacle(unit, to, purpose);
      why = obstacle ? (why ?? { ...obstacle, text: `to ${to}: ${obstacle.text}` }) : undefined;
      if (obstacle) continue;
      const reason = `its machines are on ${torn.nodes.join(' and ')}, which cuts its networks`;
      draft.commit({
        unit,
        from: sortedUnique(unit.guests.map(({ node }) => node)),
        to,
        why: 'half-moved',
        reason,
      });
      return undefined;
    }
  }
  return why;
}

function tryMove(unit: Unit, draft: Draft, reason: string, among?: Iterable<string>): boolean {
  if (draft.hasMoved(unit) || draft.obstacle(unit, 'rule')) return false;
  const to = draft.findTarget(unit, 'rule', among ? { among } : {});
  for (const vmid of unit.vmids) draft.interesting.add(vmid);
  if (to === undefined) return false;
  draft.commit({ unit, from: [unit.node], to, why: 'rule', reason });
  return true;
}

function unitsOf(vmids: Iterable<number>, draft: Draft): Unit[] {
  return [...new Set([...vmids].flatMap((vmid) => draft.units.of.get(vmid) ?? []))].sort(
    (a, b) => costOf(a) - costOf(b) || (a.vmids[0] ?? 0) - (b.vmids[0] ?? 0),
  );
}

function mendPins(draft: Draft): void {
  for (const [vmid, pins] of draft.world.rules.pins) {
    const pin = pins.find(({ nodes }) => !nodes.includes(draft.board.whereIs(vmid) ?? ''));
    const unit = draft.units.of.get(vmid);
    if (pin && unit)
      tryMove(unit, draft, `rule ${pin.name} keeps VM ${vmid} on ${pin.nodes.join(', ')}`, pin.nodes);
  }
}

function byNode(vmids: readonly number[], draft: Draft): Map<string, number[]> {
  const map = new Map<string, number[]>();
  for (const vmid of vmids) {
    const node = draft.board.whereIs(vmid);
    if (node !== undefined) addTo(map, node, vmid);
  }
  return map;
}

/** Moves the cheapest members away until one is left on the node. */
function mendAntiAffinity(draft: Draft): void {
  for (const { name, vmids } of draft.world.rules.antiAffinity.groups) {
    for (const members of byNode(vmids, draft).values()) {
      let together = members;
      for (const unit of unitsOf(members, draft)) {
        if (together.length < 2) break;
        const own = together.filter((vmid) => unit.vmids.includes(vmid));
        const others = together.filter((vmid) => !unit.vmids.includes(vmid));
        // A unit that holds them all takes the conflict with it.
        if (others.length === 0) break;
        if (tryMove(unit, draft, `rule ${name} keeps VM ${own.join(', ')} apart from ${others.join(', ')}`))
          together = others;
      }
    }
  }
}

/** Gathers a group on the node to which the least has to be moved. */
function mendAffinity(draft: Draft): void {
  for (const { name, vmids } of draft.world.rules.affinity.groups) {
    const parts = byNode(vmids, draft);
    if (parts.size < 2) continue;
    const costTo = (node: string): number =>
      unitsOf(vmids, draft)
        .filter((unit) => unit.node !== node)
        .reduce((total, unit) => total + costOf(unit), 0);
    const [best] = [...parts.keys()].sort((a, b) => costTo(a) - costTo(b) || compareNatural(a, b));
    for (const unit of unitsOf(vmids, draft)) {
      if (best === undefined || draft.board.whereIs(unit.vmids[0] ?? -1) === best) continue;
      tryMove(unit, draft, `rule ${name} keeps it with the others on ${best}`, [best]);
    }
  }
}

/** Mends what can be mended of broken rules. */
export function mendRules(draft: Draft): void {
  mendPins(draft);
  mendAntiAffinity(draft);
  mendAffinity(draft);
}

/** Where the unit can go, and what speaks against it without holding it back. */
function refugeOf(unit: Unit, draft: Draft): { readonly to: string; readonly although?: string } | undefined {
  const to = draft.findTarget(unit, 'evacuate') ?? draft.findTarget(unit, 'evacuate-anyway');
  if (to === undefined) return undefined;
  const although = draft.obstacle(unit, 'evacuate') ?? draft.targetObstacle(unit, to, 'evacuate');
  return { to, ...(although ? { although: although.text } : {}) };
}

/**
 * Empties nodes, the largest units first: they are the hardest to place. It is an order: what has happened before (a move,
 * a failure) makes a unit go last, and to where it failed only if there is nowhere else.
 */
export function evacuate(draft: Draft): void {
  const units = [...draft.world.evacuated]
    .sort(compareNatural)
    .flatMap((node) => draft.units.on.get(node) ?? [])
    .filter((unit) => !draft.hasMoved(unit))
    .sort((a, b) => b.demand.committed - a.demand.committed || (a.vmids[0] ?? 0) - (b.vmids[0] ?? 0));
  const last = new Set<ChosenMove>();
  for (const unit of units) {
    if (draft.obstacle(unit, 'evacuate-anyway')) continue;
    const refuge = refugeOf(unit, draft);
    for (const vmid of unit.vmids) draft.interesting.add(vmid);
    if (!refuge) continue;
    const { to, although } = refuge;
    const reason = `${unit.node} is being emptied${although === undefined ? '' : `, although: ${although}`}`;
    const move: ChosenMove = { unit, from: [unit.node], to, why: 'evacuate', reason };
    if (although !== undefined) last.add(move);
    draft.commit(move);
  }
  draft.moves.sort((a, b) => Number(last.has(a)) - Number(last.has(b)));
}
