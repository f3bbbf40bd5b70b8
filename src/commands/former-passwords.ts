/** Which other credentials files hold whose passwords: what is set anew goes into one file, and cards are made from any. */
import { credentialsFilesBeside } from '../lib/credentials/beside.ts';
import { CredentialsFile } from '../lib/credentials/credentials-file.ts';
import { countOf } from '../lib/render/step-text.ts';
import { shellWord } from '../lib/shell.ts';
import { readOnlySealing } from './age-recipient.ts';
import type { ProgramIo } from './io.ts';
import type { GlobalFlags } from './options.ts';

interface Sought {
  /** The file that is named; looked at are those beside it. */
  readonly file: string;
  readonly users: readonly string[];
  readonly url: string;
}

export interface NewPasswords extends Sought {
  readonly warn: (text: string) => void;
}

interface Held {
  readonly file: string;
  readonly users: readonly string[];
}

const whoseOf = ([first = '', ...more]: readonly string[]): string =>
  more.length === 0 ? first : countOf(more.length + 1, 'user', 'users');

/** Files that cannot be read without a key, or are none of ours, are passed over: nothing depends on it. */
async function passwordsBeside(
  io: ProgramIo,
  flags: GlobalFlags,
  { file, users, url }: Sought,
): Promise<Held[]> {
  const named = new Set(users);
  const reading = readOnlySealing(io, flags, () => undefined);
  const found = credentialsFilesBeside(file).map(async (other): Promise<Held[]> => {
    try {
      const rows = (await CredentialsFile.open(other, { url, ...reading })).rows();
      const held = rows.filter(({ userid, state }) => state === 'set' && named.has(userid));
      return held.length === 0 ? [] : [{ file: other, users: held.map(({ userid }) => userid) }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(found)).flat();
}

/** A student has one password for all labs: it is in the file of the command that set it. `a.csv has those of anna@pve`. */
export async function passwordsElsewhere(
  io: ProgramIo,
  flags: GlobalFlags,
  sought: Sought,
): Promise<string[]> {
  const held = await passwordsBeside(io, flags, sought);
  return held.map(({ file, users }) => `${shellWord(file)} has those of ${whoseOf(users)}`);
}

/** Whose former passwords other files keep. */
export async function tellFormerPasswords(
  io: ProgramIo,
  flags: GlobalFlags,
  { warn, ...sought }: NewPasswords,
): Promise<void> {
  for (const { file, users } of await passwordsBeside(io, flags, sought))
    warn(
      `new passwords go into ${sought.file}, and ${file} keeps the former one of ${whoseOf(users)}: to have them there, name it with --credentials`,
    );
}
