/** Reads the few fields we use out of answers, tolerant in spelling (`"1"`), strict in kind. Must not hold policy. */
import { isRecord, plainEntries, type Answer } from './answer.ts';
import { PveError } from './errors.ts';

export function unexpected(answer: Answer, what: string): PveError {
  return new PveError({
    method: answer.method,
    path: answer.path,
    status: 200,
    text: `unexpected answer: ${what}`,
  });
}

/** One object of an answer. Only own properties are read. */
export class Row {
  readonly #answer: Answer;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(answer: Answer, value: unknown, what: string) {
    if (!isRecord(value)) throw unexpected(answer, `${what} is not an object`);
    this.#answer = answer;
    this.#fields = value;
  }

  get(key: string): unknown {
    return Object.hasOwn(this.#fields, key) ? (this.#fields[key] ?? undefined) : undefined;
  }

  text(key: string): string {
    return this.maybeText(key) ?? this.#fail(key, 'is missing');
  }

  maybeText(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    return this.#fail(key, 'is not a text');
  }

  /** PVE ends comments with a newline of its own. */
  comment(key: string): string {
    return (this.maybeText(key) ?? '').replace(/\n+$/, '');
  }

  number(key: string): number {
    return this.maybeNumber(key) ?? this.#fail(key, 'is missing');
  }

  maybeNumber(key: string): number | undefined {
    const value = this.get(key);
    if (value === undefined || value === '') return undefined;
    const number = typeof value === 'string' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    return this.#fail(key, 'is not a number');
  }

  /** A measured value. Statistics say `nan` of what they do not know. */
  measured(key: string): number | undefined {
    const value = this.get(key);
    return typeof value === 'string' && /^[+-]?(?:nan|inf(?:inity)?)$/i.test(value.trim())
      ? undefined
      : this.maybeNumber(key);
  }

  flag(key: string, absent = false): boolean {
    const value = this.get(key);
    if (value === undefined || value === '') return absent;
    if (value === true || value === 1 || value === '1' || value === 'yes' || value === 'on') return true;
    if (value === false || value === 0 || value === '0' || value === 'no' || value === 'off') return false;
    return this.#fail(key, 'is not a boolean');
  }

  maybeFlag(key: string): boolean | undefined {
    return this.get(key) === undefined ? undefined : this.flag(key);
  }

  /** A list as PVE writes it: separated by commas, semicolons or blanks; sorted out of an array, too. */
  list(key: string): readonly string[] {
    const value = this.get(key);
    if (Array.isArray(value)) {
      // An object's own toString would be called.
      if (!value.every((item) => typeof item === 'string' || typeof item === 'number'))
        this.#fail(key, 'is not a list of texts');
      return value.map(String);
    }
    return (this.maybeText(key) ?? '').split(/[,;\s]+/).filter((item) => item !== '');
  }

  #fail(key: string, what: string): never {
    throw unexpected(this.#answer, `"${key}" ${what}`);
  }
}

/** `data` as a list of objects. */
export function rowsOf(answer: Answer): readonly Row[] {
  if (!Array.isArray(answer.data)) throw unexpected(answer, 'data is not a list');
  return answer.data.map((value, index) => new Row(answer, value, `data[${index}]`));
}

/** `data` as one object. */
export function rowOf(answer: Answer): Row {
  return new Row(answer, answer.data, 'data');
}

/** Scalar values of an object with keys of the server's choice, as strings. */
export function valuesOf(value: unknown): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [key, v] of plainEntries(value)) {
    if (typeof v === 'boolean') values[key] = v ? '1' : '0';
    else if (typeof v === 'string' || typeof v === 'number') values[key] = String(v);
  }
  return values;
}
