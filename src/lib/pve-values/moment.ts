/** The moments that PVE tells in seconds since the epoch, as documents tell them. */

/** ISO 8601 in UTC, whole seconds. */
export function momentOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}
