/**
 * What lets more steps begin without one having ended: time that passes (`--stagger`), and nodes that turn out to bear more.
 * Sets the timers of a run, and asks how busy nodes are while they are all that machines wait for; sizes nothing itself.
 */
import type { Clock } from '../clock.ts';
import type { Limits, NodeLoad } from './limits.ts';

/** pvestatd tells it so often. */
const LOOK_MS = 10_000;

/** Those of the nodes that the caller may see. */
export type ReadLoads = (signal: AbortSignal) => Promise<readonly NodeLoad[]>;

interface PaceOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly readLoads: ReadLoads | undefined;
  /** There may be places under these keys now. */
  readonly onRoom: (keys: readonly string[]) => void;
  readonly onDefect: (error: unknown) => void;
}

export class Pace {
  readonly #options: PaceOptions;
  readonly #ended = new AbortController();
  #isLooking = false;
  #wakesAt = Infinity;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** To be called whenever steps have been started. */
  attend(): void {
    const { limits, readLoads } = this.#options;
    if (readLoads && !this.#isLooking && limits.crowded().length > 0) {
      this.#isLooking = true;
      this.#later(LOOK_MS, () => this.#look(readLoads));
    }
    const next = limits.nextOpening();
    if (next === undefined || next >= this.#wakesAt) return;
    this.#wakesAt = next;
    // Timers ring early and late: what has opened is asked for then.
    this.#later(Math.max(0, next - this.#options.clock.now()), () => {
      this.#wakesAt = Infinity;
      this.#options.onRoom(limits.opened());
    });
  }

  end(): void {
    this.#ended.abort();
  }

  #later(ms: number, work: () => Promise<void> | void): void {
    const { clock, onDefect } = this.#options;
    const { signal } = this.#ended;
    clock
      .sleep(ms, signal)
      .then(work)
      .catch((error: unknown) => {
        if (!signal.aborted) onDefect(error);
      });
  }

  async #look(readLoads: ReadLoads): Promise<void> {
    // Without an answer the widths stay as they are; whoever writes will be told what is wrong.
    const loads = await readLoads(this.#ended.signal).catch((): NodeLoad[] => []);
    this.#isLooking = false;
    const { limits, onRoom } = this.#options;
    onRoom(loads.flatMap((load) => limits.observe(load)));
  }
}
