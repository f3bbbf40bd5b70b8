/**
 * A run's turns under the planning lock while it applies: a pool's comment is one text for all its labs, so whoever changes
 * a line of it reads and writes it while no other run may. Keeps the lock from one turn to the next, but not from others.
 */
import type { Clock } from '../clock.ts';
import type { PlanningLock } from '../execute/cluster-lock.ts';

/** Milliseconds that the lock is kept when nobody of this run needs it: the next stand may be finished in a moment. */
const KEEP = 6000;
/** How long it is kept at most, and how long it is then left to others, who look every few seconds. */
const LONGEST = 30_000;
const PAUSE = 6000;

export class Turns {
  readonly #take: () => Promise<PlanningLock>;
  readonly #clock: Clock;
  #lock: Promise<PlanningLock> | undefined;
  #takenAt: number;
  #notBefore = 0;
  #busy = 0;
  #idle: AbortController | undefined;
  #leaving: Promise<void> = Promise.resolve();
  /** The reservations are done: the lock in which they were planned is not kept any longer. */
  #isLeft: boolean;

  /** `held`: the lock in which the run was planned. */
  constructor(take: () => Promise<PlanningLock>, clock: Clock, held?: PlanningLock) {
    this.#take = take;
    this.#clock = clock;
    this.#lock = held && Promise.resolve(held);
    this.#takenAt = clock.now();
    this.#isLeft = held === undefined;
  }

  /** Does the work under the lock; waits for another run that has it. */
  readonly exclusively = async <T>(work: (since: number) => Promise<T>): Promise<T> => {
    this.#idle?.abort();
    this.#busy += 1;
    try {
      await this.#hold();
      return await work(this.#takenAt);
    } finally {
      this.#busy -= 1;
      if (this.#busy === 0) this.#rest();
    }
  };

  /** Others may plan from now on, between our turns. */
  readonly leave = async (): Promise<void> => {
    this.#isLeft = true;
    if (this.#busy === 0) await this.#release();
  };

  async end(): Promise<void> {
    this.#idle?.abort();
    await this.#release();
  }

  /** Another run may have taken over a lock that was not renewed in time. Of all that wait one takes it anew. */
  async #hold(): Promise<void> {
    for (;;) {
      const taking = (this.#lock ??= this.#takeAnew());
      const lock = await taking.catch((error: unknown) => {
        this.#forget(taking);
        throw error;
      });
      // Trouble while asking ends this turn alone: the lock may still be had, and is given back in the end.
      if (await lock.isHeld()) return;
      this.#forget(taking);
    }
  }

  #forget(taken: Promise<PlanningLock>): void {
    if (this.#lock === taken) this.#lock = undefined;
  }

  async #takeAnew(): Promise<PlanningLock> {
    await this.#leaving;
    const pause = this.#notBefore - this.#clock.now();
    if (pause > 0) await this.#clock.sleep(pause);
    const lock = await this.#take();
    this.#takenAt = this.#clock.now();
    return lock;
  }

  #rest(): void {
    if (!this.#isLeft) return;
    if (this.#clock.now() - this.#takenAt > LONGEST) {
      this.#notBefore = this.#clock.now() + PAUSE;
      void this.#release();
      return;
    }
    const idle = (this.#idle = new AbortController());
    this.#clock.sleep(KEEP, idle.signal).then(
      () => {
        if (this.#busy === 0) void this.#release();
      },
      () => undefined, // needed again
    );
  }

  #release(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    if (lock) {
      this.#leaving = lock.then(
        (held) => held.release(),
        () => undefined, // it was never had
      );
      // A failure is told by whoever waits for it next, at the latest by the end.
      this.#leaving.catch(() => undefined);
    }
    return this.#leaving;
  }
}
