/** The list of users as a table, and as a document. Shows no password, only whether it is known. */
import type { UserRow } from '../plan/users/list.ts';
import { endText } from '../pve-values/expire.ts';
import { paragraph, renderColumns, ROOMY, type Cell, type RenderOptions } from './layout.ts';
import { minuteOf } from '../pve-values/moment.ts';
import type { JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';
import { countOf } from './step-text.ts';

const HEAD = ['USER', 'REALM', 'ENABLED', 'EXPIRES', 'POOL', 'STANDS', 'RUNNING', 'PASSWORD'];

/** Realm and pool: mostly the two halves of the name, and a narrow terminal can do without. */
const SPARED: readonly number[] = [1, 4];

function enabledCell({ exists, enabled }: UserRow, paint: Paint): Cell {
  if (!exists) return { text: 'missing', paint: paint.red };
  return enabled ? { text: 'yes', paint: paint.green } : { text: 'no', paint: paint.yellow };
}

function standsCell(stands: readonly string[], frozen: string | null, paint: Paint): Cell {
  if (stands.length === 0) return { text: '-' };
  const text = stands.join(', ');
  return frozen === null ? { text } : { text: `${text} (frozen)`, paint: paint.yellow };
}

function cellsOf(row: UserRow, paint: Paint): Cell[] {
  const { userid, realm, expire, pool, stands, frozen, vms, password } = row;
  return [
    { text: userid },
    { text: realm },
    enabledCell(row, paint),
    { text: expire === null ? '-' : endText(expire) },
    { text: pool },
    standsCell(stands, frozen, paint),
    { text: vms.total === 0 ? '-' : `${vms.running} of ${vms.total}` },
    { text: password },
  ];
}

function totals(rows: readonly UserRow[]): string {
  const counts: readonly (readonly [number, string])[] = [
    [rows.filter((row) => !row.exists).length, 'missing'],
    [rows.filter((row) => row.exists && !row.enabled).length, 'disabled'],
    [rows.filter((row) => row.exists && !row.ours).length, 'not created by deploy-stand'],
  ];
  const parts = counts.flatMap(([count, words]) => (count === 0 ? [] : [`${count} ${words}`]));
  const all = countOf(rows.length, 'user', 'users');
  return parts.length === 0 ? all : `${all}: ${parts.join(', ')}`;
}

/** Same rows, same options, same text. Ends without a line break. */
export function renderUsers(rows: readonly UserRow[], { width, color }: RenderOptions): string {
  const paint = createPaint(color);
  if (rows.length === 0) return 'no users of deploy-stand on this cluster';
  const head = HEAD.map((text): Cell => ({ text, paint: paint.bold }));
  const table = [head, ...rows.map((row) => cellsOf(row, paint))].map((cells) =>
    cells.filter((_, column) => width >= ROOMY || !SPARED.includes(column)),
  );
  return [
    ...renderColumns(table, { width, fixed: [0] }),
    '',
    ...paragraph(totals(rows), { width, paint: paint.bold }),
  ].join('\n');
}

/** For `--output json|yaml`. `expires` is a moment, or null for never; `frozen` a moment, or null for not. */
export function toUsersDocument(rows: readonly UserRow[]): JsonObject {
  const users = rows.map(
    ({ userid, realm, exists, ours, enabled, expire, pool, stands, frozen, vms, password }) => ({
      userid,
      realm,
      exists,
      ours,
      enabled,
      expires: expire === null ? null : minuteOf(expire),
      pool,
      stands,
      frozen,
      vms: { total: vms.total, running: vms.running },
      password,
    }),
  );
  return { users };
}
