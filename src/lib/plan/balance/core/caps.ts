/** The limits per run: keeps the first moves that fit, puts the others off to the next run. */
import type { ChosenMove } from './draft.ts';
import type { Migration, Policy } from './types.ts';

export interface Capped {
  readonly kept: readonly ChosenMove[];
  readonly deferred: readonly ChosenMove[];
}

class Counter {
  readonly #counts = new Map<string, number>();
  readonly #limit: number;
  readonly #base: number;

  /** `base`: counted for each key. */
  constructor(limit: number, base = 0) {
    this.#limit = limit;
    this.#base = base;
  }

  /** What is larger than the limit is let through when it is the first. */
  hasRoom(key: string, more: number): boolean {
    const used = this.#counts.get(key) ?? this.#base;
    return used === 0 || used + more <= this.#limit;
  }

  add(key: string, more: number): void {
    this.#counts.set(key, (this.#counts.get(key) ?? this.#base) + more);
  }
}

/**
 * Migrations under way count, whoever started them. A move onto a node waits for the moves away from it: when one of
 * those is put off, it is, too.
 */
export function capMoves(
  moves: readonly ChosenMove[],
  config: Policy,
  inFlight: readonly Migration[],
): Capped {
  const total = new Counter(config.maxMigrations);
  const outflow = new Counter(config.maxMigrationsPerNode);
  // One that may go anywhere takes its part of each inflow.
  const anywhere = inFlight.filter(({ to }) => to === undefined).length;
  const inflow = new Counter(config.maxInflowPerNode, anywhere);
  for (const { from, to } of inFlight) {
    total.add('', 1);
    if (from !== undefined) outflow.add(from, 1);
    if (to !== undefined) inflow.add(to, 1);
  }
  const kept: ChosenMove[] = [];
  const deferred: ChosenMove[] = [];
  const waiting = new Set<string>();
  for (const move of moves) {
    const count = move.unit.vmids.length;
    const perSource = move.from.map(
      (node) => [node, move.unit.guests.filter((guest) => guest.node === node).length] as const,
    );
    const fits =
      !waiting.has(move.to) &&
      total.hasRoom('', count) &&
      inflow.hasRoom(move.to, count) &&
      perSource.every(([node, own]) => outflow.hasRoom(node, own));
    if (!fits) {
      deferred.push(move);
      for (const node of move.from) waiting.add(node);
      continue;
    }
    kept.push(move);
    total.add('', count);
    inflow.add(move.to, count);
    for (const [node, own] of perSource) outflow.add(node, own);
  }
  return { kept, deferred };
}
