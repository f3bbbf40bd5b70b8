/** Collects what is found, one line for each kind of finding, however many stands it is true of. */

const MOST_LINES = 20;

export interface Findings {
  /** `kind` is what the finding is about; the first text of each is said. */
  add(kind: string, text: string): void;
  /** How often something was found. */
  readonly count: number;
  lines(): string[];
}

export function createFindings(): Findings {
  const found = new Map<string, { readonly text: string; count: number }>();
  let total = 0;
  return {
    add(kind, text) {
      total += 1;
      const known = found.get(kind);
      if (known) known.count += 1;
      else found.set(kind, { text, count: 1 });
    },
    get count() {
      return total;
    },
    lines() {
      const lines = [...found.values()].map(({ text, count }) =>
        count === 1 ? text : `${text} (and ${count - 1} more of this kind)`,
      );
      const more = lines.length - MOST_LINES;
      return more > 0 ? [...lines.slice(0, MOST_LINES), `and ${more} more`] : lines;
    },
  };
}
