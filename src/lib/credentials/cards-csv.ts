/** Credentials as a spreadsheet: one row per student. Touches no file. */
import type { Card } from '../render/cards.ts';
import { formatCsv } from '../render/csv.ts';

const COLUMNS = ['userid', 'name', 'login', 'realm', 'password', 'url', 'pool', 'machines', 'consoles'];

/** Ends with a line break. */
export function renderCsvCards(cards: readonly Card[]): string {
  const rows = cards.map(({ userid, name, login, realm, password, url, pool, machines }) => [
    userid,
    name,
    login,
    realm,
    password ?? '',
    url,
    pool,
    machines.map((machine) => `${machine.name}=${machine.vmid}`).join(' '),
    machines.map((machine) => machine.console).join(' '),
  ]);
  return formatCsv(COLUMNS, rows);
}
