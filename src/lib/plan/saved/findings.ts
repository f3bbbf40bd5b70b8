/** Collects what is found, one line for each kind of finding, however many stands it is true of. */

export const PLAN_AGAIN =
  'plan again: the same command with --dry-run --out FILE in place of --plan; a saved plan is applied with the files and options that it was made from';

const MOST_LINES = 20;

export interface Findings {
  /** `kind` is what the finding is about; the first text of each is said. */
  add(kind: string, text: string): void;
  /** How often something was found. */
  readonly count: number;
  /** Every finding by itself. */
  all(): string[];
  lines(): string[];
}

export function createFindings(): Findings {
  const found = new Map<string, string[]>();
  let total = 0;
  return {
    add(kind, text) {
      total += 1;
      const known = found.get(kind);
      if (known) known.push(text);
      else found.set(kind, [text]);
    },
    get count() {
      return total;
    },
    all: () => [...found.values()].flat(),
    lines() {
      const lines = [...found.values()].map(([first = '', ...others]) =>
        others.length === 0 ? first : `${first} (and ${others.length} more of this kind)`,
      );
      const more = lines.length - MOST_LINES;
      return more > 0 ? [...lines.slice(0, MOST_LINES), `and ${more} more`] : lines;
    },
  };
}

/** As the message of an error: what is true of many is said once, and in full where all is asked for. */
export function messageOf(
  headline: string,
  findings: Findings,
): { readonly message: string; readonly inFull: string } {
  const listed = (lines: readonly string[]): string => [headline, ...lines].join('\n  ');
  return { message: listed(findings.lines()), inFull: listed(findings.all()) };
}

export const NOT_WHAT_IS_SAVED = 'the saved plan is not what would be done now:';
