/** Mode `threshold`: takes overloaded nodes below their limits with the cheapest moves. Moves nothing twice. */
import { GIB, gib } from '../../../bytes.ts';
import { compareNatural } from '../../../order.ts';
import { costOf, type ChosenMove, type Draft } from './draft.ts';
import { breaches, excessOf, isOverloaded, loadsOf, negative, type Breach } from './load.ts';
import { problemOf, type Rung } from './problem.ts';
import { cheapest, type Effort, type Solution } from './search.ts';
import { WIDEST } from './rules/target-rules.ts';
import type { Unit } from './units.ts';

/**
 * Nodes below their targets take what they can; where that is not enough, others make room; then up to the limit, and nodes
 * that are relieved of one thing take another; at last the relief itself is no more than up to the limit.
 */
const RUNGS: readonly Rung[] = [
  { receivers: 'target', ceiling: 'relieveTo', goal: 'relieveTo', hasChains: false, hasSwaps: false },
  { receivers: 'relieveTo', ceiling: 'relieveTo', goal: 'relieveTo', hasChains: true, hasSwaps: false },
  { receivers: 'overload', ceiling: 'overload', goal: 'relieveTo', hasChains: true, hasSwaps: false },
  { receivers: 'overload', ceiling: 'overload', goal: 'relieveTo', hasChains: true, hasSwaps: true },
  { receivers: 'overload', ceiling: 'overload', goal: 'overload', hasChains: true, hasSwaps: false },
  { receivers: 'overload', ceiling: 'overload', goal: 'overload', hasChains: true, hasSwaps: true },
];

/** A rung further is gone for what costs so many times less, too. */
const DEARER = 1.1;
/**
 * The relief stops at the limit where going on is so many times dearer: than that, and than it would be if guests fitted in
 * anywhere. Where little is too much, going on is always dearer, and is what `relieve_to` is for.
 */
const FAR_DEARER = 2;

/** Clusters of so many nodes are looked at as a whole. */
const WHOLE = 8;
/** In larger ones, each overloaded node beside so many others, the least loaded. */
const FIELD = 12;
const EFFORT: Readonly<Record<'whole' | 'field', Effort>> = {
  whole: { steps: 2500, isThorough: true },
  field: { steps: 400, isThorough: false },
};

/** How many of the next best are worth a look at their configuration when one has to be read anyway. */
const LOOK_AHEAD = 8;

export function overloadedNodes({ world, board }: Draft): string[] {
  return [...world.nodes.values()]
    .filter(
      ({ name, online, loadUnknown }) =>
        online && loadUnknown !== true && isOverloaded(board.loads(name), world.config),
    )
    .map(({ name }) => ({ name, severity: board.severity(name) }))
    .sort((a, b) => b.severity - a.severity || compareNatural(a.name, b.name))
    .map(({ name }) => name);
}

function excess(node: string, { board, world }: Draft): number {
  return excessOf(board.loads(node), world.config);
}

