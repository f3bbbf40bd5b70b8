/** Rules of a balance.yml that the file itself shows to contradict each other. What only guests show is the planner's. */
import type { Issues, Path } from '../input/issues.ts';
import { isMapping, list, mapping, text, texts, type Written } from '../input/written.ts';
import { timeSpan, vmidsOf, WEEKDAYS } from './values.ts';
import type { TimeSpan } from './types.ts';

interface Rule {
  readonly path: Path;
  readonly name: string;
  readonly raw: Written;
}

/** Part of a rule that says whom it chooses. */
interface Choice {
  readonly key: string;
  readonly shown: string;
  /** Several at once may be chosen by it alone. */
  readonly isMany: boolean;
}

function rulesOf(raw: Written, kind: string): Rule[] {
  return list(mapping(raw['rules'])[kind]).flatMap((rule, index) => {
    if (!isMapping(rule)) return [];
    return [{ path: ['rules', kind, index], name: text(rule['name']) ?? `${kind}[${index}]`, raw: rule }];
  });
}

function choicesOf({ raw }: Rule): Choice[] {
  const words = (key: string): string[] => texts(raw[key]).map((one) => one.text);
  const vmids = list(raw['vmids']).flatMap((value) => {
    const range = vmidsOf(value);
    if (!range) return [];
    const shown = range.first === range.last ? String(range.first) : `${range.first}-${range.last}`;
    return [{ key: `vmid ${shown}`, shown, isMany: range.first !== range.last }];
  });
  return [
    ...words('tags').map((tag) => ({ key: `tag ${tag.toLowerCase()}`, shown: tag, isMany: true })),
    ...words('pools').map((pool) => ({ key: `pool ${pool}`, shown: pool, isMany: true })),
    ...words('names').map((name) => ({
      ...{ key: `name ${name.toLowerCase()}`, shown: name, isMany: /[*?]/.test(name) },
    })),
    ...vmids,
  ];
}

/** What both rules choose, word for word, each once. */
function commonOf(one: Rule, other: Rule): Choice[] {
  const keys = new Set(choicesOf(one).map(({ key }) => key));
  const common = choicesOf(other).filter(({ key }) => keys.has(key));
  return [...new Map(common.map((choice) => [choice.key, choice])).values()];
}

function shownOf(choices: readonly Choice[]): string {
  return choices.map(({ shown }) => shown).join(', ');
}

/** Two single guests, or a choice of several, make it certain. */
export function apartIsNotTogether(raw: Written, issues: Issues): void {
  const together = rulesOf(raw, 'affinity');
  for (const rule of rulesOf(raw, 'anti_affinity')) {
    for (const other of together) {
      const common = commonOf(other, rule);
      if (common.length < 2 && !common.some(({ isMany }) => isMany)) continue;
      issues.add(rule.path, `keeps apart what rule ${other.name} keeps together`, {
        value: shownOf(common),
        hint: 'remove one of the two, or choose other guests in it',
      });
    }
  }
}

/** Of the pins of one guest all count. */
export function pinsShareANode(raw: Written, issues: Issues): void {
  const pins = rulesOf(raw, 'pin');
  for (const [index, pin] of pins.entries()) {
    const nodes = texts(pin.raw['nodes']).map((one) => one.text);
    for (const other of pins.slice(0, index)) {
      const common = commonOf(other, pin);
      const others = texts(other.raw['nodes']).map((one) => one.text);
      if (common.length === 0 || nodes.length === 0 || others.length === 0) continue;
      if (nodes.some((node) => others.includes(node))) continue;
      issues.add([...pin.path, 'nodes'], `rule ${other.name} pins ${shownOf(common)} to other nodes`, {
        value: nodes.join(', '),
        hint: `both count: name a node of ${others.join(', ')} in both, or choose other guests in one`,
      });
    }
  }
}

const DAY = 1440;

/** Minutes of the week, end exclusive; what runs past its end goes on at its begin. */
function minutesOfWeek({ days, from, to }: TimeSpan & { kind: 'weekly' }): (readonly [number, number])[] {
  return days.flatMap((day) => {
    const start = WEEKDAYS.indexOf(day) * DAY + from;
    const end = start + (to > from ? to - from : to + DAY - from);
    const week = 7 * DAY;
    return end <= week
      ? [[start, end] as const]
      : ([
          [start, week],
          [0, end - week],
        ] as const);
  });
}

/** A weekly one and one between two dates: somebody's lesson beside the timetable, on purpose. */
function overlaps(one: TimeSpan, other: TimeSpan): boolean {
  if (one.kind === 'dates') return other.kind === 'dates' && one.from < other.to && other.from < one.to;
  if (other.kind === 'dates') return false;
  const others = minutesOfWeek(other);
  return minutesOfWeek(one).some(([from, to]) => others.some(([start, end]) => from < end && start < to));
}

function readSpan(written: unknown): TimeSpan | undefined {
  const { from, to, days } = mapping(written);
  if (typeof from !== 'string' || typeof to !== 'string') return undefined;
  if (days === undefined) return timeSpan({ from, to });
  const known = texts(days).flatMap((day) => WEEKDAYS.find((one) => one === day.text) ?? []);
  return timeSpan({ from, to, days: known });
}

/** Harmless, as one lesson: but likely a slip in one of the two. */
export function lessonsDoNotOverlap(raw: Written, issues: Issues): void {
  for (const [lab, times] of Object.entries(mapping(raw['labs']))) {
    const lessons = list(mapping(times)['lessons']).map(readSpan);
    for (const [index, lesson] of lessons.entries()) {
      const first = lessons.slice(0, index).findIndex((one) => one && lesson && overlaps(one, lesson));
      if (first < 0) continue;
      issues.warn(['labs', lab, 'lessons', index], `overlaps with lessons[${first}]`, {
        hint: 'they count as one lesson; is one of the times wrong?',
      });
    }
  }
}
