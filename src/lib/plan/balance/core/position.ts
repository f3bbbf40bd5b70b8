/** A search on its way: which units have moved by now, which stay, and what each node carries. Chooses nothing. */
import { kindsOf } from './alike.ts';
import type { Draft } from './draft.ts';
import { shift, type Hop } from './hops.ts';
import type { Demand } from './load.ts';
import type { Problem } from './problem.ts';

/** Sums of many parts are not exact. */
export const TINY = 1e-9;

/** What the relief of a node by so much costs at least. `indices`: its units, the cheapest by that part of their demand first. */
type Price = (amount: number, part: keyof Demand, indices: readonly number[]) => number;

const UNDECIDED = 0;
const STAYS = 1;
const MOVED = 2;

export class Position {
  readonly #problem: Problem;
  readonly #draft: Draft;
  readonly #load: Float64Array;
  readonly #arrived: Int32Array;
  readonly #state: Uint8Array;
  readonly #kinds: Int32Array;
  readonly #hops: Hop[] = [];
  /** Items of a node, the cheapest by that part of their demand first. */
  readonly #cheapest: ReadonlyMap<string, readonly number[]>[];

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

  /** The moves so far, in their order. */
  get hops(): readonly Hop[] {
    return this.#hops;
  }

  load(at: number): number {
    return this.#load[at] ?? 0;
  }

  /** Is it not decided yet whether this unit moves? */
  isOpen(index: number): boolean {
    return this.#state[index] === UNDECIDED;
  }

  /** It stays, and with it all that are like it and not decided yet: these are told, to be opened again. */
  close(index: number): number[] {
    const { items, on } = this.#problem;
    const kind = this.#kinds[index];
    const twins = (on[items[index]?.home ?? -1] ?? []).filter(
      (other) => this.#kinds[other] === kind && this.isOpen(other),
    );
    for (const twin of twins) this.#state[twin] = STAYS;
    return twins;
  }

  open(indices: readonly number[]): void {
    for (const index of indices) this.#state[index] = UNDECIDED;
  }

  go(index: number, to: number): void {
    const item = this.#problem.items[index];
    if (!item) return;
    const hop = { index, from: item.home, to };
    this.#hops.push(hop);
    this.#state[index] = MOVED;
    this.#arrived[to] = (this.#arrived[to] ?? 0) + 1;
    this.#shift(hop);
  }

  /** Takes back the last move. */
  back(): void {
    const hop = this.#hops.pop();
    if (!hop) return;
    const { index, from, to } = hop;
    this.#state[index] = UNDECIDED;
    this.#arrived[to] = (this.#arrived[to] ?? 0) - 1;
    this.#shift({ index, from: to, to: from });
  }

  #shift(hop: Hop): void {
    const { items, nodes } = this.#problem;
    shift(hop, this.#load, this.#problem);
    this.#draft.board.move(items[hop.index]?.unit.vmids ?? [], nodes[hop.to] ?? '');
  }

  /** By how much a number of a node is too large; negative: its room. */
  over(at: number, node: number): number {
    const { goal, ceiling } = this.#problem;
    const limit = this.#arrived[node] === 0 ? (goal[at] ?? 0) : Math.min(goal[at] ?? 0, ceiling[at] ?? 0);
    return this.load(at) - limit * (1 + TINY);
  }

  #excess(node: number): number {
    const { width, ceiling } = this.#problem;
    let total = 0;
    for (let at = node * width; at < (node + 1) * width; at += 1) {
      const over = this.over(at, node);
      if (over > 0) total += over / (ceiling[at] ?? 1);
    }
    return total;
  }

  /** The node that is worst off; undefined: none is. */
  worst(): number | undefined {
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
  hasRoom(): boolean {
    const { width, nodes, rate, ceiling, goal, takes } = this.#problem;
    for (let row = 0; row < width; row += 1) {
      let [need, room] = [0, 0];
      for (let node = 0; node < nodes.length; node += 1) {
        const at = node * width + row;
        const by = rate[at] ?? 0;
        const over = this.over(at, node);
        if (over > 0) need += by > 0 ? over / by : 0;
        else if (takes[node]) {
          const most = Math.min(goal[at] ?? 0, ceiling[at] ?? 0);
          const free = most - this.load(at);
          room += by > 0 ? Math.max(free, 0) / by : Infinity;
        }
      }
      if (need > room * (1 + TINY) + TINY) return false;
    }
    return true;
  }

  /** If units could be cut in pieces; Infinity: all that is left to move is not enough. */
  readonly #inPieces: Price = (amount, part, indices) => {
    let left = amount;
    let cost = 0;
    for (const index of indices) {
      if (left <= 0) break;
      const item = this.#problem.items[index];
      if (!item || !this.isOpen(index)) continue;
      const share = Math.min(left / item.unit.demand[part], 1);
      cost += share * item.cost;
      left -= share * item.unit.demand[part];
    }
    return left > TINY * amount ? Infinity : cost;
  };

  /** Of whole units: as many as the largest that suffice, each as cheap as the cheapest. */
  readonly #whole: Price = (amount, part, indices) => {
    const leaving = indices.flatMap((index) => this.#problem.items[index] ?? []);
    let left = amount * (1 - TINY);
    let count = 0;
    for (const { unit } of leaving.toSorted((a, b) => b.unit.demand[part] - a.unit.demand[part])) {
      if (left <= 0) break;
      left -= unit.demand[part];
      count += 1;
    }
    const costs = leaving.map(({ cost }) => cost).sort((a, b) => a - b);
    return costs.slice(0, count).reduce((sum, cost) => sum + cost, 0);
  };

  /** What has to leave a node costs at least so much: as that one of its numbers has it which asks for the most. */
  #cover(node: number, priceOf: Price): number {
    const { width, parts, rate } = this.#problem;
    let most = 0;
    for (let row = 0; row < width; row += 1) {
      const at = node * width + row;
      const over = this.over(at, node);
      if (over <= 0) continue;
      const part = parts[row] ?? 'memory';
      most = Math.max(most, priceOf(over / (rate[at] ?? 0), part, this.#cheapest[node]?.get(part) ?? []));
    }
    return most;
  }

  #coverAll(priceOf: Price): number {
    let bound = 0;
    for (let node = 0; node < this.#problem.nodes.length; node += 1) bound += this.#cover(node, priceOf);
    return bound;
  }

  /** No solution from here on costs less. */
  bound(): number {
    return this.#coverAll(this.#inPieces);
  }

  /** Before anything has moved: no solution of whole units costs less. */
  boundOfWhole(): number {
    return this.#coverAll(this.#whole);
  }
}
