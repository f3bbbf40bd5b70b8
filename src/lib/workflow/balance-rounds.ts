/** What balance remembers from round to round: how long there has been a reason to act. Reads no clock. */
import type { BalancePlan } from '../plan/document/plan.ts';

/** Of one cluster. Begins at none: a balancer that was just started never acts in its first round, unless told to. */
export class Hold {
  readonly #rounds: number;
  #seen = 0;

  /** `rounds`: how many in a row must find a reason; 1: act at once. */
  constructor(rounds: number) {
    this.#rounds = rounds;
  }

  /** Counts this round; undefined: act. */
  judge(plan: BalancePlan): string | undefined {
    this.#seen = plan.steps.length === 0 ? 0 : this.#seen + 1;
    if (this.#seen === 0 || this.#seen >= this.#rounds) return undefined;
    return `waits: a reason to act in ${this.#seen} of ${this.#rounds} rounds in a row`;
  }
}
