/** The small notations of balance.yml: percentages, durations, VMID ranges, times of day. Reports nothing. */
import { parseDate } from '../input/dates.ts';
import type { TimeSpan, Weekday } from './types.ts';

/** `75` and `75%` → 0.75. */
export function fractionOf(value: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(String(value));
  const isNumber = typeof value === 'number' || typeof value === 'string';
  return match && isNumber ? Number(match[1]) / 100 : undefined;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** `90`, `90s`, `15m`, `1.5h`, `1d` → seconds. */
export function secondsOf(value: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)$/.exec(String(value));
  const isNumber = typeof value === 'number' || typeof value === 'string';
  return match && isNumber ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1) : undefined;
}

/** `105` and `100-199`; undefined for what is no range, or ends before it starts. */
export function vmidsOf(value: unknown): { readonly first: number; readonly last: number } | undefined {
  const match = /^(\d{3,9})(?:\s*-\s*(\d{3,9}))?$/.exec(String(value));
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first <= last ? { first, last } : undefined;
}

/** `09:30` → minutes since midnight; `24:00` is the end of the day. */
export function minutesOf(text: string): number | undefined {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  if (!match) return undefined;
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  return Number(match[2]) < 60 && minutes <= 1440 ? minutes : undefined;
}

/** `2026-12-24 09:30`, also with `T`, or without a time → `2026-12-24T09:30`. */
export function localMomentOf(text: string): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}:\d{2}))?$/.exec(text.trim());
  const minutes = minutesOf(match?.[2] ?? '0:00');
  if (!match?.[1] || parseDate(match[1]) === undefined || minutes === undefined || minutes >= 1440)
    return undefined;
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${match[1]}T${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

export const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

interface WrittenSpan {
  readonly days?: readonly Weekday[];
  readonly from: string;
  readonly to: string;
}

/** Undefined when the two ends are not of one kind, or the second is not behind the first. */
export function timeSpan({ days, from, to }: WrittenSpan): TimeSpan | undefined {
  const start = minutesOf(from);
  const end = minutesOf(to);
  if (start !== undefined && end !== undefined)
    return start === 1440 || start === end
      ? undefined
      : { kind: 'weekly', days: days ?? WEEKDAYS, from: start, to: end };
  const first = localMomentOf(from);
  const last = localMomentOf(to);
  if (days !== undefined || first === undefined || last === undefined || last <= first) return undefined;
  return { kind: 'dates', from: first, to: last };
}
