/**
 * Lets one request of a login go first. A login that is refused then costs one refused request, not as many as run at once,
 * which fail2ban and its like count. Must not know what is sent.
 */
import { unlessAborted } from '../abort.ts';
import { AuthError, PveError, UnreachableError, AnswerLostError } from './errors.ts';

/** What the first request told about the login. */
type Proof =
  | { readonly login: 'accepted' | 'unknown' }
  /** It was given up before it was told anything: somebody else goes first. */
  | { readonly login: 'untried' }
  | { readonly login: 'refused'; readonly error: unknown };

function proofIn(error: unknown): Proof {
  if (error instanceof AuthError && error.status === 401) return { login: 'refused', error };
  if (error instanceof PveError) return { login: 'accepted' };
  // Behind a host that does not answer, each waits its own time and no longer.
  if (error instanceof UnreachableError || error instanceof AnswerLostError) return { login: 'unknown' };
  return { login: 'untried' };
}

export class LoginProof {
  #isAccepted = false;
  #first: Promise<Proof> | undefined;

  /** The others wait for the first one; they fail as it did where the login was refused. */
  async run<T>(work: () => Promise<T>, ends: readonly (AbortSignal | undefined)[]): Promise<T> {
    while (!this.#isAccepted) {
      if (!this.#first) return this.#goFirst(work);
      const proof = await unlessAborted(this.#first, ends);
      if (proof.login === 'refused') throw proof.error;
      if (proof.login !== 'untried') break;
    }
    return work();
  }

  async #goFirst<T>(work: () => Promise<T>): Promise<T> {
    const trial = work();
    this.#first = trial.then((): Proof => ({ login: 'accepted' }), proofIn);
    void this.#first.then(({ login }) => {
      this.#isAccepted = login === 'accepted';
      this.#first = undefined;
    });
    return trial;
  }
}
