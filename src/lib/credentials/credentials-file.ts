/** The credentials file: which password each user got, on disk before PVE hears of it. Never prints one. */
import { decryptText, encryptText, isAge } from '../age.ts';
import { ConfigError } from '../errors.ts';
import { readRegularFile } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import {
  formatRows,
  isCredentialsCsv,
  parseRows,
  type CredentialRow,
  type CredentialState,
} from './credentials-csv.ts';
import { assertOwnCredentials } from './own-file.ts';
import { writePrivateFile } from './private-file.ts';

export type { CredentialRow } from './credentials-csv.ts';

const MAX_BYTES = 50 * 1024 * 1024;

/** As `readRows` took it. */
const isCredentials = (head: string): boolean => head.trim() === '' || isAge(head) || isCredentialsCsv(head);

const OTHER_FILE = 'name another file with --credentials, or move this one away';

/** For whom the file is encrypted, and with what it is read again. */
export interface Sealing {
  /** `age1…`; none: the file is plain text. */
  readonly encryptTo?: readonly string[];
  /** Called only for a file that is encrypted. */
  readonly identities?: () => readonly string[];
  /** The file is looked into, and never written. */
  readonly readOnly?: boolean;
}

function refuse(
  file: string,
  message: string,
  { line, hint = OTHER_FILE }: { line?: number; hint?: string } = {},
): never {
  const issue = { file, path: '', message, hint, ...(line === undefined ? {} : { line, column: 1 }) };
  throw new ConfigError('CREDENTIALS_FILE', `the credentials file ${file} cannot be used`, {
    issues: [issue],
  });
}

/** Undefined: there is none. */
function readText(file: string): string | undefined {
  try {
    return readRegularFile(file, { maxBytes: MAX_BYTES }).bytes.toString('utf8');
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    if (error.kind === 'missing') return undefined;
    return refuse(file, `it cannot be read: ${error.message}`);
  }
}

/** Told before anything is changed: a password that cannot be read back, or kept secret, must not be made. */
async function unseal(file: string, text: string, sealing: Sealing): Promise<string> {
  const { encryptTo = [], identities = () => [], readOnly } = sealing;
  const opened = await decryptText(text, { identities: identities() });
  if ('text' in opened) {
    if (encryptTo.length > 0 || readOnly === true) return opened.text;
    return refuse(file, 'it is encrypted, and would be written as plain text', {
      hint: 'add --encrypt-to age1… for everybody who is to read it (DEPLOY_STAND_ENCRYPT_TO)',
    });
  }
  const words = {
    'no-key': 'it is encrypted, and what it says of this class has to be read',
    'wrong-key': 'it is encrypted for others than this identity',
    damaged: 'it is encrypted, and damaged',
  };
  return refuse(file, words[opened.problem], {
    hint: `give --identity FILE of one whom it is encrypted for; or ${OTHER_FILE}`,
  });
}

interface ReadRows {
  readonly rows: readonly CredentialRow[];
  readonly isSealed: boolean;
}

async function readRows(file: string, sealing: Sealing): Promise<ReadRows> {
  const text = readText(file) ?? '';
  if (text.trim() === '') return { rows: [], isSealed: true };
  const isSealed = isAge(text);
  const parsed = parseRows(isSealed ? await unseal(file, text, sealing) : text);
  if ('problem' in parsed)
    refuse(file, `it is no credentials file of deploy-stand: ${parsed.problem}`, { line: parsed.line });
  return { rows: parsed.rows, isSealed };
}

/** The embedded simulator listens on another port at every start, and is the same cluster to its user. */
function clusterOf(url: string): string {
  return url.replace(/^(https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])):\d+/, '$1');
}

const keeping = (account: string | undefined) => (account === undefined ? {} : { account });

/** Whose row it is. */
export interface InPool {
  readonly userid: string;
  readonly pool: string;
}

interface Pending extends InPool {
  readonly makePassword: () => string;
  readonly account: string | undefined;
}

