/** Finds an order of moves in which no node is too full on the way, and asks the platform about each in that order. */
import type { Draft } from './draft.ts';
import type { Problem } from './problem.ts';
import { WIDEST } from './rules/target-rules.ts';
import type { Unit } from './units.ts';

export interface Hop {
  /** Of the item. */
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

interface Pick {
  readonly unit: Unit;
  readonly to: string;
}

/** Takes the load of a unit along. */
export function shift(hop: Hop, load: Float64Array, { items, width, parts, rate }: Problem): void {
  const demand = items[hop.index]?.unit.demand;
  if (!demand) return;
  for (const [node, sign] of [
    [hop.from, -1],
    [hop.to, 1],
  ] as const) {
    for (let row = 0; row < width; row += 1) {
      const at = node * width + row;
      load[at] = (load[at] ?? 0) + sign * demand[parts[row] ?? 'memory'] * (rate[at] ?? 0);
    }
  }
}

function fits(hop: Hop, load: Float64Array, { items, width, parts, rate, hard }: Problem): boolean {
  const demand = items[hop.index]?.unit.demand;
  for (let row = 0; row < width; row += 1) {
    const at = hop.to * width + row;
    const more = (demand?.[parts[row] ?? 'memory'] ?? 0) * (rate[at] ?? 0);
    if ((load[at] ?? 0) + more > (hard[at] ?? 0) && more > 0) return false;
  }
  return true;
}

/** Those first that wait for nothing to leave their target. */
function executable(hops: readonly Hop[], problem: Problem): Hop[] | undefined {
  const load = Float64Array.from(problem.load);
  const ordered: Hop[] = [];
  let left = [...hops];
  while (left.length > 0) {
    const ready = left.filter((hop) => fits(hop, load, problem));
    const next = ready.find(({ to }) => !left.some(({ from }) => from === to)) ?? ready[0];
    if (!next) return undefined;
    shift(next, load, problem);
    ordered.push(next);
    left = left.filter((hop) => hop !== next);
  }
  return ordered;
}

/** All hops are made on the board already, and are so again afterwards. */
export function inOrder(hops: readonly Hop[], problem: Problem, draft: Draft): Pick[] | undefined {
  const { items, nodes } = problem;
  const picksOf = (some: readonly Hop[], end: 'from' | 'to'): Pick[] =>
    some.flatMap((hop) => {
      const item = items[hop.index];
      return item ? [{ unit: item.unit, to: nodes[hop[end]] ?? '' }] : [];
    });
  const ordered = executable(hops, problem);
  if (!ordered) return undefined;
  const { board } = draft;
  for (const { unit, to } of picksOf(hops, 'from')) board.move(unit.vmids, to);
  const picks = picksOf(ordered, 'to');
  const isAllowed = picks.every(({ unit, to }) => {
    const obstacle = draft.targetObstacle(unit, to, 'load', WIDEST);
    board.move(unit.vmids, to);
    return obstacle === undefined;
  });
  for (const { unit, to } of picks) board.move(unit.vmids, to);
  return isAllowed ? picks : undefined;
}
