/** Tells many that a signal was given. Must not give one. */

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when the signal is given; the result takes that back. Each request of a run waits for the same signal: one
 * listener for all of them is a tenth of the work of one each.
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const known = waiting.get(signal);
  const calls = known ?? new Set();
  if (!known) {
    waiting.set(signal, calls);
    const tell = (): void => {
      for (const one of [...calls]) if (calls.delete(one)) one();
    };
    signal.addEventListener('abort', tell, { once: true });
  }
  calls.add(call);
  return () => void calls.delete(call);
}

/** What `work` gives, or the reason of the first signal that is given before. The work itself goes on. */
export async function unlessAborted<T>(
  work: Promise<T>,
  ends: readonly (AbortSignal | undefined)[],
): Promise<T> {
  const signals = ends.filter((signal) => signal !== undefined);
  if (signals.length === 0) return work;
  for (const signal of signals) signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const listening = signals.map((signal) => onAbort(signal, () => reject(signal.reason as Error)));
    work.then(resolve, reject).finally(() => {
      for (const withdraw of listening) withdraw();
    });
  });
}