/** What a user's row becomes when `settle` reports how the user stands on the cluster. */
function settled(
  row: CredentialRow | undefined,
  state: SettledState,
): Pick<CredentialRow, 'password' | 'state' | 'account'> {
  switch (state) {
    case 'restored':
      return settled(row && { ...row, account: undefined }, 'set');
    case 'set':
      // Without a password of ours there is nothing that we could have set.
      return row?.state === 'pending' || row?.state === 'set'
        ? { password: row.password, state: 'set', ...keeping(row.account) }
        : { password: '', state: 'unchanged', ...keeping(row?.account) };
    case 'unchanged':
      // Still the password that we set; one that waited (`pending`) or went with its user does not open anything.
      return row?.state === 'set' || row?.state === 'unchanged'
        ? { password: row.password, state: row.state, ...keeping(row.account) }
        : { password: '', state: 'unchanged', ...keeping(row?.account) };
    case 'directory':
    case 'removed':
      return { password: '', state };
  }
}

export type SettledState = Exclude<CredentialState, 'pending'> | 'restored';

export interface Where extends Sealing {
  readonly url: string;
}

/** One writer per file and process: other runs need files of their own. */
export class CredentialsFile {
  readonly path: string;
  readonly #url: string;
  readonly #encryptTo: readonly string[];
  /** In the order of the file; rows of other users and clusters stay as they are. Undefined: taken out. */
  readonly #rows: (CredentialRow | undefined)[];
  readonly #index = new Map<string, number>();
  /** Users whose password is being changed → the row with the former one. */
  readonly #former = new Map<string, number>();
  /** Of the rows that were there when the file was read. */
  readonly #known: number;
  readonly #ranks = new Map<string, number>();
  #isDirty = false;
  #writing: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;

  private constructor(path: string, { url, encryptTo = [] }: Where, { rows, isSealed }: ReadRows) {
    this.path = path;
    this.#isDirty = !isSealed && encryptTo.length > 0;
    this.#encryptTo = encryptTo;
    this.#url = url;
    this.#rows = [...rows];
    this.#known = rows.length;
    rows.forEach((row, index) => {
      if (clusterOf(row.url) !== clusterOf(url)) return;
      const former = this.#index.get(row.userid);
      if (former !== undefined && row.state === 'pending') this.#former.set(row.userid, former);
      this.#index.set(row.userid, index);
    });
  }

  /** Reads the file if there is one; refuses what is no credentials file. Writes nothing yet. */
  static async open(path: string, where: Where): Promise<CredentialsFile> {
    assertOwnCredentials(path);
    return new CredentialsFile(path, where, await readRows(path, where));
  }

  /** New rows come in this order, whoever is made first; those that are there stay where they are. */
  inOrderOf(users: readonly { readonly userid: string }[]): void {
    for (const { userid } of users) {
      if (!this.#ranks.has(userid)) this.#ranks.set(userid, this.#ranks.size);
    }
  }

  #inOrder(): CredentialRow[] {
    const rankOf = ({ userid }: CredentialRow): number => this.#ranks.get(userid) ?? this.#ranks.size;
    const added = this.#rows.slice(this.#known).filter((row) => row !== undefined);
    return [
      ...this.#rows.slice(0, this.#known).filter((row) => row !== undefined),
      ...added.sort((a, b) => rankOf(a) - rankOf(b)),
    ];
  }

