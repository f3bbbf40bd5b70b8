/** The rules for a balance.yml that a JSON Schema cannot say, one function each. They report and never change anything. */
import { apartIsNotTogether, lessonsDoNotOverlap, pinsShareANode } from './contradictions.ts';
import { thresholdsOf } from './normalise.ts';
import { fractionOf, minutesOf, localMomentOf, secondsOf, timeSpan, vmidsOf, WEEKDAYS } from './values.ts';
import type { Weekday } from './types.ts';
import { type Issues, type Path } from '../input/issues.ts';
import { spanText } from '../../pve-values/moment.ts';
import { nearest } from '../../nearest.ts';
import { isLabName } from '../input/names.ts';
import { at, isMapping, list, mapping, text, texts, type Written } from '../input/written.ts';
import { notifyRules } from '../notify/rules.ts';

export type BalanceRule = (raw: Written, issues: Issues) => void;

const PERCENTAGES: readonly Path[] = [
  ...['overload', 'target', 'relieve_to'].flatMap((part) =>
    ['cpu', 'memory', 'pressure'].map((key) => [part, key]),
  ),
  ['overcommit'],
  ['min_gain'],
];

/** `0.75` is a likely slip: percentages are written as 75. */
function percentagesAreNotFractions(raw: Written, issues: Issues): void {
  for (const path of PERCENTAGES) {
    const value = at(raw, path);
    if (typeof value !== 'number' || value <= 0 || value > 1) continue;
    const hint = `write ${value * 100}, or "${value}%" if that is meant`;
    issues.add(path, 'percentages are written as numbers up to 100', { value, hint });
  }
}

const LIMIT_KEYS = [
  ['cpu', 'cpu', 100, ' %'],
  ['memory', 'memory', 100, ' %'],
  ['load_per_core', 'loadPerCore', 1, ''],
  ['pressure', 'pressure', 100, ' %'],
  ['vcpus_per_core', 'vcpusPerCore', 1, ''],
] as const;

type Level = 'overload' | 'target' | 'relieve_to';

/** Which measures have the two levels in the wrong order, told of the level that is written. */
function misplaced(raw: Written, [low, high]: readonly [Level, Level], issues: Issues): void {
  const { overload, target, relieveTo } = thresholdsOf({
    overload: mapping(raw['overload']),
    target: mapping(raw['target']),
    relieve_to: mapping(raw['relieve_to']),
  });
  const levels = { overload, target, relieve_to: relieveTo };
  for (const [key, name, factor, unit] of LIMIT_KEYS) {
    const [below, above] = [levels[low][name], levels[high][name]];
    if (low === 'target' && high === 'overload' ? below < above : below <= above) continue;
    const shown = (value: number): string => `${Number((value * factor).toFixed(2))}${unit}`;
    const isLow = at(raw, [low, key]) !== undefined;
    const path = isLow ? [low, key] : [high, key];
    const isStrict = high === 'overload' && low === 'target';
    const other = isLow ? `${high} ${shown(above)}` : `${low} ${shown(below)}, the default`;
    const words = isStrict
      ? [`is not below ${other}`, `is not above ${other}`]
      : [`is above ${other}`, `is below ${other}`];
    const hint = isStrict
      ? `guests would go back and forth: write target.${key} below overload.${key}`
      : `relieve_to.${key} is between target.${key} and overload.${key}`;
    issues.add(path, words[isLow ? 0 : 1] ?? '', { value: at(raw, path), hint });
  }
}

/** A target at or above the trigger would hand guests back and forth. */
function targetsAreBelowOverload(raw: Written, issues: Issues): void {
  misplaced(raw, ['target', 'overload'], issues);
}

/** Only what is written: the default is between the two. */
function reliefIsBetween(raw: Written, issues: Issues): void {
  if (raw['relieve_to'] === undefined) return;
  misplaced(raw, ['relieve_to', 'overload'], issues);
  misplaced(raw, ['target', 'relieve_to'], issues);
}

