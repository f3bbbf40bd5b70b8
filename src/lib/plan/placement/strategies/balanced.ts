/** Places blocks by number of stands: the node with the fewest that has room. Does not look at load. */
import { resourceKey } from '../capacity.ts';
import type { Block, Board } from '../board.ts';
import type { PlacementStrategy } from './strategy.ts';

/** Those with the least choice first, so that others do not take their only place; else in the given order. */
export function byChoice(blocks: readonly Block[]): Block[] {
  return [...blocks].sort((a, b) => a.nodes.length - b.nodes.length);
}

/** Ties go to the first node in natural order. */
function place(blocks: readonly Block[], board: Board): ReadonlyMap<Block, string> {
  const found = new Map<Block, string>();
  const standsOn = (node: string): number => board.ledger.taken(resourceKey.stands(node));
  for (const block of byChoice(blocks)) {
    let best: string | undefined;
    for (const node of block.nodes) {
      if (best !== undefined && standsOn(node) >= standsOn(best)) continue;
      if (board.canTake(block, node)) best = node;
    }
    if (best === undefined) continue;
    found.set(block, `fewest stands (${standsOn(best)})`);
    board.put(block, best);
  }
  return found;
}

export const balanced: PlacementStrategy = { place };
