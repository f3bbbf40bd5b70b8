/** Days as people write them in files and options. Judges only; does not report. */

/** Seconds since the epoch of the day's start (UTC), or undefined for what is no date, such as 2026-02-30. */
export function parseDate(date: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined;
  const time = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(date) ? undefined : time / 1000;
}
