/**
 * The cheapest moves that take nodes below their limits: branch and bound, cut off after a number of steps that the caller
 * names. A unit may go where it makes another node too full, when that one can give something away in turn.
 */
import { groupBy } from '../../../group.ts';
import type { Draft } from './draft.ts';
import { inOrder, type Hop } from './hops.ts';
import type { Problem } from './problem.ts';
import type { Unit } from './units.ts';

export interface Solution {
  /** In an order in which no node is too full on the way. */
  readonly picks: readonly { readonly unit: Unit; readonly to: string }[];
  readonly cost: number;
  /** No solution costs less, wherever there were room, not even one that could cut units in pieces. */
  readonly least: number;
  /** The same of whole units; never less. */
  readonly leastWhole: number;
}

/** Counted, not timed: the same plan on any machine. */
export interface Effort {
  /** For each strategy. */
  readonly steps: number;
  /** Also those strategies that pay in few problems. */
  readonly isThorough: boolean;
}

/** In which order units and targets are tried. */
interface Strategy {
  /** Relief by cost, or first what does it alone for the least. */
  readonly units: 'ratio' | 'alone';
  /** Where it leaves the most room, or the least. */
  readonly targets: 'even' | 'snug';
  /** Most moves; absent: any number. */
  readonly most?: number;
  /** How often something else than the first choice may be taken; absent: any number of times. */
  readonly detours?: number;
}

const STRATEGIES: readonly Strategy[] = [
  { units: 'ratio', targets: 'even' },
  { units: 'alone', targets: 'snug' },
  { units: 'ratio', targets: 'snug' },
  // One that may go any depth rarely comes back to its first choices: where it found nothing, or many moves, few that do
  // may be far from the first that come to mind.
  { units: 'alone', targets: 'snug', most: 4 },
  { units: 'ratio', targets: 'even', most: 3 },
  // Nor does it when all of its first choices but one or two are right.
  { units: 'ratio', targets: 'even', detours: 2 },
  { units: 'alone', targets: 'snug', detours: 2 },
  { units: 'ratio', targets: 'snug', detours: 2 },
];

/** Targets that have to give something away first: so many are tried for each unit. */
const CHAIN_TARGETS = 3;
/** What is so little better is not looked for. */
const WORTH = 0.99;
const TINY = 1e-9;

const UNDECIDED = 0;
const STAYS = 1;
const MOVED = 2;

/**
 * Items that are alike in all numbers and wanted on the same nodes have the same number; one of its own for each other.
 * Where one of them stays, it is of no use to try the next in its place.
 */
function kindsOf({ items, nodes }: Problem, draft: Draft): Int32Array {
  const numbers = groupBy(items.keys(), (index) => {
    const { home, cost, unit } = items[index] ?? {};
    return JSON.stringify([home, cost, unit?.demand]);
  });
  const wishes = (index: number): string => {
    const { home, unit } = items[index] ?? {};
    return nodes
      .map((node, to) => to === home || (unit && draft.unwantedAt(unit, node, 'load')) !== undefined)
      .join();
  };
  const kinds = new Int32Array(items.length);
  let kind = 0;
  for (const alike of numbers.values()) {
    const groups = alike.length === 1 ? [alike] : groupBy(alike, wishes).values();
    for (const group of groups) {
      kind += 1;
      for (const index of group) kinds[index] = kind;
    }
  }
  return kinds;
}

class Search {
  readonly #problem: Problem;
  readonly #draft: Draft;
  readonly #load: Float64Array;
  readonly #arrived: Int32Array;
  readonly #state: Uint8Array;
  readonly #kinds: Int32Array;
  readonly #hops: Hop[] = [];
  /** Items of a node, the cheapest by that part of their demand first. */
  readonly #cheapest: ReadonlyMap<string, readonly number[]>[];
  #best: Pick<Solution, 'picks' | 'cost'> | undefined;
  #steps = 0;
  #isCut = false;
  /** More moves than the strategy allows would have been tried. */
  #isShort = false;
  #strategy: Strategy = STRATEGIES[0] ?? { units: 'ratio', targets: 'even' };

