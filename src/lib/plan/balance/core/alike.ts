/** Which units of a problem are as good as each other. Decides nothing. */
import { groupBy } from '../../../group.ts';
import type { Draft } from './draft.ts';
import type { Problem } from './problem.ts';

/**
 * A number for each item, the same for those that are alike in all that is counted and wanted on the same nodes. Where one of
 * them stays, it is of no use to try the next in its place.
 */
export function kindsOf({ items, nodes }: Problem, draft: Draft): Int32Array {
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
