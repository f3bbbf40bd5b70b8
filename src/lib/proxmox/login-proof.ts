/** Lets one request go first: a login that is refused costs one refused request, not as many as run at once. */
import { onAbort } from '../abort.ts';
import { AuthError, PveError } from './errors.ts';

/** Fail2ban and its like count them. */
function isLoginRefused(error: unknown): boolean {
  return error instanceof AuthError && error.status === 401;
}

export class LoginProof {
  #isProven = false;
  /** Rejects when the login was refused. */
  #first: Promise<void> | undefined;

  /** Others wait for the first one, and fail with it; when no answer came, they find out by themselves. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#isProven) return work();
    if (this.#first) {
      await settledOrAborted(this.#first, signal);
      return work();
    }
    const trial = work();
    const first = trial.then(
      () => this.#prove(),
      (error: unknown) => {
        if (isLoginRefused(error)) throw error;
        if (error instanceof PveError) this.#prove();
      },
    );
    this.#first = first;
    // Nobody may be waiting.
    void first.catch(() => undefined).finally(() => (this.#first = undefined));
    return trial;
  }

  #prove(): void {
    this.#isProven = true;
  }
}

function settledOrAborted(first: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return first;
  return new Promise((resolve, reject) => {
    const withdraw = onAbort(signal, () => reject(signal.reason as Error));
    first.then(resolve, reject).finally(withdraw);
  });
}
