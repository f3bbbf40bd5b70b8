/** Which fields of an answer the official contract requires, and whether an answer has them with their types. */

export interface OfficialReturn {
  readonly type?: string;
  readonly optional?: boolean | number;
  readonly properties?: Readonly<Record<string, OfficialReturn>>;
  readonly items?: OfficialReturn;
}

/** A place in an answer, such as `[].upid` or `.version`, and the type that the contract declares there. */
export interface RequiredField {
  readonly place: string;
  readonly type: string;
}

/** The answer's own shape comes first, with the place `.`. */
export function requiredFields(returns: OfficialReturn | undefined, place = ''): RequiredField[] {
  if (returns === undefined) return [];
  const own = { place: place === '' ? '.' : place, type: returns.type ?? 'any' };
  if (returns.type === 'array') return [own, ...requiredFields(returns.items, `${place}[]`).filter(isNamed)];
  const inside = Object.entries(returns.properties ?? {})
    .filter(([, one]) => !one.optional)
    .flatMap(([name, one]) => requiredFields(one, `${place}.${name}`));
  return [own, ...inside];
}

/** Rows are counted by their fields: `[]` alone says nothing that the array does not. */
const isNamed = ({ place }: RequiredField): boolean => !place.endsWith('[]');

/** Perl's scalars: numbers come as text at times, booleans as 0, 1 or an empty text. */
const typeChecks: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string' || typeof value === 'number',
  integer: (value) => /^-?\d+$/.test(printed(value)),
  number: (value) => /^-?\d+(?:\.\d+)?(?:e-?\d+)?$/.test(printed(value)),
  boolean: (value) => /^[01]?$/.test(printed(value)),
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  null: (value) => value === null,
};

const printed = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : 'neither';

/** Everything that stands at a place; undefined for each row that lacks it. */
function valuesAt(answer: unknown, place: string): unknown[] {
  let found: unknown[] = [answer];
  for (const part of place.match(/\[\]|\.[^.[]+/g) ?? []) {
    found = found.flatMap((value) => {
      if (part === '[]') return Array.isArray(value) ? (value as unknown[]) : [];
      return [new Map(Object.entries(Object(value) as object)).get(part.slice(1))];
    });
  }
  return found;
}

/** Proven by an answer: something stands there, and all of it has the type. An empty list proves nothing of its rows. */
export function hasField(answer: unknown, { place, type }: RequiredField): boolean {
  const values = valuesAt(answer, place);
  const check = typeChecks[type] ?? (() => true);
  return values.length > 0 && values.every((value) => value !== undefined && check(value));
}