const DURATIONS: readonly (readonly [key: string, least: number, most: number])[] = [
  ['window', 60, 3600],
  ['cooldown', 0, 30 * 86_400],
  ['blacklist', 0, 365 * 86_400],
  ['migration_timeout', 10, 7 * 86_400],
  ['interval', 10, 7 * 86_400],
  ['jitter', 0, 86_400],
];

function durationsAreInRange(raw: Written, issues: Issues): void {
  for (const [key, least, most] of DURATIONS) {
    const value = raw[key];
    const seconds = secondsOf(value);
    if (typeof value === 'string' && seconds === undefined)
      issues.add([key], 'is no duration', { value, hint: 'write 90s, 15m, 1h or 1d' });
    else if (seconds !== undefined && (seconds < least || seconds > most))
      issues.add([key], `must be between ${spanText(least)} and ${spanText(most)}`, { value });
  }
}

/** Whoever prepares longer than a day would reckon with one lesson beside the other. */
function preparationIsShort(raw: Written, issues: Issues): void {
  for (const [lab, times] of Object.entries(mapping(raw['labs']))) {
    const value = at(mapping(times), ['prepare']);
    if ((secondsOf(value) ?? 0) > 86_400)
      issues.add(['labs', lab, 'prepare'], 'must be between 0s and 1d', { value });
  }
}

/** PVE gives minute values for an hour only. */
function cooldownCoversTheWindow(raw: Written, issues: Issues): void {
  const window = secondsOf(raw['window']) ?? 900;
  const cooldown = secondsOf(raw['cooldown']) ?? 3600;
  if (cooldown >= window) return;
  const hint = 'right after a move the average still shows the load from before it';
  issues.warn(['cooldown'], `cooldown is shorter than window (${spanText(window)})`, { hint });
}

interface RuleView {
  readonly path: Path;
  readonly raw: Written;
}

function rulesIn(raw: Written): RuleView[] {
  const rules = mapping(raw['rules']);
  return ['ignore', 'pin', 'affinity', 'anti_affinity'].flatMap((kind) =>
    list(rules[kind]).flatMap((rule, index) =>
      isMapping(rule) ? [{ path: ['rules', kind, index], raw: rule }] : [],
    ),
  );
}

const SELECTORS = ['tags', 'pools', 'vmids', 'names'];

function rulesChooseGuests(raw: Written, issues: Issues): void {
  for (const { path, raw: rule } of rulesIn(raw)) {
    if (SELECTORS.some((key) => rule[key] !== undefined)) continue;
    issues.add(path, 'the rule chooses no guests', { hint: `add one of ${SELECTORS.join(', ')}` });
  }
}

function vmidsAreRanges(raw: Written, issues: Issues): void {
  for (const { path, raw: rule } of rulesIn(raw)) {
    for (const [index, value] of list(rule['vmids']).entries()) {
      if (vmidsOf(value) !== undefined || isMapping(value) || Array.isArray(value)) continue;
      const hint = 'write a VMID of at least 100, or a range such as 100-199';
      issues.add([...path, 'vmids', index], 'is no VMID and no range of VMIDs', { value, hint });
    }
  }
}

function nodesAreInOneCpuGroup(raw: Written, issues: Issues): void {
  const seen = new Map<string, number>();
  for (const [group, nodes] of list(raw['cpu_groups']).entries()) {
    for (const { index, text: node } of texts(nodes)) {
      const first = seen.get(node);
      if (first !== undefined)
        issues.add(['cpu_groups', group, index], `is in cpu_groups[${first}] already`, {
          value: node,
          hint: 'name each node once',
        });
      seen.set(node, first ?? group);
    }
  }
}

/** Nothing would come of it: where the target has the storage itself, that one is taken. */
function storagesHaveOthers(raw: Written, issues: Issues): void {
  for (const [from, to] of Object.entries(mapping(raw['storage_map']))) {
    const named = typeof to === 'string' ? [to] : texts(to).map((one) => one.text);
    if (!named.includes(from)) continue;
    const hint =
      'name storages that other nodes have in its place; where a node has this one, it is taken anyway';
    issues.add(['storage_map', from], 'is its own counterpart', { value: from, hint });
  }
}

