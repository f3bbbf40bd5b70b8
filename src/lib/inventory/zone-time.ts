/** Moments that were written down without their zone. Reads no clock. */

/** Milliseconds by which a zone is ahead of UTC at a moment. */
function offsetAt(moment: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  }).formatToParts(new Date(moment));
  const of = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  const { year = '', month = '', day = '', hour = '', minute = '', second = '' } = of;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - moment;
}

/** `2026-01-15 12:00:03` in that zone → milliseconds since the epoch; undefined: it is no moment. */
export function momentIn(written: string, timeZone: string): number | undefined {
  const [, day = '', time = ''] = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)/.exec(written) ?? [];
  const local = Date.parse(`${day}T${time}Z`);
  if (!Number.isFinite(local)) return undefined;
  const first = local - offsetAt(local, timeZone);
  // On a day on which the clocks change, the first guess may be an hour off.
  return local - offsetAt(first, timeZone);
}
