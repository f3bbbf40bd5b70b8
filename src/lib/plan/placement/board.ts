/** Blocks of stands and where they sit, within hard limits. Says what may be done; chooses nothing. */
import type { Demand, Ledger, Resource } from './capacity.ts';
import type { StandState } from '../stands/state.ts';

/** Stands that go to one node: one stand, or those of a `together` group. */
export interface Block {
  /** In natural order. */
  readonly states: readonly StandState[];
  /** Where it may go, in natural order; never empty. */
  readonly nodes: readonly string[];
  /** By node, for each of `nodes`. */
  readonly demands: ReadonlyMap<string, Demand>;
  /** `spread` groups that a stand of it belongs to. */
  readonly groups: readonly number[];
  /** Equal for blocks that are as good as each other everywhere. */
  readonly shape: string;
}

/** A `spread` group: most stands of it on one node, and how many each node has. */
export interface Apart {
  readonly most: number;
  readonly counts: Map<string, number>;
}

export class Board {
  readonly ledger: Ledger;
  readonly #apart: readonly Apart[];
  readonly #nodeOf = new Map<Block, string>();
  readonly #on = new Map<string, Set<Block>>();

  constructor(ledger: Ledger, apart: readonly Apart[]) {
    this.ledger = ledger;
    this.#apart = apart;
  }

  nodeOf(block: Block): string | undefined {
    return this.#nodeOf.get(block);
  }

  demand(block: Block, node: string): Demand {
    return block.demands.get(node) ?? new Map();
  }

  /** One block of each shape that sits on the node. */
  samples(node: string): Block[] {
    const shapes = new Map<string, Block>();
    for (const block of this.#on.get(node) ?? []) {
      if (!shapes.has(block.shape)) shapes.set(block.shape, block);
    }
    return [...shapes.values()];
  }

  isApart(block: Block, node: string): boolean {
    return block.groups.every((group) => {
      const apart = this.#apart[group];
      return apart === undefined || (apart.counts.get(node) ?? 0) < apart.most;
    });
  }

  /** Of a node among `block.nodes`. */
  canTake(block: Block, node: string): boolean {
    return this.isApart(block, node) && this.ledger.fits(this.demand(block, node));
  }

  lacking(block: Block, node: string): Resource[] {
    return this.ledger.lacking(this.demand(block, node));
  }

  put(block: Block, node: string): void {
    this.#nodeOf.set(block, node);
    const there = this.#on.get(node) ?? new Set();
    this.#on.set(node, there.add(block));
    this.ledger.take(this.demand(block, node));
    this.#count(block, node, 1);
  }

  lift(block: Block): void {
    const node = this.#nodeOf.get(block);
    if (node === undefined) return;
    this.#nodeOf.delete(block);
    this.#on.get(node)?.delete(block);
    this.ledger.take(this.demand(block, node), -1);
    this.#count(block, node, -1);
  }

  #count(block: Block, node: string, by: 1 | -1): void {
    for (const group of block.groups) {
      const counts = this.#apart[group]?.counts;
      counts?.set(node, (counts.get(node) ?? 0) + by);
    }
  }
}
