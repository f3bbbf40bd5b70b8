/** Machines of a stand one rank after the other, by the `start_order` of the lab. Makes no steps. */

/** Without an order they come last, all together. */
function rank(order: number | undefined): number {
  return order ?? Number.MAX_SAFE_INTEGER;
}

/** The ranks in the order in which they start; within one, as they were given. */
export function ranksOf<T>(machines: readonly T[], orderOf: (machine: T) => number | undefined): T[][] {
  const ranks = new Map<number, T[]>();
  for (const machine of machines) {
    const order = rank(orderOf(machine));
    ranks.set(order, [...(ranks.get(order) ?? []), machine]);
  }
  return [...ranks].sort(([a], [b]) => a - b).map(([, members]) => members);
}
