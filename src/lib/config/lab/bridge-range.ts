/** `bridge_range` of a lab or of a connection: the numbers that bridges of stands may have. Reports nothing itself. */
import type { BridgeRange } from '../types.ts';
import { FIRST_BRIDGE, LAST_BRIDGE } from '../../pve-values/bridge-name.ts';
import { integer, isMapping, mapping } from '../input/written.ts';

/** Where nothing narrower is said. */
export const ALL_BRIDGES: BridgeRange = { first: FIRST_BRIDGE, last: LAST_BRIDGE };

export interface RangeProblem {
  readonly message: string;
  readonly value: string;
  readonly hint: string;
}

/** Both ends, as far as they can be read. */
export function bridgeRangeOf(value: unknown): BridgeRange | undefined {
  if (typeof value === 'string') {
    const match = /^\s*(\d{1,6})\s*-\s*(\d{1,6})\s*$/.exec(value);
    return match ? { first: Number(match[1]), last: Number(match[2]) } : undefined;
  }
  const first = integer(mapping(value)['first']);
  const last = integer(mapping(value)['last']);
  return first === undefined || last === undefined ? undefined : { first, last };
}

export function showRange({ first, last }: BridgeRange): string {
  return `${first}-${last}`;
}

export function isInside(inner: BridgeRange, outer: BridgeRange): boolean {
  return inner.first >= outer.first && inner.last <= outer.last;
}

/** What is wrong with it by itself; what is neither text nor mapping is the schema's to tell. */
export function bridgeRangeProblem(value: unknown): RangeProblem | undefined {
  const range = bridgeRangeOf(value);
  if (!range) {
    if (typeof value !== 'string' || isMapping(value)) return undefined;
    return { message: 'is no range of bridge numbers', value, hint: 'write "1000-1999"' };
  }
  const shown = showRange(range);
  if (range.first > range.last) {
    const hint = `write ${range.last}-${range.first}`;
    return { message: 'the range ends before it starts', value: shown, hint };
  }
  if (isInside(range, ALL_BRIDGES)) return undefined;
  const hint = `stay within ${showRange(ALL_BRIDGES)}`;
  return { message: 'bridges of stands are called vmbr1000 to vmbr4094', value: shown, hint };
}
