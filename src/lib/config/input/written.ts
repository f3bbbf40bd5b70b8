/** Looks into values that nobody has validated yet, so that rules can speak beside the schema. Holds no rules. */

export type Written = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Written {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function mapping(value: unknown): Written {
  return isMapping(value) ? value : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function integer(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

/** Strings of a list, or the parts of a text, with their index. */
export function texts(value: unknown): { index: number; text: string }[] {
  return list(value).flatMap((item, index) => (typeof item === 'string' ? [{ index, text: item }] : []));
}

/** What is written there; undefined: nothing. */
export function at(raw: Written, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, key) => mapping(value)[key], raw);
}
