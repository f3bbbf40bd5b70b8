/** Reading that a plan can do without: what cannot be read is a gap, not a failure. */
import { ConnectionError } from '../errors.ts';
import { AuthError, PveError, UnreachableError } from '../proxmox/errors.ts';

/** For lists that only the caller's rights can hide; any other failure ends the run. */
export async function unlessForbidden<T>(read: Promise<T>, fallback: T, gap: () => void): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    gap();
    return fallback;
  }
}

/** For what there is something to fall back to: refused, not answered, or answered with nonsense. */
export async function unlessRefused<T, F>(
  read: Promise<T>,
  fallback: F,
  gap: (why: string) => void = () => undefined,
): Promise<T | F> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    gap(error.message);
    return fallback;
  }
}

/** For one object among many, which may be hidden, gone by now, or on a node that is away: nobody else is concerned. */
export async function unlessUnread<T, F>(read: Promise<T>, fallback: F): Promise<T | F> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof PveError || error instanceof UnreachableError) return fallback;
    throw error;
  }
}
