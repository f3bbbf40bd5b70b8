/** Queues messages for their sinks beside the run. Must never hold a run up, fail it, or say a thing twice. */
import type { NotifyConfig } from '../config/notify/types.ts';
import { describeFailure, sinksOf, type Message, type Sink } from './send.ts';

export interface Notifier {
  /** Returns at once. Events that nobody asked for are dropped. */
  notify(message: Message): void;
  /** Waits for what is queued, at most some seconds, and gives up the rest. */
  flush(): Promise<void>;
}

interface NotifierOptions {
  readonly config: NotifyConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warn: (text: string) => void;
}

/** More are dropped: a dead endpoint must not fill the memory of a run by interval. */
const LONGEST_QUEUE = 100;
/** How long `flush` waits. */
const PATIENCE_MS = 15_000;

/** Messages for one sink, one after another. After a failure those that wait are dropped; the next run tries anew. */
class Lane {
  readonly #sink: Sink;
  readonly #warn: (text: string) => void;
  readonly #signal: AbortSignal;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isBroken = false;

  constructor(sink: Sink, signal: AbortSignal, warn: (text: string) => void) {
    this.#sink = sink;
    this.#signal = signal;
    this.#warn = warn;
  }

  add(message: Message): void {
    if (this.#isBroken || this.#waiting >= LONGEST_QUEUE) return;
    this.#waiting += 1;
    this.#tail = this.#tail.then(() => this.#send(message));
  }

  get done(): Promise<void> {
    return this.#tail;
  }

  async #send(message: Message): Promise<void> {
    this.#waiting -= 1;
    if (this.#isBroken) return;
    try {
      await this.#sink.send(message, this.#signal);
    } catch (error) {
      this.#isBroken = true;
      this.#warn(`${this.#sink.name} was not notified: ${describeFailure(error)}`);
    }
  }
}

/** For one round. Throws UsageError when a secret is to come from a variable that is not set. */
export function createNotifier({ config, env, warn }: NotifierOptions): Notifier {
  const over = new AbortController();
  const lanes = sinksOf(config, env).map((sink) => new Lane(sink, over.signal, warn));
  const wanted = new Set(config.events);
  return {
    notify: (message) => {
      if (wanted.has(message.event)) for (const lane of lanes) lane.add(message);
    },
    flush: async () => {
      const alarm = setTimeout(() => over.abort(), PATIENCE_MS);
      try {
        await Promise.all(lanes.map((lane) => lane.done));
      } finally {
        clearTimeout(alarm);
      }
    },
  };
}
