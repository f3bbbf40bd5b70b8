/** CSV as people, spreadsheets and learning platforms write it → rows with their places. Judges no cell. */
import { CsvError, parse } from 'csv-parse/sync';
import { configError } from '../input/issues.ts';

const MAX_ROWS = 10_000;

export interface Row {
  readonly cells: readonly string[];
  readonly line: number;
  /** Where each cell starts. */
  readonly columns: readonly number[];
}

/** Throws a ConfigError about one line. */
export function failAt(file: string, line: number, message: string, hint?: string): never {
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

function parseTable(text: string, file: string): Row[] {
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
      failAt(
        file,
        line,
        'a quote (") is opened and never closed',
        'close it, or double a quote that is meant as text',
      );
    }
    if (error.code === 'CSV_MAX_RECORD_SIZE') {
      failAt(
        file,
        line,
        'a row has more than 64 KiB',
        'is this the right file, or is a quote (") not closed?',
      );
    }
    return failAt(
      file,
      line,
      `this is not valid CSV (${error.code})`,
      'quotes stand around whole cells only',
    );
  }
}

/** Without empty rows and lines that begin with `#`. Throws a ConfigError for what is no CSV, empty, or too long. */
export function readTable(text: string, file: string): readonly [Row, ...Row[]] {
  const [first, ...others] = parseTable(text, file);
  if (!first) failAt(file, 1, 'the file is empty');
  if (others.length >= MAX_ROWS) failAt(file, 1, `the roster has more than ${MAX_ROWS} rows`);
  return [first, ...others];
}
