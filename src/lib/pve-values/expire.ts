/** When what ends with a day is over: people mean a day, PVE wants the second at which an account is over (0: never). */
import { minuteOf } from './moment.ts';

export const DAY = 86_400;

/** Seconds since the epoch at which a day (`2026-12-24`, UTC) is over. */
export function endOfDay(date: string): number {
  return expireAfterDay(Date.parse(`${date}T00:00:00Z`) / 1000);
}

/** The day with which, or on which, something ends at this second. */
export function lastDayOf(end: number): string {
  return new Date((end - 1) * 1000).toISOString().slice(0, 10);
}

/** The account works until the end of this day (UTC), given by the second at which it starts. */
export function expireAfterDay(start: number): number {
  return start + DAY;
}

/** The last day of an account that ends with one (`2026-12-24`), else the moment. */
export function endOfAccount(expire: number): string {
  if (expire % DAY === 0) return new Date((expire - DAY) * 1000).toISOString().slice(0, 10);
  return minuteOf(expire);
}

/** The same, in words. */
export function endText(expire: number): string {
  return expire % DAY === 0 ? `${endOfAccount(expire)}, end of day` : endOfAccount(expire);
}
