/** What a server's clock shows, from the `Date` of its last answer and our own clock since. Asks nobody. */
import type { Clock } from '../clock.ts';

export class ServerClock {
  readonly #clock: Clock;
  #heard: { readonly serverTime: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `date`: as in the header; one that cannot be read tells nothing. */
  hear(date = ''): void {
    const serverTime = Date.parse(date);
    if (Number.isFinite(serverTime)) this.#heard = { serverTime, at: this.#clock.now() };
  }

  /** Ours until it has answered. */
  now(): Date {
    const heard = this.#heard;
    return new Date(heard ? heard.serverTime + (this.#clock.now() - heard.at) : this.#clock.wallTime());
  }
}
