/**
 * The cheapest moves that take nodes below their limits: branch and bound, cut off after a number of steps that the caller
 * names. A unit may go where it makes another node too full, when that one can give something away in turn.
 */
import type { Draft } from './draft.ts';
import { inOrder } from './hops.ts';
import { Position, TINY } from './position.ts';
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

class Search {
  readonly #problem: Problem;
  readonly #draft: Draft;
  readonly #position: Position;
  #best: Pick<Solution, 'picks' | 'cost'> | undefined;
  #steps = 0;
  #isCut = false;
  /** More moves, or more detours, than the strategy allows would have been tried. */
  #isShort = false;
  #strategy: Strategy = STRATEGIES[0] ?? { units: 'ratio', targets: 'even' };

  constructor(problem: Problem, draft: Draft) {
    this.#problem = problem;
    this.#draft = draft;
    this.#position = new Position(problem, draft);
  }

  /** Undefined: there is none, or none was found in `steps` steps for each strategy. */
  solve({ steps, isThorough }: Effort): Solution | undefined {
    const bound = this.#position.bound();
    if (bound === Infinity) return undefined;
    const whole = this.#position.boundOfWhole();
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

  #isHopeless(cost: number): boolean {
    const limit = this.#best ? this.#best.cost * WORTH : Infinity;
    return cost + this.#position.bound() >= limit;
  }

  #dive(cost: number, detours: number): void {
    if (this.#steps <= 0) {
      this.#isCut = true;
      return;
    }
    this.#steps -= 1;
    const position = this.#position;
    const node = position.worst();
    if (node === undefined) {
      this.#finish(cost);
      return;
    }
    if (this.#isHopeless(cost) || !position.hasRoom()) return;
    if (position.hops.length >= (this.#strategy.most ?? Infinity)) {
      this.#isShort = true;
      return;
    }
    const excluded: number[] = [];
    // The first choice is no detour; each other one is one detour, however far behind it comes.
    let left = detours;
    for (const index of this.#ranked(node)) {
      if (!position.isOpen(index)) continue;
      for (const to of this.#targets(index)) {
        if (left < 0) break;
        position.go(index, to);
        this.#dive(cost + (this.#problem.items[index]?.cost ?? 0), left);
        position.back();
        if (left === detours) left -= 1;
        if (this.#isCut) break;
      }
      if (left < 0) this.#isShort = true;
      if (this.#isCut || left < 0) break;
      excluded.push(...position.close(index));
      if (this.#isHopeless(cost)) break;
    }
    position.open(excluded);
  }

  /** Undecided units whose move relieves the node, the best first. */
  #ranked(node: number): number[] {
    const { width, parts, rate, items, on, ceiling } = this.#problem;
    const rows = Array.from({ length: width }, (_, row) => ({ row, at: node * width + row }))
      .map((one) => ({ ...one, over: this.#position.over(one.at, node) }))
      .filter(({ over }) => over > 0);
    const scored = (on[node] ?? []).flatMap((index) => {
      const item = items[index];
      if (!item || !this.#position.isOpen(index)) return [];
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
        const after = this.#position.load(at) + item.unit.demand[parts[row] ?? 'memory'] * (rate[at] ?? 0);
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

  #finish(cost: number): void {
    if (this.#best && cost >= this.#best.cost * WORTH) return;
    const picks = inOrder(this.#position.hops, this.#problem, this.#draft);
    if (picks) this.#best = { picks, cost };
  }
}

export function cheapest(problem: Problem, effort: Effort, draft: Draft): Solution | undefined {
  return new Search(problem, draft).solve(effort);
}
