/** Places blocks by load, so that the fullest node is as empty as can be. Knows blocks and limits, nothing of labs. */
import { addTo } from '../../../group.ts';
import { byChoice } from './balanced.ts';
import { isHard, resourceKey, type Demand, type Ledger, type Resource } from '../capacity.ts';
import { compareNatural } from '../../../order.ts';
import type { Block, Board } from '../board.ts';
import type { PlacementStrategy } from './strategy.ts';

/** Smaller differences of load are none: floating point. */
const EPSILON = 1e-9;

/** Trials of the local search, per block and on top; each costs about a microsecond. */
const TRIALS_PER_BLOCK = 100;
const TRIALS = 20_000;

function ratio(taken: number, { limit }: Resource): number {
  if (limit > 0) return taken / limit;
  return taken > 0 ? Infinity : 0;
}

/** What makes a node full: its memory, its CPUs and those of its own storages that the blocks use. */
function scoredResources(blocks: readonly Block[], ledger: Ledger): ReadonlyMap<string, readonly Resource[]> {
  const keys = new Set<string>();
  const demands = new Set(
    blocks.flatMap((block) => [...block.demands.values()].map((demand) => ledger.inFull(demand))),
  );
  for (const demand of demands) for (const key of demand.keys()) keys.add(key);
  const scored = new Map<string, Resource[]>();
  for (const key of keys) {
    const resource = ledger.resources.get(key);
    const counts = resource && (['memory', 'storage'].includes(resource.kind) || !isHard(resource));
    if (!counts || resource.node === undefined) continue;
    addTo(scored, resource.node, resource);
  }
  return scored;
}

const NOTHING: Demand = new Map();

class Search {
  readonly #board: Board;
  readonly #scored: ReadonlyMap<string, readonly Resource[]>;
  readonly #nodes: readonly string[];
  #trials: number;

  constructor(blocks: readonly Block[], board: Board) {
    this.#board = board;
    this.#scored = scoredResources(blocks, board.ledger);
    this.#nodes = [...new Set(blocks.flatMap((block) => block.nodes))].sort(compareNatural);
    this.#trials = TRIALS + TRIALS_PER_BLOCK * blocks.length;
  }