  /** Encrypts a file that is still plain text. */
  async seal(): Promise<void> {
    if (this.#isDirty) await this.#save();
  }

  /** The user's row for this cluster. */
  row(userid: string): CredentialRow | undefined {
    const index = this.#index.get(userid);
    return index === undefined ? undefined : this.#rows[index];
  }

  has(userid: string): boolean {
    return this.#index.has(userid);
  }

  /** The rows of this cluster's users, in the order of the file. */
  rows(): readonly CredentialRow[] {
    return [...this.#index.keys()].flatMap((userid) => this.row(userid) ?? []);
  }

  /** A change of this password was begun, and its end is not known: the former or the new one is valid. */
  isChanging(userid: string): boolean {
    return this.#former.has(userid);
  }

  /** The password that this file knows to be the valid one. */
  known(userid: string): string | undefined {
    const row = this.row(userid);
    const isKnown = (row?.state === 'set' || row?.state === 'unchanged') && row.password !== '';
    return isKnown ? row.password : undefined;
  }

  /**
   * The password for a user that is about to be made: the one that waits in the file, else a new one. On disk
   * before this resolves.
   */
  async pending({ userid, pool }: InPool, makePassword: () => string): Promise<string> {
    return this.#pending({ userid, pool, makePassword, account: this.row(userid)?.account });
  }

  async #pending({ userid, pool, makePassword, account }: Pending): Promise<string> {
    const row = this.row(userid);
    const waits = row?.state === 'pending' && row.password !== '';
    const password = waits ? row.password : makePassword();
    await this.#put({ userid, password, state: 'pending', pool, url: this.#url, ...keeping(account) });
    return password;
  }

  /**
   * The new password for a user that has one: the one that waits in the file, else a new one in a row of its own, after
   * the former one's. On disk before this resolves; `settle` makes it one row again. `account` stays with it until it is
   * `restored`, or the user is removed.
   */
  async replacement({ userid, pool }: InPool, makePassword: () => string, account?: string): Promise<string> {
    if (this.row(userid)?.state !== 'pending') {
      const unknown: CredentialRow = { userid, password: '', state: 'unchanged', pool, url: this.#url };
      const former = this.#index.get(userid) ?? this.#rows.push(unknown) - 1;
      this.#former.set(userid, former);
      this.#index.set(userid, this.#rows.length);
    }
    return this.#pending({ userid, pool, makePassword, account });
  }

  /** Records how the user stands on the cluster. On disk before this resolves. */
  async settle(userid: string, state: SettledState, pool: string): Promise<void> {
    const known = this.#endChange(userid, state);
    const sent = state === 'removed' ? undefined : known?.sent;
    await this.#put({
      userid,
      pool,
      url: this.#url,
      ...settled(known, state),
      ...(sent === undefined ? {} : { sent }),
    });
  }

  /** Notes what was mailed; see sent.ts. On disk before this resolves. */
  async markSent({ userid, pool }: InPool, sent: string): Promise<void> {
    const row = this.row(userid) ?? { userid, password: '', state: 'directory', pool, url: this.#url };
    await this.#put({ ...row, sent });
  }

  /** One row again, in the former's place; answers the one that `state` speaks of. */
  #endChange(userid: string, state: SettledState): CredentialRow | undefined {
    const newest = this.row(userid);
    const former = this.#former.get(userid);
    const added = this.#index.get(userid);
    if (former === undefined || added === undefined) return newest;
    this.#former.delete(userid);
    this.#index.set(userid, former);
    this.#rows[added] = undefined;
    this.#isDirty = true;
    return state === 'unchanged' ? this.#rows[former] : newest;
  }

  async #put(row: CredentialRow): Promise<void> {
    const index = this.#index.get(row.userid);
    const present = index === undefined ? undefined : this.#rows[index];
    const isSame =
      present?.password === row.password &&
      present.state === row.state &&
      present.pool === row.pool &&
      present.account === row.account &&
      present.sent === row.sent;
    if (!isSame) {
      this.#index.set(row.userid, index ?? this.#rows.length);
      this.#rows[index ?? this.#rows.length] = row;
      this.#isDirty = true;
    }
    // Also when a write is under way, or the last one failed: what is in memory may not be on disk.
    if (this.#isDirty) await this.#save();
    else await this.#writing;
  }

  /** Changes that come while a write runs share the next one. */
  #save(): Promise<void> {
    this.#queued ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        this.#writing = this.#write();
        return this.#writing;
      });
    return this.#queued;
  }

  async #write(): Promise<void> {
    this.#isDirty = false;
    try {
      const text = formatRows(this.#inOrder());
      const recipients = this.#encryptTo;
      await writePrivateFile(
        this.path,
        recipients.length === 0 ? text : await encryptText(text, { kind: 'recipients', recipients }),
        isCredentials,
      );
    } catch (error) {
      this.#isDirty = true;
      if (!(error instanceof FileProblem)) throw error;
      throw new ConfigError(
        'CREDENTIALS_FILE',
        `the credentials file ${this.path} cannot be written: ${error.message}`,
        { hint: 'make room for it, or name another file with --credentials', cause: error },
      );
    }
  }
}
