/** Mode `threshold`: takes overloaded nodes below their limits with the cheapest moves. Moves nothing twice. */
import { compareNatural } from '../../../order.ts';
import { costOf, type Draft } from './draft.ts';
import { breaches, excessOf, isOverloaded, loadsOf, negative } from './load.ts';
import type { Unit } from './units.ts';

interface Pick {
  readonly unit: Unit;
  readonly to: string;
}

/** How many of the next best are worth a look at their configuration when one has to be read anyway. */
const LOOK_AHEAD = 8;

export function overloadedNodes({ world, board }: Draft): string[] {
  return [...world.nodes.values()]
    .filter(({ name, online }) => online && isOverloaded(board.loads(name), world.config))
    .map(({ name }) => ({ name, severity: board.severity(name) }))
    .sort((a, b) => b.severity - a.severity || compareNatural(a.name, b.name))
    .map(({ name }) => name);
}

function candidatesOn(node: string, draft: Draft): Unit[] {
  return (draft.units.on.get(node) ?? []).filter(
    (unit) =>
      !draft.hasMoved(unit) &&
      (unit.demand.threads > 0 || unit.demand.committed > 0) &&
      draft.obstacle(unit, 'load') === undefined,
  );
}

function excess(node: string, { board, world }: Draft): number {
  return excessOf(board.loads(node), world.config);
}

function reliefOf(unit: Unit, node: string, { board, world }: Draft): number {
  const before = excessOf(board.loads(node), world.config);
  return before - excessOf(loadsOf(board.demand(node), negative(unit.demand)), world.config);
}

/** The best by relief per byte that has somewhere to go. What has nowhere now will have nowhere later. */
function bestPick(node: string, left: Set<Unit>, draft: Draft): Pick | undefined {
  const ranked = [...left]
    .map((unit) => ({ unit, score: reliefOf(unit, node, draft) / costOf(unit) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.unit.vmids[0] ?? 0) - (b.unit.vmids[0] ?? 0));
  for (const { unit } of ranked.slice(0, LOOK_AHEAD))
    for (const vmid of unit.vmids) draft.interesting.add(vmid);
  for (const { unit } of ranked) {
    left.delete(unit);
    const to = draft.findTarget(unit, 'load');
    if (to !== undefined) return { unit, to };
  }
  return undefined;
}

function greedy(node: string, candidates: readonly Unit[], draft: Draft): Pick[] {
  const left = new Set(candidates);
  const picks: Pick[] = [];
  while (excess(node, draft) > 0) {
    const pick = bestPick(node, left, draft);
    if (!pick) break;
    draft.board.move(pick.unit.vmids, pick.to);
    picks.push(pick);
  }
  return picks;
}

/** Takes back what turned out not to be needed, the dearest first. */
function prune(node: string, picks: readonly Pick[], draft: Draft): Pick[] {
  const kept = new Set(picks);
  for (const pick of [...picks].sort((a, b) => costOf(b.unit) - costOf(a.unit))) {
    draft.board.move(pick.unit.vmids, node);
    if (excess(node, draft) > 0) draft.board.move(pick.unit.vmids, pick.to);
    else kept.delete(pick);
  }
  return picks.filter((pick) => kept.has(pick));
}

function undo(node: string, picks: readonly Pick[], { board }: Draft): void {
  for (const { unit } of picks) board.move(unit.vmids, node);
}

/** One unit that does it alone for less. */
function single(node: string, candidates: readonly Unit[], limit: number, draft: Draft): Pick | undefined {
  const { board, world } = draft;
  const enough = candidates
    .filter((unit) => costOf(unit) < limit)
    .filter((unit) => excessOf(loadsOf(board.demand(node), negative(unit.demand)), world.config) === 0)
    .sort((a, b) => costOf(a) - costOf(b) || (a.vmids[0] ?? 0) - (b.vmids[0] ?? 0));
  for (const unit of enough) {
    const to = draft.findTarget(unit, 'load');
    if (to !== undefined) return { unit, to };
  }
  return undefined;
}

/** False: nothing was moved, because nothing can be or because it would not gain enough. */
export function relieve(node: string, draft: Draft): boolean {
  const { board, world } = draft;
  const before = excess(node, draft);
  const why = breaches(board.loads(node), world.config, 'overload').map(({ text }) => text);
  const candidates = candidatesOn(node, draft);
  let picks = greedy(node, candidates, draft);
  const after = excess(node, draft);
  if (after === 0) picks = prune(node, picks, draft);
  undo(node, picks, draft);
  const isWorthIt = picks.length > 0 && before - after >= before * world.config.minGain;
  if (!isWorthIt) return false;
  const cost = picks.reduce((total, { unit }) => total + costOf(unit), 0);
  const alone = after === 0 && picks.length > 1 ? single(node, candidates, cost, draft) : undefined;
  for (const { unit, to } of alone ? [alone] : picks) {
    draft.commit({ unit, from: [node], to, why: 'overload', reason: `relieves ${node} (${why.join(', ')})` });
  }
  return true;
}