  constructor(problem: Problem, draft: Draft) {
    this.#problem = problem;
    this.#draft = draft;
    this.#load = Float64Array.from(problem.load);
    this.#arrived = new Int32Array(problem.nodes.length);
    this.#state = new Uint8Array(problem.items.length);
    this.#kinds = kindsOf(problem, draft);
    this.#cheapest = problem.on.map((items) => {
      const price = (index: number, part: (typeof problem.parts)[number]): number => {
        const item = problem.items[index];
        return item ? item.cost / item.unit.demand[part] : 0;
      };
      const byPart = [...new Set(problem.parts)].map((part) => {
        const some = items.filter((index) => (problem.items[index]?.unit.demand[part] ?? 0) > 0);
        return [part, some.sort((a, b) => price(a, part) - price(b, part) || a - b)] as const;
      });
      return new Map<string, readonly number[]>(byPart);
    });
  }

  /** Undefined: there is none, or none was found in `steps` steps for each strategy. */
  solve({ steps, isThorough }: Effort): Solution | undefined {
    const bound = this.#bound();
    if (bound === Infinity) return undefined;
    const whole = this.#problem.nodes.reduce((sum, _, node) => sum + this.#coverWhole(node), 0);
    for (const strategy of STRATEGIES) {
      if (this.#isFewEnough(strategy) || (strategy.detours !== undefined && !isThorough)) continue;
      this.#strategy = strategy;
      this.#steps = steps;
      this.#isCut = false;
      this.#isShort = false;
      this.#dive(0, strategy.detours ?? Infinity);
      if (this.#isThrough()) break;
    }
    const best = this.#best;
    if (!best) return undefined;
    const least = Math.min(bound, best.cost);
    return { ...best, least, leastWhole: Math.min(Math.max(bound, whole), best.cost) };
  }

  /** What was found takes no more moves than this strategy looks at. */
  #isFewEnough({ most }: Strategy): boolean {
    return most !== undefined && this.#best !== undefined && this.#best.picks.length <= most;
  }

  /** Nothing cheaper was left out. */
  #isThrough(): boolean {
    return !this.#isCut && !this.#isShort;
  }

  /** By how much a number of a node is too large; negative: its room. */
  #over(at: number, node: number): number {
    const { goal, ceiling } = this.#problem;
    const limit = this.#arrived[node] === 0 ? (goal[at] ?? 0) : Math.min(goal[at] ?? 0, ceiling[at] ?? 0);
    return (this.#load[at] ?? 0) - limit * (1 + TINY);
  }

  #excess(node: number): number {
    const { width, ceiling } = this.#problem;
    let total = 0;
    for (let at = node * width; at < (node + 1) * width; at += 1) {
      const over = this.#over(at, node);
      if (over > 0) total += over / (ceiling[at] ?? 1);
    }
    return total;
  }

  /** The node that is worst off; undefined: none is. */
  #worst(): number | undefined {
    let worst: number | undefined;
    let most = 0;
    for (let node = 0; node < this.#problem.nodes.length; node += 1) {
      const excess = this.#excess(node);
      if (excess <= most) continue;
      worst = node;
      most = excess;
    }
    return worst;
  }

  /** Load does not vanish: what is too much somewhere needs as much room elsewhere. */
  #hasRoom(): boolean {
    const { width, nodes, rate, ceiling, goal, takes, load } = this.#problem;
    for (let row = 0; row < width; row += 1) {
      let [need, room] = [0, 0];
      for (let node = 0; node < nodes.length; node += 1) {
        const at = node * width + row;
        const by = rate[at] ?? 0;
        const over = this.#over(at, node);
        if (over > 0) need += by > 0 ? over / by : 0;
        else if (takes[node]) {
          const most = Math.min(goal[at] ?? 0, ceiling[at] ?? 0);
          const free = most - (this.#load[at] ?? load[at] ?? 0);
          room += by > 0 ? Math.max(free, 0) / by : Infinity;
        }
      }
      if (need > room * (1 + TINY) + TINY) return false;
    }
    return true;
  }

  /** What has to leave a node costs at least so much, if units could be cut in pieces. */
  #cover(node: number): number {
    const { width, parts, rate, items } = this.#problem;
    let most = 0;
    for (let row = 0; row < width; row += 1) {
      const at = node * width + row;
      const over = this.#over(at, node);
      if (over <= 0) continue;
      const part = parts[row] ?? 'memory';
      let left = over / (rate[at] ?? 0);
      let cost = 0;
      for (const index of this.#cheapest[node]?.get(part) ?? []) {
        if (left <= 0) break;
        const item = items[index];
        if (!item || this.#state[index] !== UNDECIDED) continue;
        const share = Math.min(left / item.unit.demand[part], 1);
        cost += share * item.cost;
        left -= share * item.unit.demand[part];
      }
      if (left > TINY * (over / (rate[at] ?? 0))) return Infinity;
      most = Math.max(most, cost);
    }
    return most;
  }

  /** Of what has to leave a node first: as many as the largest that suffice, each as cheap as the cheapest. */
  #coverWhole(node: number): number {
    const { width, parts, rate, items } = this.#problem;
    let most = 0;
    for (let row = 0; row < width; row += 1) {
      const at = node * width + row;
      const over = this.#over(at, node);
      if (over <= 0) continue;
      const part = parts[row] ?? 'memory';
      const leaving = (this.#cheapest[node]?.get(part) ?? []).flatMap((index) => items[index] ?? []);
      let left = (over / (rate[at] ?? 0)) * (1 - TINY);
      let count = 0;
      for (const { unit } of leaving.toSorted((a, b) => b.unit.demand[part] - a.unit.demand[part])) {
        if (left <= 0) break;
        left -= unit.demand[part];
        count += 1;
      }
      const costs = leaving.map(({ cost }) => cost).sort((a, b) => a - b);
      most = Math.max(
        most,
        costs.slice(0, count).reduce((sum, cost) => sum + cost, 0),
      );
    }
    return most;
  }

  #bound(): number {
    let bound = 0;
    for (let node = 0; node < this.#problem.nodes.length; node += 1) bound += this.#cover(node);
    return bound;
  }

  #isHopeless(cost: number): boolean {
    const limit = this.#best ? this.#best.cost * WORTH : Infinity;
    return cost + this.#bound() >= limit;
  }

  #dive(cost: number, detours: number): void {
    if (this.#steps <= 0) {
      this.#isCut = true;
      return;
    }
    this.#steps -= 1;
    const node = this.#worst();
    if (node === undefined) {
      this.#finish(cost);
      return;
    }
    if (this.#isHopeless(cost) || !this.#hasRoom()) return;
    if (this.#hops.length >= (this.#strategy.most ?? Infinity)) {
      this.#isShort = true;
      return;
    }
    const excluded: number[] = [];
    let left = detours;
    for (const index of this.#ranked(node)) {
      if (this.#state[index] === STAYS) continue;
      for (const to of this.#targets(index)) {
        if (left < 0) break;
        this.#go(index, to);
        this.#dive(cost + (this.#problem.items[index]?.cost ?? 0), left);
        this.#back(index);
        if (left === detours) left -= 1;
        if (this.#isCut) break;
      }
      if (left < 0) this.#isShort = true;
      if (this.#isCut || left < 0) break;
      for (const twin of this.#twins(index, node)) {
        this.#state[twin] = STAYS;
        excluded.push(twin);
      }
      if (this.#isHopeless(cost)) break;
    }
    for (const index of excluded) this.#state[index] = UNDECIDED;
  }

  /** It, and all undecided that are like it. */
  #twins(index: number, node: number): number[] {
    const kind = this.#kinds[index];
    return (this.#problem.on[node] ?? []).filter(
      (other) => this.#kinds[other] === kind && this.#state[other] === UNDECIDED,
    );
  }

  /** Undecided units whose move relieves the node, the best first. */
  #ranked(node: number): number[] {
    const { width, parts, rate, items, on, ceiling } = this.#problem;
    const rows = Array.from({ length: width }, (_, row) => ({ row, at: node * width + row }))
      .map((one) => ({ ...one, over: this.#over(one.at, node) }))
      .filter(({ over }) => over > 0);
    const scored = (on[node] ?? []).flatMap((index) => {
      const item = items[index];
      if (!item || this.#state[index] !== UNDECIDED) return [];
      let relief = 0;
      let isEnough = true;
      for (const { row, at, over } of rows) {
        const weight = item.unit.demand[parts[row] ?? 'memory'] * (rate[at] ?? 0);
        relief += Math.min(weight, over) / (ceiling[at] ?? 1);
        isEnough &&= weight >= over;
      }
      return relief > 0 ? [{ index, relief, isEnough, cost: item.cost }] : [];
    });
    const byRatio = this.#strategy.units === 'ratio';
    scored.sort((a, b) => {
      if (byRatio) return b.relief / b.cost - a.relief / a.cost || a.index - b.index;
      if (a.isEnough !== b.isEnough) return a.isEnough ? -1 : 1;
      return (a.isEnough ? a.cost - b.cost : b.relief - a.relief) || a.index - b.index;
    });
    return scored.map(({ index }) => index);
  }

  /** Nodes that may take it: those with room first, then those that would have to give something away. */
  *#targets(index: number): Generator<number> {
    const { nodes, takes, items, width, parts, rate, ceiling, goal, on } = this.#problem;
    const item = items[index];
    if (!item) return;
    const fitting: { readonly to: number; readonly key: number }[] = [];
    const tooFull: { readonly to: number; readonly key: number }[] = [];
    for (let to = 0; to < nodes.length; to += 1) {
      if (to === item.home || !takes[to]) continue;
      let [fullest, over] = [0, 0];
      for (let row = 0; row < width; row += 1) {
        const at = to * width + row;
        const most = Math.min(goal[at] ?? 0, ceiling[at] ?? 0);
        const after = (this.#load[at] ?? 0) + item.unit.demand[parts[row] ?? 'memory'] * (rate[at] ?? 0);
        if (most === Infinity) continue;
        fullest = Math.max(fullest, after / most);
        over += Math.max(after / (most * (1 + TINY)) - 1, 0);
      }
      if (over === 0) fitting.push({ to, key: this.#strategy.targets === 'even' ? fullest : -fullest });
      else if ((on[to]?.length ?? 0) > 0) tooFull.push({ to, key: over });
    }
    const inRank = (list: typeof fitting): number[] =>
      list.sort((a, b) => a.key - b.key || a.to - b.to).map(({ to }) => to);
    const isWanted = (to: number): boolean =>
      this.#draft.unwantedAt(item.unit, nodes[to] ?? '', 'load') === undefined;
    for (const to of inRank(fitting)) if (isWanted(to)) yield to;
    let left = CHAIN_TARGETS;
    for (const to of inRank(tooFull)) {
      if (left <= 0) return;
      if (!isWanted(to)) continue;
      left -= 1;
      yield to;
    }
  }

  #shift(index: number, node: number, sign: 1 | -1): void {
    const { items, width, parts, rate } = this.#problem;
    const demand = items[index]?.unit.demand;
    if (!demand) return;
    for (let row = 0; row < width; row += 1) {
      const at = node * width + row;
      this.#load[at] = (this.#load[at] ?? 0) + sign * demand[parts[row] ?? 'memory'] * (rate[at] ?? 0);
    }
  }

  #go(index: number, to: number): void {
    const { items, nodes } = this.#problem;
    const item = items[index];
    if (!item) return;
    this.#shift(index, item.home, -1);
    this.#shift(index, to, 1);
    this.#arrived[to] = (this.#arrived[to] ?? 0) + 1;
    this.#state[index] = MOVED;
    this.#hops.push({ index, from: item.home, to });
    this.#draft.board.move(item.unit.vmids, nodes[to] ?? '');
  }

  #back(index: number): void {
    const { items, nodes } = this.#problem;
    const item = items[index];
    const hop = this.#hops.pop();
    if (!item || !hop) return;
    this.#shift(index, hop.to, -1);
    this.#shift(index, item.home, 1);
    this.#arrived[hop.to] = (this.#arrived[hop.to] ?? 0) - 1;
    this.#state[index] = UNDECIDED;
    this.#draft.board.move(item.unit.vmids, nodes[item.home] ?? '');
  }

  #finish(cost: number): void {
    if (this.#best && cost >= this.#best.cost * WORTH) return;
    const picks = inOrder(this.#hops, this.#problem, this.#draft);
    if (picks) this.#best = { picks, cost };
  }
}

export function cheapest(problem: Problem, effort: Effort, draft: Draft): Solution | undefined {
  return new Search(problem, draft).solve(effort);
}
