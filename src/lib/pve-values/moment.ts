/** Moments that PVE tells in seconds since the epoch, and spans of seconds, as documents and people tell them. */

/** ISO 8601 in UTC, whole seconds. */
export function momentOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Without the seconds, where there are none: `2026-12-25T00:00Z`. */
export function minuteOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/:00\.000Z$/, 'Z');
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
] as const;

/** As an option is written: `2h`, `90s`. Says exactly so many seconds. */
export function spanText(seconds: number): string {
  const [size, unit] = UNITS.find(([least]) => seconds > 0 && seconds % least === 0) ?? [1, 's'];
  return `${seconds / size}${unit}`;
}
