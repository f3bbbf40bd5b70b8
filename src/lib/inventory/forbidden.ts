/** A list that the caller may not read is a gap, not a failure. */
import { AuthError } from '../proxmox/errors.ts';

export async function unlessForbidden<T>(read: Promise<T>, fallback: T, gap: () => void): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    gap();
    return fallback;
  }
}
