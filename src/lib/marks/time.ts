/** The times that marks are written with, and how old they say an object is. */

/** The moment of the inventory as marks write it: whole seconds, so that a plan reads the same however it was timed. */
export function markTime(now: string): string {
  return now.replace(/\.\d+Z$/, 'Z');
}

export function isMarkTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text));
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
