/** Days as people write them in files and options. Judges only; does not report. */

/** Seconds since the epoch of the day's start (UTC), or undefined for what is no date, such as 2026-02-30. */
export function parseDate(date: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined;
  const time = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(date) ? undefined : time / 1000;
}

/** `YYYY-MM-DD` of a day written so, or as half of Europe writes it (`24.12.2026`); undefined for what is no date. */
export function isoDay(date: string): string | undefined {
  const [, day, month, year] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(date) ?? [];
  const iso = day && month && year ? `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` : date;
  return parseDate(iso) === undefined ? undefined : iso;
}
