/** Deterministic orders. Never uses the locale. */

/** Sort key in which `student2` stands before `student10`. */
function naturalKey(text: string): string {
  return text.replace(/\d+/g, (digits) => digits.padStart(12, '0'));
}

export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Compares by natural key, ties by the text itself. */
export function compareNatural(a: string, b: string): number {
  return compareText(naturalKey(a), naturalKey(b)) || compareText(a, b);
}

/** The values without repetition, in natural order. */
export function sortedUnique(values: Iterable<string>): string[] {
  return [...new Set(values)].sort(compareNatural);
}

/** Plain data with sorted keys. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => compareText(a, b)).map(([key, item]) => [key, canonical(item)]),
  );
}

/** JSON of plain data in which equal content is equal text, whatever the order of its keys. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(canonical(value));
}
