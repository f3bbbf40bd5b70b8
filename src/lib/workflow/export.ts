/** Gathers what each student is handed: the password from the credentials file, the machines from the cluster. */
import { nameIn, realmIn } from '../pve-values/userid.ts';
import type { Lab } from '../config/types.ts';
import type { CredentialRow, CredentialsFile } from '../credentials/credentials-file.ts';
import type { ReadContext } from '../inventory/pools.ts';
import type { Inventory } from '../inventory/types.ts';
import { viewOf, type ClusterView } from '../plan/cluster/view.ts';
import { isDirectory } from '../plan/stands/accounts.ts';
import { machinesIn } from '../plan/stands/judge.ts';
import { ownWayBack } from '../plan/stands/roles.ts';
import { poolsOfUser } from '../plan/users/context.ts';
import type { Card, CardMachine } from '../render/card.ts';
import { endOfAccount } from '../pve-values/expire.ts';
import { realmLabel } from '../render/realm-label.ts';
import { readWithMachines } from './users.ts';

export interface ExportWant {
  /** Absent: all of the credentials file. */
  readonly users?: readonly string[];
  /** Only machines of this lab. */
  readonly lab?: string;
  /** That lab, where its file is at hand: whether students can go back to their baseline alone. */
  readonly labFile?: Lab;
  /** Where students log in. */
  readonly url: string;
}

export interface LeftOut {
  readonly user: string;
  readonly reason: string;
}

export interface CardsExport {
  readonly cards: readonly Card[];
  /** No password that we know to be the valid one. */
  readonly leftOut: readonly LeftOut[];
}

function reasonOf(userid: string, row: CredentialRow | undefined, file: CredentialsFile): string {
  if (!row) return 'not in the credentials file';
  if (file.isChanging(userid)) return 'a change of the password was cut short: run users passwd again';
  const reasons: Partial<Record<CredentialRow['state'], string>> = {
    directory: 'the directory keeps the password, and has no such user here yet',
    removed: 'the user was removed',
    pending: 'the user was not created yet: run the command again that was to do it',
  };
  return reasons[row.state] ?? 'the password is not known';
}

/** The address that PVE's own interface opens for a console. */
function consoleOf(url: string, vmid: number, name: string, node: string): string {
  const query = new URLSearchParams({ console: 'kvm', novnc: '1', vmid: String(vmid), vmname: name, node });
  return `${url.replace(/\/+$/, '')}/?${query.toString()}`;
}

function machinesOf(userid: string, want: ExportWant, index: ClusterView): CardMachine[] {
  return poolsOfUser(userid, index).flatMap((pool) =>
    machinesIn(pool, index)
      .filter(({ lab }) => want.lab === undefined || lab === want.lab)
      .map(({ lab, guest: { vmid, node, name = `VM ${vmid}` } }): CardMachine => {
        return { lab, name, vmid, node, console: consoleOf(want.url, vmid, name, node) };
      }),
  );
}

interface Account {
  readonly userid: string;
  readonly pool: string;
  readonly password: string | undefined;
}

/** The earlier end of account and labs. */
function endOf(userid: string, want: ExportWant, index: ClusterView): string | undefined {
  const expire = index.users.get(userid)?.expire ?? 0;
  const ends = poolsOfUser(userid, index)
    .flatMap((pool) => index.marks.get(pool)?.claims ?? [])
    .filter(({ lab }) => want.lab === undefined || lab === want.lab)
    .flatMap(({ expires }) => expires ?? []);
  return [...ends, ...(expire === 0 ? [] : [endOfAccount(expire)])].sort()[0];
}

function toCard(
  { userid, pool, password }: Account,
  want: ExportWant,
  { index, wayBack }: { readonly index: ClusterView; readonly wayBack: string | undefined },
): Card {
  const expires = endOf(userid, want, index);
  const realm = realmIn(userid);
  const present = index.users.get(userid);
  return {
    userid,
    login: nameIn(userid),
    realm,
    realmLabel: realmLabel(realm) ?? realm,
    name: [present?.firstName, present?.lastName].filter((part) => part).join(' '),
    password,
    url: want.url,
    pool: poolsOfUser(userid, index)[0] ?? pool,
    ...(expires === undefined ? {} : { expires }),
    ...(present?.email === undefined || present.email === '' ? {} : { email: present.email }),
    ...(wayBack === undefined ? {} : { wayBack }),
    machines: machinesOf(userid, want, index),
  };
}

/** There, and with a password that is not PVE's to know. */
function isOfDirectory(userid: string, row: CredentialRow | undefined, have: Inventory): boolean {
  if (!have.users.some((user) => user.userid === userid)) return false;
  return row ? row.state === 'directory' : isDirectory(realmIn(userid), have);
}

function gatherCards(want: ExportWant, have: Inventory, file: CredentialsFile): CardsExport {
  const index = viewOf(have);
  const seen = { index, wayBack: want.labFile && ownWayBack(want.labFile, have) };
  const present = file.rows().filter((row) => row.state !== 'removed');
  const userids = want.users ?? present.map((row) => row.userid);
  const cards: Card[] = [];
  const leftOut: LeftOut[] = [];
  for (const userid of userids) {
    const row = file.row(userid);
    if (row && file.known(userid) !== undefined) cards.push(toCard(row, want, seen));
    else if (isOfDirectory(userid, row, have))
      cards.push(toCard({ userid, pool: row?.pool ?? '', password: undefined }, want, seen));
    else leftOut.push({ user: userid, reason: reasonOf(userid, row, file) });
  }
  return { cards, leftOut };
}

/** Reads the cluster; changes nothing. */
export async function exportCards(
  want: ExportWant,
  context: ReadContext,
  file: CredentialsFile,
): Promise<CardsExport> {
  return gatherCards(want, await readWithMachines(context), file);
}
