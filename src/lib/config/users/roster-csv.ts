/** A CSV roster → the same values that users.yml would hold, with their places. Judges no user. */
import { isoDay } from '../input/dates.ts';
import type { Path, Position, Source } from '../input/issues.ts';
import { nearest } from '../../nearest.ts';
import { shellCommand } from '../../shell.ts';
import { failAt, readTable, type Row } from './csv-table.ts';

/** Headers as teachers and other programs write them. */
const COLUMNS: Readonly<Record<string, string>> = {
  userid: 'userid',
  user: 'userid',
  username: 'userid',
  login: 'userid',
  realm: 'realm',
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

export interface Roster extends Source {
  readonly value: { readonly users: readonly Record<string, unknown>[] };
  readonly warnings: readonly string[];
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
        ? `name the column of name@realm "userid"; what a school or a learning platform exported becomes users.yml with: ${shellCommand('deploy-stand', 'users', 'import', '--from', 'csv', file, '--realm', 'pve', '--out', 'users.yml')}`
        : `did you mean userid instead of ${near}?`;
    failAt(file, row.line, 'the roster has no column "userid"', hint);
  }
  const twice = keys.findIndex((key, index) => key !== undefined && keys.indexOf(key) < index);
  if (twice >= 0)
    failAt(file, row.line, `two columns mean ${String(keys[twice])}`, 'remove or rename one of them');
  const ignored = row.cells.flatMap((cell, index) =>
    keys[index] === undefined && cell !== '' ? [index] : [],
  );
  const [at] = ignored;
  if (at === undefined) return { keys, warnings: [] };
  const names = ignored.map((index) => {
    const cell = row.cells[index] ?? '';
    const near = nearest(cell, Object.keys(COLUMNS));
    const question = near === undefined ? '' : ` (did you mean ${near}?)`;
    return `${JSON.stringify(cell.slice(0, 40))}${question}`;
  });
  const what = names.length === 1 ? `column ${names.join('')} is` : `columns ${names.join(', ')} are`;
  return { keys, warnings: [`${place(at)}: ${what} ignored`] };
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
  return isoDay(cell) ?? cell;
}

function toUser(row: Row, keys: readonly (string | undefined)[], file: string): Record<string, unknown> {
  const user: Record<string, unknown> = {};
  row.cells.forEach((cell, index) => {
    const key = keys[index];
    if (index >= keys.length && cell !== '') {
      failAt(
        file,
        row.line,
        `the row has ${row.cells.length} cells, the header ${keys.length}`,
        'put quotes around cells with separators',
      );
    }
    if (key !== undefined && cell !== '') user[key] = valueOf(key, cell);
  });
  const { realm, ...rest } = user;
  const name = rest['userid'];
  // A userid that has one keeps it: a list can be of several realms.
  if (typeof realm !== 'string' || typeof name !== 'string' || name.includes('@')) return rest;
  return { ...rest, userid: `${name}@${realm}` };
}

/** Throws a ConfigError for what cannot be read as a roster at all. */
export function readRoster(text: string, file: string): Roster {
  const rows = readTable(text, file);
  const [first] = rows;
  const hasHeader = !isHeaderless(first);
  const { keys, warnings } = hasHeader ? readHeader(first, file) : { keys: ['userid'], warnings: [] };
  const body = hasHeader ? rows.slice(1) : rows;

  const locate = ([, index, key]: Path): Position => {
    const row = typeof index === 'number' ? body[index] : first;
    if (!row) return { line: first.line, column: 1 };
    return { line: row.line, column: row.columns[keys.indexOf(String(key))] ?? 1 };
  };
  return {
    file,
    isTable: true,
    value: { users: body.map((row) => toUser(row, keys, file)) },
    warnings,
    locate,
  };
}
