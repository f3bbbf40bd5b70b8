/**
 * What planning read last of pools and guests, kept for the handlers that come right after it: they need the same lists, no
 * older than they bear. Given out once, since whoever has it learns of the run's own writes, and nobody after. Reads nothing.
 */
import type { Clock } from '../clock.ts';
import type { KeptReading } from '../inventory/pools.ts';

export class Readings {
  readonly #clock: Pick<Clock, 'now'>;
  #kept: KeptReading | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  keep(reading: KeptReading): void {
    this.#kept = reading;
  }

  take(): KeptReading | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    return kept;
  }
}
