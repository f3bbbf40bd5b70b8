/** Whether moves are allowed at a moment, and which lessons are near: spans of time in a time zone. Reads no clock. */
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

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  FORMATS.set(timeZone, format);
  return format;
}

function localTime(moment: number, timeZone: string): LocalTime {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, value]),
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

/** A lesson that is on, or begins within the time that its lab wants for preparation. */
export interface Lesson {
  readonly isOn: boolean;
  /** E.g. `mon 09:00–10:30, Europe/Moscow`. */
  readonly text: string;
}

/** By local times, minute for minute: the length of days on which clocks are set needs no arithmetic. */
export function lessonsAt(now: string, { labs, timeZone }: Policy): ReadonlyMap<string, Lesson> {
  const asked = Object.entries(labs).filter(([, { lessons }]) => lessons.length > 0);
  const furthest = Math.max(-1, ...asked.map(([, { prepare }]) => Math.floor(prepare / 60)));
  const minutes = Array.from({ length: furthest + 1 }, (_, minute) =>
    localTime(Date.parse(now) + minute * 60_000, timeZone),
  );
  return new Map(
    asked.flatMap(([lab, { lessons, prepare }]) => {
      const near = minutes.slice(0, Math.floor(prepare / 60) + 1);
      for (const [minute, at] of near.entries()) {
        const span = lessons.find((lesson) => contains(lesson, at));
        if (span) return [[lab, { isOn: minute === 0, text: `${spell(span)}, ${timeZone}` }] as const];
      }
      return [];
    }),
  );
}

export function closedAt(now: string, config: Policy, lessons: ReadonlyMap<string, Lesson>): Closed {
  const at = localTime(Date.parse(now), config.timeZone);
  const all = closedBy(config, at, config.timeZone);
  const labs = new Map<string, string>();
  for (const [lab, times] of Object.entries(config.labs)) {
    const lesson = lessons.get(lab);
    const inLesson = lesson?.isOn === true ? `lesson (${lesson.text})` : undefined;
    const why = times.noMove ? 'no_move' : (inLesson ?? closedBy(times, at, config.timeZone));
    if (why !== undefined) labs.set(lab, `lab ${lab}: ${why}`);
  }
  return { ...(all === undefined ? {} : { all }), labs };
}
