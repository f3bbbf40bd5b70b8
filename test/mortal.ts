/** A client that may die in the middle: from then on it neither asks, hears, nor wakes up. */
import type { Clock } from '../src/lib/clock.ts';
import type { Connect } from '../src/lib/proxmox/transports/types.ts';
import type { SimulatorOptions } from '../src/lib/simulator/simulator.ts';

const dead = new Set<string>();
let born = 0;

export function isDead(name: string): boolean {
  return dead.has(name);
}

export class Mortal {
  readonly name = `tester@host/${(born += 1)}`;
  readonly death: Promise<'killed'>;
  readonly #burial: Promise<never>;
  #die: () => void = () => undefined;
  #bury: (reason: Error) => void = () => undefined;

  constructor() {
    this.death = new Promise((resolve) => {
      this.#die = () => resolve('killed');
    });
    this.#burial = new Promise((_, reject) => {
      this.#bury = reject;
    });
    this.#burial.catch(() => undefined);
  }

  die(): void {
    dead.add(this.name);
    this.#die();
  }

  /** For a simulator: dies once the n-th write has been processed, before it is answered. */
  atWrite(at: number | undefined): NonNullable<SimulatorOptions['onMutation']> {
    return ({ n, phase }) => {
      if (n === at && phase === 'after') this.die();
    };
  }

  /** Lets it close its files, when nobody looks any more. */
  bury(): void {
    this.#bury(new Error('buried'));
  }

  /** Reaches what `connect` does, as long as it lives. */
  through(connect: Connect): Connect {
    return (host, options) => {
      const transport = connect(host, options);
      return {
        host,
        send: (...request) => this.#live(() => transport.send(...request)),
        close: () => transport.close(),
      };
    };
  }

  /** Sleeps for good when it dies. */
  by(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      sleep: (ms, signal) => this.#live(() => clock.sleep(ms, signal)),
    };
  }

  /** What `work` comes to, unless death comes first. */
  async #live<T>(work: () => Promise<T>): Promise<T> {
    if (isDead(this.name)) return this.#burial;
    const value = await Promise.race([work(), this.#burial]);
    return isDead(this.name) ? this.#burial : value;
  }
}
