/** The moments that PVE tells in seconds since the epoch, as documents tell them. */

/** ISO 8601 in UTC, whole seconds. */
export function momentOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Without the seconds, where there are none: `2026-12-25T00:00Z`. */
export function minuteOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/:00\.000Z$/, 'Z');
}
