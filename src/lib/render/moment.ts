/** Writes moments the one way that reads the same in every country. Knows no clock. */

/** Seconds since the epoch → `2026-12-25` (UTC). */
export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** ISO 8601 UTC → `2026-12-25 09:30 UTC`. */
export function utcOf(now: string): string {
  return `${now.slice(0, 16).replace('T', ' ')} UTC`;
}