/** Units by relief per byte, the best first. */
function ranked(node: string, units: Iterable<Unit>, { board, world }: Draft): Unit[] {
  const before = excessOf(board.loads(node), world.config);
  const reliefOf = ({ demand }: Unit): number =>
    before - excessOf(loadsOf(board.demand(node), negative(demand)), world.config);
  return [...units]
    .map((unit) => ({ unit, score: reliefOf(unit) / costOf(unit) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.unit.vmids[0] ?? 0) - (b.unit.vmids[0] ?? 0))
    .map(({ unit }) => unit);
}

/** What is too much of these now, and still above `relieve_to` when the picks have moved. */
function staysAbove(over: readonly Breach[], node: string, { board, world }: Draft): boolean {
  const codes = new Set(over.map(({ code }) => code));
  return breaches(board.loads(node), world.config, 'relieveTo').some(({ code }) => codes.has(code));
}

function reasonsFor(
  nodes: readonly string[],
  { picks, short }: Pick<Relief, 'picks' | 'short'>,
  draft: Draft,
): Map<string, string> {
  const { board, world } = draft;
  const before = nodes.map((node) => ({ node, over: breaches(board.loads(node), world.config, 'overload') }));
  for (const { unit, to } of picks) board.move(unit.vmids, to);
  const reasons = before.map(({ node, over }) => {
    const stops =
      short !== undefined && staysAbove(over, node, draft) ? `; no further than that: ${short}` : '';
    return [node, `relieves ${node} (${over.map(({ text }) => text).join(', ')})${stops}`] as const;
  });
  for (const { unit } of picks) board.move(unit.vmids, unit.node);
  return new Map(reasons);
}

function commit(nodes: readonly string[], relief: Pick<Relief, 'picks' | 'short'>, draft: Draft): void {
  const { picks } = relief;
  const reasons = reasonsFor(nodes, relief, draft);
  const moves = picks.map(({ unit, to }): ChosenMove => {
    const room = `makes room on ${unit.node} for what leaves ${nodes.join(' and ')}`;
    return { unit, from: [unit.node], to, why: 'overload', reason: reasons.get(unit.node) ?? room };
  });
  for (const move of moves) draft.commit(move);
}

/** The other nodes of a search: all of a small cluster, the least loaded of a large one. */
function fieldAround(nodes: readonly string[], draft: Draft): string[] {
  const { world, board } = draft;
  const others = [...world.nodes.keys()].filter((name) => !nodes.includes(name));
  if (world.nodes.size <= WHOLE) return others;
  return others
    .filter((name) => draft.nodeObstacle(name, 'load', WIDEST) === undefined)
    .map((name) => ({ name, severity: board.severity(name) }))
    .sort((a, b) => a.severity - b.severity || compareNatural(a.name, b.name))
    .slice(0, FIELD)
    .map(({ name }) => name);
}

interface Relief extends Solution {
  /** Why it goes no further than to the limit. */
  readonly short?: string;
}

/** What going on would take more of, the dearest first. */
function moreOf({ picks: further }: Solution, { picks }: Solution): string {
  const units = (some: Solution['picks']): Unit[] => some.map(({ unit }) => unit);
  const more = (of: (unit: Unit) => number): number => {
    const sum = (some: readonly Unit[]): number => some.reduce((total, unit) => total + of(unit), 0);
    return sum(units(further)) - sum(units(picks));
  };
  const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  const [restarts, bytes] = [more((unit) => unit.restarts), more((unit) => unit.bytes)];
  const parts = [
    ...(restarts > 0 ? [counted(restarts, 'restart')] : []),
    ...(bytes >= GIB / 20 ? [gib(bytes)] : []),
  ];
  // What is dearer by neither is so by their number.
  return parts.length > 0
    ? parts.join(' and ')
    : counted(
        more(({ vmids }) => vmids.length),
        'migration',
      );
}

/** The solution of the first rung that has one, unless another one is much cheaper. */
function solutionFor(nodes: readonly string[], draft: Draft): Relief | undefined {
  const others = fieldAround(nodes, draft);
  const isWhole = draft.world.nodes.size <= WHOLE;
  const effort = isWhole ? EFFORT.whole : EFFORT.field;
  let found: { readonly goal: Rung['goal']; readonly solution: Relief } | undefined;
  for (const rung of RUNGS.filter(({ hasSwaps }) => isWhole || !hasSwaps)) {
    const isNearer = found !== undefined && found.goal !== rung.goal;
    const dearer = isNearer ? FAR_DEARER : DEARER;
    if (found && found.solution.cost <= found.solution.least * dearer) break;
    const solution = cheapest(problemOf({ sources: nodes, others }, rung, draft), effort, draft);
    if (!solution || (found && solution.cost * dearer >= found.solution.cost)) continue;
    const short =
      found && isNearer
        ? `to relieve_to would be ${moreOf(found.solution, solution)} more`
        : 'relieve_to cannot be had';
    found = {
      goal: rung.goal,
      solution: rung.goal === 'overload' ? { ...solution, short } : solution,
    };
  }
  return found?.solution;
}

/** Takes all of these below their limits, or does nothing. */
function solve(nodes: readonly string[], draft: Draft): boolean {
  for (const node of nodes) {
    const best = ranked(node, draft.relieving(node), draft).slice(0, LOOK_AHEAD);
    for (const { vmids } of best) for (const vmid of vmids) draft.interesting.add(vmid);
  }
  const solution = solutionFor(nodes, draft);
  if (!solution) return false;
  commit(nodes, solution, draft);
  draft.account(solution);
  return true;
}

/** As much as can be had, when a node cannot be taken below its limits; nothing when that is too little. */
function ease(node: string, draft: Draft): void {
  const { board, world } = draft;
  const before = excess(node, draft);
  const left = new Set(draft.relieving(node));
  const picks: { unit: Unit; to: string }[] = [];
  const best = (): { unit: Unit; to: string } | undefined => {
    for (const unit of ranked(node, left, draft)) {
      left.delete(unit);
      const to = draft.findTarget(unit, 'load', { reach: WIDEST });
      if (to !== undefined) return { unit, to };
    }
    return undefined;
  };
  for (let pick = best(); pick; pick = best()) {
    board.move(pick.unit.vmids, pick.to);
    picks.push(pick);
  }
  const gain = before - excess(node, draft);
  for (const { unit } of picks) board.move(unit.vmids, node);
  if (picks.length > 0 && gain >= before * world.config.minGain) commit([node], { picks }, draft);
}

/** Relieves all overloaded nodes: together where the cluster is small enough to see the best for all, else one by one. */
export function relieve(draft: Draft): void {
  const nodes = overloadedNodes(draft);
  if (nodes.length > 1 && draft.world.nodes.size <= WHOLE && solve(nodes, draft)) return;
  for (const node of nodes) if (!solve([node], draft)) ease(node, draft);
}
