/** The times that marks are written with, and how old they say an object is. */

/** The moment of the inventory as marks write it: whole seconds, so that a plan reads the same however it was timed. */
export function markTime(now: string): string {
  return now.replace(/\.\d+Z$/, 'Z');
}

/** When a marked object was made, by its mark. */
export function sinceOf(comment: string): string | undefined {
  return /\bsince=(\S+)/.exec(comment)?.[1];
}

/** Undefined or unreadable times are not old: in doubt an object is left alone. */
export function isOlder(since: string | undefined, seconds: number, now: string): boolean {
  const at = Date.parse(since ?? '');
  return !Number.isNaN(at) && Date.parse(now) - at >= seconds * 1000;
}