/** Whoever is in one is cut off for the time of its move. */
function restartsHaveWindows(raw: Written, issues: Issues): void {
  if (raw['containers'] !== 'restart' || list(raw['windows']).length > 0) return;
  const hint =
    "say when with windows, e.g. windows: [{ from: '02:00', to: '05:00' }]; '00:00' to '24:00' is any time";
  issues.add(['containers'], 'restarts containers at any time of the day', { value: 'restart', hint });
}

function timeZoneExists(raw: Written, issues: Issues): void {
  const zone = text(raw['time_zone']);
  if (zone === undefined || zone === '') return;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    const near = nearest(zone, Intl.supportedValuesOf('timeZone'));
    const hint = near === undefined ? 'for example Europe/Moscow, or UTC' : `did you mean ${near}?`;
    issues.add(['time_zone'], 'is no time zone', { value: zone, hint });
  }
}

function spanProblem(raw: Written): { message: string; hint: string } | undefined {
  const from = text(raw['from']) ?? '';
  const to = text(raw['to']) ?? '';
  for (const end of [from, to]) {
    if (minutesOf(end) === undefined && localMomentOf(end) === undefined)
      return { message: `"${end}" is no time`, hint: 'write "09:00", or "2026-12-24 09:00"' };
  }
  const days = texts(raw['days']).flatMap((day) => WEEKDAYS.find((known) => known === day.text) ?? []);
  const written: { from: string; to: string; days?: Weekday[] } = { from, to };
  if (raw['days'] !== undefined) written.days = days;
  if (timeSpan(written) !== undefined) return undefined;
  if ((minutesOf(from) === undefined) !== (minutesOf(to) === undefined))
    return { message: 'one end is a time of day, the other a date', hint: 'write both in one way' };
  if (raw['days'] !== undefined && localMomentOf(from) !== undefined)
    return {
      message: 'days do not go with dates',
      hint: 'remove days, or write times of day such as "09:00"',
    };
  return { message: 'it ends when it begins, or before', hint: 'for the whole day: "00:00" to "24:00"' };
}

function spansAreTimes(raw: Written, issues: Issues): void {
  const labs = Object.entries(mapping(raw['labs'])).map(
    ([lab, times]) => [['labs', lab], mapping(times)] as const,
  );
  for (const [path, times] of [[[], raw] as const, ...labs]) {
    for (const key of ['windows', 'blackout', 'lessons']) {
      for (const [index, span] of list(times[key]).entries()) {
        const isWhole = isMapping(span) && text(span['from']) !== undefined && text(span['to']) !== undefined;
        const problem = isWhole ? spanProblem(span) : undefined;
        if (problem) issues.add([...path, key, index], problem.message, { hint: problem.hint });
      }
    }
  }
}

function labsHaveNames(raw: Written, issues: Issues): void {
  for (const lab of Object.keys(mapping(raw['labs']))) {
    if (isLabName(lab)) continue;
    issues.add(['labs', lab], 'is no name of a lab (a–z, 0–9 and hyphens, at most 31)', { at: 'key' });
  }
}

function gainIsSensible(raw: Written, issues: Issues): void {
  const gain = fractionOf(raw['min_gain']);
  if (gain !== undefined && gain >= 1)
    issues.add(['min_gain'], 'no move improves by 100 % or more', { value: raw['min_gain'] });
}

export const balanceRules: readonly BalanceRule[] = [
  percentagesAreNotFractions,
  targetsAreBelowOverload,
  reliefIsBetween,
  durationsAreInRange,
  cooldownCoversTheWindow,
  rulesChooseGuests,
  vmidsAreRanges,
  apartIsNotTogether,
  pinsShareANode,
  nodesAreInOneCpuGroup,
  storagesHaveOthers,
  restartsHaveWindows,
  timeZoneExists,
  spansAreTimes,
  lessonsDoNotOverlap,
  labsHaveNames,
  preparationIsShort,
  ...notifyRules,
  gainIsSensible,
];
