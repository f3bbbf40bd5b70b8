/** The text of a credentials file: rows ↔ CSV. Touches no file. */
import { FORMULA, formatCsv } from '../render/csv.ts';
import { CsvError, parse } from 'csv-parse/sync';

export const STATES = ['pending', 'set', 'unchanged', 'directory', 'removed'] as const;
export type CredentialState = (typeof STATES)[number];

export interface CredentialRow {
  readonly userid: string;
  /** Empty when we do not know it. */
  readonly password: string;
  readonly state: CredentialState;
  readonly pool: string;
  readonly url: string;
  /** What has to be given back to a user that is being made anew (JSON). */
  readonly account?: string | undefined;
  /** What was mailed to the user; see sent.ts. */
  readonly sent?: string | undefined;
}

const COLUMNS = ['userid', 'password', 'state', 'pool', 'url'] as const;
const HEADER = COLUMNS.join(',');
/** There only while a row has something in it; files of older versions have none of them. */
const EXTRAS = ['account', 'sent'] as const;

/** Some spreadsheets put quotes around every cell, or semicolons between them. */
const BEGINNING = new RegExp(`^\\uFEFF?\\s*"?${COLUMNS.slice(0, 3).join('"?[,;]"?')}"?[,;]`);

export function isCredentialsCsv(head: string): boolean {
  return BEGINNING.test(head);
}

function readCell(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}

export function formatRows(rows: readonly CredentialRow[]): string {
  const extras = EXTRAS.filter((extra) => rows.some((row) => row[extra] !== undefined));
  const columns = [...COLUMNS, ...extras];
  return formatCsv(
    columns,
    rows.map((row) => columns.map((column) => row[column] ?? '')),
  );
}

function isState(text: string | undefined): text is CredentialState {
  return STATES.some((state) => state === text);
}

export type ParsedRows =
  { readonly rows: readonly CredentialRow[] } | { readonly problem: string; readonly line: number };

interface ParsedRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** A spreadsheet of some countries saves with semicolons. */
function delimiterOf(text: string): string {
  return text.replace(/^\uFEFF/, '').startsWith(COLUMNS.join(';')) ? ';' : ',';
}

function toRow(
  { record, info }: ParsedRecord,
  columns: readonly string[],
): CredentialRow | { problem: string; line: number } {
  if (record.length !== columns.length) {
    return { problem: `a row has ${record.length} cells instead of ${columns.length}`, line: info.lines };
  }
  const cells = Object.fromEntries(columns.map((column, at) => [column, readCell(record[at] ?? '')]));
  const { userid = '', password = '', state, pool = '', url = '' } = cells;
  if (userid === '') return { problem: 'a row has no userid', line: info.lines };
  if (!isState(state)) return { problem: `a row's state is none of ${STATES.join(', ')}`, line: info.lines };
  const extras = EXTRAS.flatMap((column) => (cells[column] ? [[column, cells[column]]] : []));
  return { userid, password, state, pool, url, ...(Object.fromEntries(extras) as object) };
}

/** Problems never quote a cell: it may hold a password. */
export function parseRows(text: string): ParsedRows {
  let records: ParsedRecord[];
  try {
    records = parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as ParsedRecord[]; // what info makes of a record
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { problem: `it is not valid CSV (${error.code})`, line: 1 };
  }
  const [header, ...body] = records;
  const names = header?.record ?? [];
  const extras: readonly string[] = EXTRAS.filter((extra) => names.includes(extra));
  if (names.join(',') !== [HEADER, ...extras].join(',')) {
    return { problem: `its first line is not "${HEADER}"`, line: 1 };
  }
  const rows: CredentialRow[] = [];
  for (const record of body) {
    const row = toRow(record, names);
    if ('problem' in row) return row;
    rows.push(row);
  }
  return { rows };
}
