/** Whether moves are allowed at a moment: windows and blackouts in a time zone. Reads no clock. */
import type { TimeSpan, Weekday } from '../../../config/balance/types.ts';
import type { Policy } from './types.ts';

interface LocalTime {
  readonly day: Weekday;
  /** Since midnight. */
  readonly minutes: number;
  /** `YYYY-MM-DDTHH:MM`. */
  readonly moment: string;
}

const DAYS: readonly Weekday[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function localTime(now: string, timeZone: string): LocalTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const parts = Object.fromEntries(
    format.formatToParts(new Date(now)).map(({ type, value }) => [type, value]),
  );
  const { year = '', month = '', day = '', hour = '', minute = '' } = parts;
  const date = `${year}-${month}-${day}`;
  return {
    day: DAYS[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? 'sun',
    minutes: Number(hour) * 60 + Number(minute),
    moment: `${date}T${hour}:${minute}`,
  };
}

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function spell(span: TimeSpan): string {
  if (span.kind === 'dates') return `${span.from.replace('T', ' ')} to ${span.to.replace('T', ' ')}`;
  return `${span.days.length === 7 ? 'daily' : span.days.join(', ')} ${clock(span.from)}–${clock(span.to)}`;
}

function contains(span: TimeSpan, { day, minutes, moment }: LocalTime): boolean {
  if (span.kind === 'dates') return moment >= span.from && moment < span.to;
  const { days, from, to } = span;
  if (from < to) return days.includes(day) && minutes >= from && minutes < to;
  const yesterday = DAYS[(DAYS.indexOf(day) + 6) % 7] ?? 'sun';
  return (days.includes(day) && minutes >= from) || (days.includes(yesterday) && minutes < to);
}

interface Times {
  readonly windows: readonly TimeSpan[];
  readonly blackout: readonly TimeSpan[];
}

function closedBy({ windows, blackout }: Times, at: LocalTime, zone: string): string | undefined {
  const black = blackout.find((span) => contains(span, at));
  if (black) return `blackout (${spell(black)}, ${zone})`;
  if (windows.length === 0 || windows.some((span) => contains(span, at))) return undefined;
  return `outside the windows (${windows.map(spell).join('; ')}, ${zone})`;
}

export interface Closed {
  /** Why nothing may move now. */
  readonly all?: string;
  /** Lab → why its stands may not. */
  readonly labs: ReadonlyMap<string, string>;
}

export function closedAt(now: string, config: Policy): Closed {
  const at = localTime(now, config.timeZone);
  const all = closedBy(config, at, config.timeZone);
  const labs = new Map<string, string>();
  for (const [lab, times] of Object.entries(config.labs)) {
    const why = times.noMove ? 'no_move' : closedBy(times, at, config.timeZone);
    if (why !== undefined) labs.set(lab, `lab ${lab}: ${why}`);
  }
  return { ...(all === undefined ? {} : { all }), labs };
}
