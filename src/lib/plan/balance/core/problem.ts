/** The relief of nodes as numbers: what each carries, what each may carry, what each unit weighs there. Decides nothing. */
import { GIB } from '../../../bytes.ts';
import { costOf, type Draft } from './draft.ts';
import { GATES } from './gates.ts';
import { dimensionsOf, EPSILON, NO_DEMAND, type Demand, type Level } from './load.ts';
import type { Node, Policy } from './types.ts';
import type { Unit } from './units.ts';

/** How far a relief goes. */
export interface Rung {
  /** Nodes below these take something. */
  readonly receivers: Level;
  /** They stay below these. */
  readonly ceiling: Exclude<Level, 'target'>;
  /** What is relieved goes down to these. */
  readonly goal: Exclude<Level, 'target'>;
  /** May nodes that take something give away others for it? */
  readonly hasChains: boolean;
  /** May nodes that are relieved take something, too, once what is too much there has left? */
  readonly hasSwaps: boolean;
}

interface Item {
  readonly unit: Unit;
  /** Index of its node. */
  readonly home: number;
  readonly cost: number;
}

/** Rows of `width` numbers, one row per node: the measures that the limits speak of, then what has to stay free. */
export interface Problem {
  readonly nodes: readonly string[];
  readonly width: number;
  /** The part of a demand that each number is linear in. */
  readonly parts: readonly (keyof Demand)[];
  readonly load: Float64Array;
  /** What one of its part adds. */
  readonly rate: Float64Array;
  /** What a node that takes something may carry at most, at the end; and on the way there. */
  readonly ceiling: Float64Array;
  readonly hard: Float64Array;
  /** What a node that is relieved may carry at most; infinite for the others. */
  readonly goal: Float64Array;
  readonly takes: readonly boolean[];
  readonly items: readonly Item[];
  /** Indices of the items by node. */
  readonly on: readonly (readonly number[])[];
}

interface Row {
  readonly part: keyof Demand;
  readonly value: (loads: ReturnType<Draft['board']['loads']>) => number;
  readonly limit: (level: Level, node: Node) => number;
  readonly isJudged: boolean;
}

function rowsOf(config: Policy): Row[] {
  return [
    ...dimensionsOf(config).map(({ part, value, limit }): Row => ({
      part: part(config),
      value: (loads) => value(loads, config),
      limit: (level) => limit(config[level]),
      isJudged: true,
    })),
    ...GATES.map(({ part, value, limit }): Row => ({
      ...{ part, value, isJudged: false },
      limit: (_, node) => limit(node, config),
    })),
  ];
}

/** Large enough to tell from rounding, on any node. */
const PROBE: Demand = { threads: 1, memory: GIB, committed: GIB, vcpus: 1, guests: 1 };

interface Matrix {
  readonly rows: readonly Row[];
  readonly nodes: readonly Node[];
}

function matrix({ nodes, rows }: Matrix, at: (row: Row, node: Node) => number): Float64Array {
  return Float64Array.from(nodes.flatMap((node) => rows.map((row) => at(row, node))));
}

function ratesOf(table: Matrix, { board }: Draft): Float64Array {
  return matrix(table, (row, { name }) => {
    const more = board.loadsWith(name, { ...NO_DEMAND, [row.part]: PROBE[row.part] });
    return (row.value(more) - row.value(board.loads(name))) / PROBE[row.part];
  });
}

function itemsOn(node: string, home: number, draft: Draft): Item[] {
  return draft.relieving(node).map((unit) => ({ unit, home, cost: costOf(unit) }));
}

/** `sources`: the nodes to be relieved; `others`: those that may take something. */
export function problemOf(
  { sources, others }: { readonly sources: readonly string[]; readonly others: readonly string[] },
  rung: Rung,
  draft: Draft,
): Problem {
  const { board, world } = draft;
  const nodes = [...sources, ...others].flatMap((name) => world.nodes.get(name) ?? []);
  const table: Matrix = { rows: rowsOf(world.config), nodes };
  const isSource = new Set(sources);
  const most = (level: Rung['ceiling']): Float64Array =>
    matrix(table, (row, node) => row.limit(level, node) * (row.isJudged ? 1 - 2 * EPSILON : 1));
  const items = nodes.flatMap(({ name }, home) =>
    isSource.has(name) || rung.hasChains ? itemsOn(name, home, draft) : [],
  );
  const reach = { receivers: rung.receivers, ceiling: rung.ceiling };
  const takes = (name: string): boolean => {
    const obstacle = draft.nodeObstacle(name, 'load', reach);
    return obstacle === undefined || (rung.hasSwaps && isSource.has(name) && obstacle.code === 'no-target');
  };
  return {
    nodes: nodes.map(({ name }) => name),
    width: table.rows.length,
    parts: table.rows.map(({ part }) => part),
    load: matrix(table, (row, { name }) =>
      row.value(isSource.has(name) && !rung.hasSwaps ? board.loads(name) : board.loadsAsTarget(name)),
    ),
    rate: ratesOf(table, draft),
    ceiling: most(rung.ceiling),
    hard: most('overload'),
    goal: matrix(table, (row, node) => {
      const isOver =
        isSource.has(node.name) &&
        row.isJudged &&
        row.value(board.loads(node.name)) > row.limit('overload', node) * (1 + EPSILON);
      return isOver ? row.limit(rung.goal, node) : Infinity;
    }),
    takes: nodes.map(({ name }) => takes(name)),
    items,
    on: nodes.map((_, home) => items.flatMap((item, index) => (item.home === home ? [index] : []))),
  };
}