  /** Load of the node with this much more on it: that of its scarcest resource, 1 when it is at its limit. */
  #load(node: string, more: Demand = NOTHING): number {
    let load = 0;
    const full = this.#board.ledger.inFull(more);
    for (const resource of this.#scored.get(node) ?? []) {
      const taken = this.#board.ledger.taken(resource.key) + (full.get(resource.key) ?? 0);
      load = Math.max(load, ratio(taken, resource));
    }
    return load;
  }

  /** How much of the mean node the block fills. */
  size(block: Block): number {
    const shares = block.nodes.map((node) => {
      const demand = this.#board.demand(block, node);
      return (this.#scored.get(node) ?? []).reduce(
        (most, resource) => Math.max(most, ratio(demand.get(resource.key) ?? 0, resource)),
        0,
      );
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  /** The node that is the least full with the block on it; then the one with fewer stands, then the first by name. */
  placeBest(block: Block): boolean {
    let best: { readonly node: string; readonly load: number; readonly stands: number } | undefined;
    for (const node of block.nodes) {
      const load = this.#load(node, this.#board.demand(block, node));
      const stands = this.#board.ledger.taken(resourceKey.stands(node));
      if (best && load > best.load - EPSILON && (load > best.load + EPSILON || stands >= best.stands))
        continue;
      if (this.#board.canTake(block, node)) best = { node, load, stands };
    }
    if (best) this.#board.put(block, best.node);
    return best !== undefined;
  }

  /** Makes room by moving one other block. */
  placeByMoving(block: Block): boolean {
    for (const node of block.nodes) {
      for (const other of this.#board.samples(node)) {
        this.#board.lift(other);
        if (this.#board.canTake(block, node)) {
          this.#board.put(block, node);
          const place = other.nodes.find((one) => one !== node && this.#board.canTake(other, one));
          if (place !== undefined) {
            this.#board.put(other, place);
            return true;
          }
          this.#board.lift(block);
        }
        this.#board.put(other, node);
      }
    }
    return false;
  }

  /** Takes load off the fullest node, then off the next one, until nothing helps any more. */
  improve(): void {
    const stuck = new Set<string>();
    while (this.#trials > 0) {
      const fullest = this.#fullest(stuck);
      if (fullest === undefined) return;
      if (this.#move(fullest) || this.#swap(fullest)) stuck.clear();
      else stuck.add(fullest);
    }
  }

  #fullest(stuck: ReadonlySet<string>): string | undefined {
    let fullest: string | undefined;
    for (const node of this.#nodes) {
      if (stuck.has(node)) continue;
      if (fullest === undefined || this.#load(node) > this.#load(fullest) + EPSILON) fullest = node;
    }
    return fullest;
  }

  /** Moves the block away whose move leaves the fuller of both nodes the emptiest. */
  #move(from: string): boolean {
    let least = this.#load(from) - EPSILON;
    let best: { readonly block: Block; readonly to: string } | undefined;
    for (const block of this.#board.samples(from)) {
      this.#board.lift(block);
      for (const to of block.nodes) {
        this.#trials -= 1;
        if (to === from || !this.#board.canTake(block, to)) continue;
        const fuller = Math.max(this.#load(from), this.#load(to, this.#board.demand(block, to)));
        if (fuller >= least) continue;
        least = fuller - EPSILON;
        best = { block, to };
      }
      this.#board.put(block, from);
    }
    if (!best) return false;
    this.#board.lift(best.block);
    this.#board.put(best.block, best.to);
    return true;
  }

  #swap(from: string): boolean {
    const before = this.#load(from);
    for (const block of this.#board.samples(from)) {
      for (const to of block.nodes) {
        if (to === from) continue;
        for (const other of this.#board.samples(to)) {
          this.#trials -= 1;
          if (other.shape === block.shape || !other.nodes.includes(from)) continue;
          if (this.#exchange({ block, from, other, to }, before)) return true;
        }
      }
    }
    return false;
  }

  #exchange(pair: { block: Block; from: string; other: Block; to: string }, before: number): boolean {
    const { block, from, other, to } = pair;
    const board = this.#board;
    board.lift(block);
    board.lift(other);
    if (board.canTake(block, to)) {
      board.put(block, to);
      if (board.canTake(other, from)) {
        board.put(other, from);
        if (Math.max(this.#load(from), this.#load(to)) < before - EPSILON) return true;
        board.lift(other);
      }
      board.lift(block);
    }
    board.put(block, from);
    board.put(other, to);
    return false;
  }
}

/**
 * Largest first, each where it leaves the node the least full; then a local search. Blocks that found no room are left
 * unplaced. `blocks` in an order that does not depend on chance; what is on the board already stays.
 */
function place(blocks: readonly Block[], board: Board): ReadonlyMap<Block, string> {
  const search = new Search(blocks, board);
  const size = new Map(blocks.map((block) => [block, search.size(block)]));
  const largestFirst = [...blocks].sort((a, b) => (size.get(b) ?? 0) - (size.get(a) ?? 0));
  // After a block has found no room, an equal one finds none either, until something moves.
  const hopeless = new Set<string>();
  for (const block of byChoice(largestFirst)) {
    if (hopeless.has(block.shape)) continue;
    if (search.placeBest(block)) continue;
    if (search.placeByMoving(block)) hopeless.clear();
    else hopeless.add(block.shape);
  }
  search.improve();
  for (const block of blocks) if (board.nodeOf(block) === undefined) search.placeBest(block);
  return new Map();
}

export const smart: PlacementStrategy = { readsLoad: true, place };
