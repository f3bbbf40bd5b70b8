/** Puts the keys of JSON data into one fixed order, so that documents of equal content are equal text. */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Identity first, then state, then details; keys that are not listed follow in alphabetical order. */
const LEADING = [
  'version',
  'command',
  'lab',
  'strategy',
  'status',
  'id',
  'kind',
  'code',
  'message',
  'hint',
  'user',
  'pool',
  'node',
  'vmid',
  'iface',
  'name',
  'reason',
  'dependsOn',
  'after',
];
const RANK = new Map(LEADING.map((key, at) => [key, at]));

function compareKeys(a: string, b: string): number {
  const rank = (RANK.get(a) ?? LEADING.length) - (RANK.get(b) ?? LEADING.length);
  if (rank !== 0) return rank;
  return a < b ? -1 : 1;
}

/** Values that are undefined are left out, as JSON does; anything that JSON cannot hold throws TypeError. */
export function orderedJson(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(orderedJson);
  if (typeof value === 'object') return orderedObject(value);
  throw new TypeError(`${typeof value} is not JSON data`);
}

/** The same for an object, known to be one. */
export function orderedObject(value: object): JsonObject {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => compareKeys(a, b))
      .map(([key, member]) => [key, orderedJson(member)]),
  );
}
