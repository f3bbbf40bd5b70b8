/** A CSV roster → the same values that users.yml would hold, with their places. Judges no user. */
import { CsvError, parse } from 'csv-parse/sync';
import { configError, type Path, type Position, type Source } from '../input/issues.ts';
import { nearest } from '../../nearest.ts';

const MAX_ROWS = 10_000;

/** Headers as teachers and other programs write them. */
const COLUMNS: Readonly<Record<string, string>> = {
  userid: 'userid',
  user: 'userid',
  username: 'userid',
  login: 'userid',
  email: 'email',
  mail: 'email',
  e_mail: 'email',
  first_name: 'first_name',
  firstname: 'first_name',
  last_name: 'last_name',
  lastname: 'last_name',
  surname: 'last_name',
  groups: 'groups',
  group: 'groups',
  expire: 'expire',
  expires: 'expire',
  pool: 'pool',
};

interface Row {
  readonly cells: readonly string[];
  readonly line: number;
  /** Where each cell starts. */
  readonly columns: readonly number[];
}

export interface Roster extends Source {
  readonly value: { readonly users: readonly Record<string, unknown>[] };
  readonly warnings: readonly string[];
}

function fail(file: string, line: number, message: string, hint?: string): never {
  throw configError([{ file, line, column: 1, path: '', message, ...(hint === undefined ? {} : { hint }) }]);
}

/** Excel's own first line, which names the separator; it becomes a comment, so that lines keep their numbers. */
const SEPARATOR_LINE = /^(\uFEFF?)"?sep=([;,\t])"?(?=\r?\n|\r|$)/i;

/** The separator that the first row uses most; a single column has none. */
function delimiterOf(text: string): string {
  const firstRow = text.split(/\r\n|\r|\n/).find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
  const unquoted = firstRow.replaceAll(/"[^"]*"/g, '');
  const count = (sign: string): number => unquoted.split(sign).length - 1;
  return [';', '\t'].reduce((best, sign) => (count(sign) > count(best) ? sign : best), ',');
}

function startsOf(raw: string, cells: readonly string[]): number[] {
  let from = 0;
  return cells.map((cell) => {
    const found = raw.indexOf(cell, from);
    const start = found < 0 ? from : found;
    from = start + cell.length;
    return start + 1;
  });
}

interface ParsedRecord {
  readonly record: readonly string[];
  readonly raw: string;
  readonly info: { readonly lines: number };
}

function rowsOf(text: string, file: string): Row[] {
  try {
    const separator = SEPARATOR_LINE.exec(text)?.[2];
    const table = text.replace(SEPARATOR_LINE, '$1#');
    const records = parse(table, {
      bom: true,
      delimiter: separator ?? delimiterOf(table),
      comment: '#',
      comment_no_infix: true,
      trim: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      relax_column_count: true,
      to: MAX_ROWS + 2,
      max_record_size: 64 * 1024,
      raw: true,
      info: true,
    }) as unknown as ParsedRecord[]; // what raw and info make of a record
    return records.map(({ record, raw, info }) => {
      const row = raw.replace(/^[\r\n]+|[\r\n]+$/g, '');
      const line = info.lines - row.split('\n').length + 1;
      return { cells: record, line, columns: startsOf(row, record) };
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? error['lines'] : 1;
    if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
      fail(
        file,
        line,
        'a quote (") is opened and never closed',
        'close it, or double a quote that is meant as text',
      );
    }
    if (error.code === 'CSV_MAX_RECORD_SIZE') {
      fail(file, line, 'a row has more than 64 KiB', 'is this the right file, or is a quote (") not closed?');
    }
    return fail(file, line, `this is not valid CSV (${error.code})`, 'quotes stand around whole cells only');
  }
}

function columnOf(header: string): string | undefined {
  const key = header.toLowerCase().replaceAll(/[\s-]+/g, '_');
  return Object.hasOwn(COLUMNS, key) ? COLUMNS[key] : undefined;
}

interface Header {
  /** Key per column; undefined: ignored. */
  readonly keys: readonly (string | undefined)[];
  readonly warnings: readonly string[];
}

function readHeader(row: Row, file: string): Header {
  const keys = row.cells.map(columnOf);
  const place = (index: number): string => `${file}:${row.line}:${row.columns[index] ?? 1}`;
  if (!keys.includes('userid')) {
    const near = row.cells.find((cell) => nearest(cell, ['userid']) !== undefined);
    const hint =
      near === undefined
        ? 'name the column of name@realm "userid"'
        : `did you mean userid instead of ${near}?`;
    fail(file, row.line, 'the roster has no column "userid"', hint);
  }
  const twice = keys.findIndex((key, index) => key !== undefined && keys.indexOf(key) < index);
  if (twice >= 0)
    fail(file, row.line, `two columns mean ${String(keys[twice])}`, 'remove or rename one of them');
  const warnings = row.cells.flatMap((cell, index) => {
    if (keys[index] !== undefined || cell === '') return [];
    const near = nearest(cell, Object.keys(COLUMNS));
    const question = near === undefined ? '' : ` (did you mean ${near}?)`;
    return [`${place(index)}: column ${JSON.stringify(cell.slice(0, 40))} is ignored${question}`];
  });
  return { keys, warnings };
}

function isHeaderless(row: Row): boolean {
  return (
    row.cells.length === 1 && columnOf(row.cells[0] ?? '') === undefined && (row.cells[0] ?? '').includes('@')
  );
}

function valueOf(key: string, cell: string): unknown {
  if (key === 'groups') return cell.split(/[;,\s]+/).filter((group) => group !== '');
  if (key !== 'expire') return cell;
  if (/^\d{1,12}$/.test(cell)) return Number(cell);
  // As spreadsheets of half of Europe write a day.
  const [, day, month, year] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(cell) ?? [];
  if (day === undefined || month === undefined || year === undefined) return cell;
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

function toUser(row: Row, keys: readonly (string | undefined)[], file: string): Record<string, unknown> {
  const user: Record<string, unknown> = {};
  row.cells.forEach((cell, index) => {
    const key = keys[index];
    if (index >= keys.length && cell !== '') {
      fail(
        file,
        row.line,
        `the row has ${row.cells.length} cells, the header ${keys.length}`,
        'put quotes around cells with separators',
      );
    }
    if (key !== undefined && cell !== '') user[key] = valueOf(key, cell);
  });
  return user;
}

/** Throws a ConfigError for what cannot be read as a roster at all. */
export function readRoster(text: string, file: string): Roster {
  const rows = rowsOf(text, file);
  const [first] = rows;
  if (!first) fail(file, 1, 'the file is empty');
  if (rows.length > MAX_ROWS) fail(file, 1, `the roster has more than ${MAX_ROWS} rows`);
  const hasHeader = !isHeaderless(first);
  const { keys, warnings } = hasHeader ? readHeader(first, file) : { keys: ['userid'], warnings: [] };
  const body = hasHeader ? rows.slice(1) : rows;

  const locate = ([, index, key]: Path): Position => {
    const row = typeof index === 'number' ? body[index] : first;
    if (!row) return { line: first.line, column: 1 };
    return { line: row.line, column: row.columns[keys.indexOf(String(key))] ?? 1 };
  };
  return { file, value: { users: body.map((row) => toUser(row, keys, file)) }, warnings, locate };
}
