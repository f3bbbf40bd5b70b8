/** Mode `spread`: evens out node loads while they differ too much. Never makes a node worse than the one it relieves. */
import type { Board } from './board.ts';
import { costOf, type ChosenMove, type Draft } from './draft.ts';
import { EPSILON, meanLoadOf, severityOf } from './load.ts';
import { compareNatural } from '../../../order.ts';
import type { Node } from './types.ts';
import type { Unit } from './units.ts';
import type { World } from './world.ts';

/** Standard deviation by mean; 0 for fewer than two nodes or no load. */
function variationOf(loads: readonly number[]): number {
  const total = loads.reduce((sum, load) => sum + load, 0);
  const squares = loads.reduce((sum, load) => sum + load * load, 0);
  return variation(loads.length, total, squares);
}

export function variationOn(board: Board, world: World): number {
  return variationOf(nodesInService({ world }).map((name) => meanLoadOf(board.loads(name), world.config)));
}

function variation(count: number, total: number, squares: number): number {
  if (count < 2 || total <= 0) return 0;
  const mean = total / count;
  return Math.sqrt(Math.max(squares / count - mean * mean, 0)) / mean;
}

/** Nodes that take part: those in service. */
export function nodesInService({ world }: Pick<Draft, 'world'>): string[] {
  return [...world.nodes.values()]
    .filter(({ online, maintenance, loadUnknown }) => online && !maintenance && loadUnknown !== true)
    .map(({ name }) => name);
}

interface Option {
  readonly unit: Unit;
  readonly to: string;
  readonly score: number;
}

type Tell = (unit: Unit, to: string, score: number) => void;

interface Field {
  readonly loads: ReadonlyMap<string, number>;
  readonly total: number;
  readonly squares: number;
  readonly variation: number;
}

function fieldOf(draft: Draft): Field {
  const loads = new Map(
    nodesInService(draft).map((name) => [name, meanLoadOf(draft.board.loads(name), draft.world.config)]),
  );
  const values = [...loads.values()];
  const total = values.reduce((sum, load) => sum + load, 0);
  const squares = values.reduce((sum, load) => sum + load * load, 0);
  return { loads, total, squares, variation: variation(values.length, total, squares) };
}

/** Smaller improvements are noise. */
const LEAST = 1e-6;

/** What the unit adds to the load of a node. Loads are linear in it, which spares projecting each pair. */
function shareOf(threads: number, memory: number, { cpus, memoryTotal }: Node): number {
  return (threads / Math.max(cpus, 1) + memory / Math.max(memoryTotal, 1)) / 2;
}

interface Target {
  readonly node: Node;
  readonly load: number;
  /** Of the nodes that are neither this one nor the source. */
  readonly total: number;
  readonly squares: number;
}

function targetsFor(source: Node, field: Field, { board, world }: Draft): Target[] {
  const here = field.loads.get(source.name) ?? 0;
  return [...world.nodes.values()].flatMap((node) => {
    const load = field.loads.get(node.name);
    if (load === undefined || load >= here || !board.isBelow(node.name, 'target')) return [];
    return [
      { node, load, total: field.total - here - load, squares: field.squares - here * here - load * load },
    ];
  });
}

/** Of nodes of one size the least loaded is the best for any unit, as each adds as much to any of them. */
function bestOfEachSize(targets: readonly Target[]): Target[] {
  const best = new Map<string, Target>();
  for (const target of targets) {
    const size = `${target.node.cpus} ${target.node.memoryTotal}`;
    if (target.load < (best.get(size)?.load ?? Infinity)) best.set(size, target);
  }
  return [...best.values()];
}

/** Tells of each move off the source to one of these that evens out. */
function eachOption(
  source: Node,
  targets: readonly Target[],
  { field, draft }: { readonly field: Field; readonly draft: Draft },
  tell: Tell,
): void {
  const { world, units } = draft;
  const here = field.loads.get(source.name) ?? 0;
  const count = field.loads.size;
  for (const unit of units.on.get(source.name) ?? []) {
    const { threads, committed } = unit.demand;
    if (committed === 0 || draft.hasMoved(unit) || draft.obstacle(unit, 'load')) continue;
    const memory = world.config.memoryMeasure === 'used' ? unit.demand.memory : committed;
    const left = here - shareOf(threads, memory, source);
    const cost = costOf(unit);
    for (const { node, load, total, squares } of targets) {
      const there = load + shareOf(threads, memory, node);
      const after = variation(count, total + left + there, squares + left * left + there * there);
      const gain = field.variation - after;
      if (gain > LEAST) tell(unit, node.name, gain / cost);
    }
  }
}

function compareOptions(a: Option, b: Option): number {
  return b.score - a.score || (a.unit.vmids[0] ?? 0) - (b.unit.vmids[0] ?? 0) || compareNatural(a.to, b.to);
}

/** The best first. It nearly always does, so the others are not even listed before. */
function* bestFirst(source: Node, field: Field, draft: Draft): Generator<Option> {
  const targets = targetsFor(source, field, draft);
  const around = { field, draft };
  let best: Option | undefined;
  eachOption(source, bestOfEachSize(targets), around, (unit, to, score) => {
    if (best && score < best.score) return;
    const option = { unit, to, score };
    if (!best || compareOptions(option, best) < 0) best = option;
  });
  if (!best) return;
  yield best;
  const all: Option[] = [];
  eachOption(source, targets, around, (unit, to, score) => all.push({ unit, to, score }));
  yield* all.sort(compareOptions).slice(1);
}

/** The best move off the most loaded node that has one. */
function bestMove(field: Field, draft: Draft): ChosenMove | undefined {
  const { board, world } = draft;
  const sources = [...field.loads].sort(([a, x], [b, y]) => y - x || compareNatural(a, b));
  for (const [name, load] of sources) {
    const source = world.nodes.get(name);
    const limit = board.severity(name) - EPSILON;
    for (const { unit, to } of source ? bestFirst(source, field, draft) : []) {
      draft.interesting.add(unit.vmids[0] ?? 0);
      if (severityOf(board.loadsAsTarget(to, unit.demand), world.config) >= limit) continue;
      if (draft.targetObstacle(unit, to, 'load')) continue;
      const percent = (value: number): string => `${Math.round(value * 100)} %`;
      const reason = `evens out ${name} (load ${percent(load)}) and ${to} (${percent(field.loads.get(to) ?? 0)})`;
      return { unit, from: [name], to, why: 'spread', reason };
    }
  }
  return undefined;
}

/** False: the loads do not differ too much, or no moves would change that enough. */
export function evenOut(draft: Draft): boolean {
  const { world, board } = draft;
  const { spreadLimit, minGain } = world.config;
  const before = fieldOf(draft).variation;
  const moves: ChosenMove[] = [];
  const tried = draft.snapshot();
  for (let field = fieldOf(tried); field.variation > spreadLimit; field = fieldOf(tried)) {
    const move = bestMove(field, tried);
    if (!move) break;
    tried.commit(move);
    moves.push(move);
  }
  const gain = before - fieldOf(tried).variation;
  for (const { unit } of moves) board.move(unit.vmids, unit.node);
  if (moves.length === 0 || gain < before * minGain) return false;
  for (const move of moves) draft.commit(move);
  return true;
}
