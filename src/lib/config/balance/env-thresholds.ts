/** The VM Balancer's thresholds in the words of balance.yml: what they meant there they mean here. */
import { put, type Reader } from './env-reader.ts';

/** A relieved node goes so far below its limit: a target may not be nearer to it. */
const BELOW = { points: 4, part: 0.95 };

interface Threshold {
  readonly what: 'CPU' | 'MEMORY';
  /** The VM Balancer's own, for the one of the two that is not there. */
  readonly usual: { readonly overload: number; readonly target: number };
  readonly most: number;
  readonly hint: string;
  readonly keysOf: (reader: Reader) => readonly string[];
  /** The highest target below that limit. */
  readonly below: (overload: number) => number;
}

const THRESHOLDS: readonly Threshold[] = [
  {
    what: 'CPU',
    usual: { overload: 7, target: 6 },
    most: 1000,
    hint: 'e.g. 7.0',
    // With SSH it is the load average per core, and virtual CPUs per core where a node cannot be reached.
    keysOf: ({ isMeasured }) => (isMeasured ? ['load_per_core', 'vcpus_per_core'] : ['vcpus_per_core']),
    below: (overload) => Number((overload * BELOW.part).toFixed(4)),
  },
  {
    what: 'MEMORY',
    usual: { overload: 70, target: 80 },
    most: 100,
    hint: 'e.g. 70.0',
    keysOf: () => ['memory'],
    below: (overload) => Number(Math.max(overload - BELOW.points, overload / 2).toFixed(4)),
  },
];

/** A number, or undefined after a complaint. */
function thresholdOf(
  reader: Reader,
  name: string,
  { usual, most, hint }: ThresholdValue,
): number | undefined {
  const value = reader.values[name];
  if (value === undefined) return usual;
  const number = Number(value.replace(/\s*%$/, ''));
  // A percentage of less than one is a fraction that somebody meant.
  const isFraction = most === 100 && number < 1;
  if (number > 0 && number <= most && !isFraction) return number;
  const what = most === 100 ? 'a percentage of 1 to 100' : 'a number above 0';
  reader.fail(name, `is not ${what}`, hint);
  return undefined;
}

type ThresholdValue = { readonly usual: number } & Pick<Threshold, 'most' | 'hint'>;

/**
 * The VM Balancer takes whatever target there is, and looks at the limit again before it moves something: a target that
 * is not below it (its own example has such a one) means "as much as the limit allows".
 */
export function thresholds(reader: Reader): void {
  for (const { what, usual, keysOf, below, ...rest } of THRESHOLDS) {
    const [upper, lower] = [`${what}_OVERLOAD_THRESHOLD`, `${what}_TARGET_THRESHOLD`];
    if (reader.values[upper] === undefined && reader.values[lower] === undefined) continue;
    const overload = thresholdOf(reader, upper, { ...rest, usual: usual.overload });
    const written = thresholdOf(reader, lower, { ...rest, usual: usual.target });
    if (overload === undefined || written === undefined) continue;
    const target = written < overload ? written : below(overload);
    if (target !== written && reader.values[lower] !== undefined)
      reader.warn(
        lower,
        `is not below ${upper}=${overload}: taken as ${target}, so that no node is a target and overloaded at once`,
      );
    for (const key of keysOf(reader)) {
      put(reader, { name: upper, path: ['overload', key], hint: rest.hint }, overload);
      const from = reader.values[lower] === undefined ? upper : lower;
      put(reader, { name: from, path: ['target', key], hint: rest.hint }, target);
    }
    if (what === 'CPU' && !reader.isMeasured) reader.raw['measures'] = ['load', 'allocation'];
  }
}
