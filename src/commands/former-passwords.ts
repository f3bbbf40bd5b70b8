/** Whose former passwords other credentials files keep: what is set anew goes into one file, and cards are made from any. */
import { credentialsFilesBeside } from '../lib/credentials/beside.ts';
import { CredentialsFile } from '../lib/credentials/credentials-file.ts';
import { countOf } from '../lib/render/step-text.ts';
import { readingOf } from './age-recipient.ts';
import type { ProgramIo } from './io.ts';
import type { GlobalFlags } from './options.ts';

export interface NewPasswords {
  /** The file that they go into. */
  readonly file: string;
  readonly users: readonly string[];
  readonly url: string;
  readonly warn: (text: string) => void;
}

/** Tells of them. Files that cannot be read without a key, or are none of ours, are passed over: nothing depends on it. */
export async function tellFormerPasswords(
  io: ProgramIo,
  flags: GlobalFlags,
  { file, users, url, warn }: NewPasswords,
): Promise<void> {
  const named = new Set(users);
  const reading = readingOf(io, flags, () => undefined);
  const told = credentialsFilesBeside(file).map(async (other) => {
    try {
      const rows = (await CredentialsFile.open(other, { url, ...reading })).rows();
      const held = rows.filter(({ userid, state }) => state === 'set' && named.has(userid));
      const [first, ...more] = held.map(({ userid }) => userid);
      if (first === undefined) return [];
      const whose = more.length === 0 ? first : countOf(held.length, 'user', 'users');
      return [
        `new passwords go into ${file}, and ${other} keeps the former one of ${whose}: to have them there, name it with --credentials`,
      ];
    } catch {
      return [];
    }
  });
  for (const text of (await Promise.all(told)).flat()) warn(text);
}
