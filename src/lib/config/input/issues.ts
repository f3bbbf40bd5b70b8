/** Collects the problems of one input file with their places and words. Must not read files, nor stop at the first problem. */
import { groupBy } from '../../group.ts';
import { ConfigError, type ConfigIssue } from '../../errors.ts';

/** Keys and indices from the document's root, e.g. `['machines', 2, 'name']`. */
export type Path = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column?: number;
}

/** What stands in for the file at a path: a variable, or a flag. Its hint speaks of itself, not of the file's key. */
export interface Origin extends Partial<Position> {
  readonly file: string;
  readonly path: string;
  /** As it is written there. */
  readonly value: string;
  readonly hint: string;
}

/** Where things stand in the file. `locate` falls back to the nearest thing that exists. */
export interface Source {
  readonly file: string;
  /** Its rows are those of a table, which takes further columns. */
  readonly isTable?: boolean;
  locate(path: Path, at: 'key' | 'value'): Position | undefined;
  /** Absent: everything is the file's own. */
  origin?(path: Path): Origin | undefined;
}

interface IssueDetails {
  /** What is wrong; shown when it is a scalar and the place is no secret. */
  readonly value?: unknown;
  readonly hint?: string | undefined;
  readonly at?: 'key' | 'value';
}

const MAX_VALUE = 80;
const MAX_KEPT = 1000;

/** `machines[2].networks[0].tag`; keys that are no plain words are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w*-]+$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(printable(part))}]`;
  }
  return text;
}

/** One line of visible characters: a terminal must never obey an input file. */
export function printable(value: string | number | boolean): string {
  const text = String(value);
  const clipped = text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
  return clipped.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** The problems of one file. `isSecret` names places whose values are never shown. */
export class Issues {
  readonly errors: ConfigIssue[] = [];
  readonly warnings: string[] = [];
  readonly #paths = new Set<string>();
  readonly #source: Source;
  readonly #isSecret: (path: Path) => boolean;

  constructor(source: Source, isSecret: (path: Path) => boolean) {
    this.#source = source;
    this.#isSecret = isSecret;
  }

  get file(): string {
    return this.#source.file;
  }

  get isTable(): boolean {
    return this.#source.isTable ?? false;
  }

  has(path: Path): boolean {
    return this.#paths.has(formatPath(path));
  }

  add(path: Path, message: string, details: IssueDetails = {}): void {
    this.#paths.add(formatPath(path));
    const issue = this.#issue(path, message, details);
    const isTold = this.#source.origin?.(path) !== undefined && this.#isTold(issue);
    if (this.errors.length < MAX_KEPT && !isTold) this.errors.push(issue);
  }

  warn(path: Path, message: string, details: IssueDetails = {}): void {
    const issue = this.#issue(path, message, details);
    const hint = issue.hint === undefined ? '' : ` (${issue.hint})`;
    this.warnings.push(`${headline(issue)}${hint}`);
  }

  line(path: Path): number {
    return this.#source.locate(path, 'value')?.line ?? 1;
  }

  /** One variable may stand for several keys. */
  #isTold({ file, path, message }: ConfigIssue): boolean {
    return this.errors.some((one) => one.file === file && one.path === path && one.message === message);
  }

  #issue(path: Path, message: string, { value, hint, at = 'value' }: IssueDetails): ConfigIssue {
    const origin = this.#source.origin?.(path);
    if (origin) {
      const { value: written, ...place } = origin;
      return { ...place, message, ...(this.#isSecret(path) ? {} : { value: printable(written) }) };
    }
    const position = this.#source.locate(path, at);
    const isShown = isScalar(value) && !this.#isSecret(path);
    return {
      file: this.#source.file,
      ...position,
      path: formatPath(path),
      message,
      ...(isShown ? { value: printable(value) } : {}),
      ...(hint === undefined ? {} : { hint }),
    };
  }
}

function headline({ file, line, column, path, message }: ConfigIssue): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return path === '' ? `${place}: ${message}` : `${place} ${path}: ${message}`;
}

function byPlace(a: ConfigIssue, b: ConfigIssue): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** One error for all problems: files in the given order, lines ascending. */
export function configError(...perFile: readonly (readonly ConfigIssue[])[]): ConfigError {
  const byFile = groupBy(perFile.flat(), ({ file }) => file);
  const issues = [...byFile.values()].flatMap((list) => list.sort(byPlace));
  const files = [...new Set(issues.map((issue) => issue.file))].join(' and ');
  const count = issues.length === 1 ? '1 problem' : `${issues.length} problems`;
  return new ConfigError('CONFIG_INVALID', `${count} in ${files}`, { issues });
}
