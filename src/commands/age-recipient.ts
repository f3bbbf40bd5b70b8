/** For whom to encrypt, from flags and environment. Shows no key and no passphrase. */
import { isRecipient, recipientOf, type AgeKeys, type AgeRecipient } from '../lib/age.ts';
import { readAgeKeys, readSecretLine } from '../lib/config/connections/age-keys.ts';
import { printable } from '../lib/config/input/issues.ts';
import type { Sealing } from '../lib/credentials/credentials-file.ts';
import { UsageError } from '../lib/errors.ts';
import type { ProgramIo } from './io.ts';
import type { GlobalFlags } from './options.ts';
import { connectionOptions } from './session.ts';

type Warn = (text: string) => void;

export function keysOf(io: ProgramIo, flags: GlobalFlags, warn: Warn): AgeKeys {
  return readAgeKeys(connectionOptions(io, flags), warn);
}

/** The environment gives several in one text. Throws a UsageError for what is no recipient. */
export async function readRecipients(written: readonly string[], flag: string): Promise<string[]> {
  const recipients = [
    ...new Set(written.flatMap((text) => text.split(/[\s,]+/)).filter((text) => text !== '')),
  ];
  for (const recipient of recipients) {
    if (/^AGE-SECRET-KEY-/i.test(recipient)) {
      throw new UsageError('RECIPIENT', `${flag} was given a secret key, not a recipient`, {
        hint: 'give the public key, age1…: "age-keygen -y identity.txt" prints it',
      });
    }
    if (await isRecipient(recipient)) continue;
    throw new UsageError('RECIPIENT', `${flag}: "${printable(recipient)}" is no recipient of age`, {
      hint: 'it looks like age1…: "age-keygen -y identity.txt" prints it; SSH keys are not understood',
    });
  }
  return recipients;
}

/** How the credentials file of this command is kept; see `--encrypt-to`. */
export async function sealingOf(
  io: ProgramIo,
  flags: GlobalFlags & { readonly encryptTo?: readonly string[] },
  warn: Warn,
): Promise<Sealing> {
  return {
    encryptTo: await readRecipients(flags.encryptTo ?? [], '--encrypt-to'),
    identities: () => keysOf(io, flags, warn).identities,
  };
}

/** The same for commands that only look into it. */
export function readOnlySealing(io: ProgramIo, flags: GlobalFlags, warn: Warn): Sealing {
  return { readOnly: true, identities: () => keysOf(io, flags, warn).identities };
}

function twoKeys(): never {
  throw new UsageError('TWO_KEYS', 'both a passphrase and an identity were given', {
    hint: 'give one of them, or name the recipients with --to',
  });
}

/** `--to`, else the identity's own recipient, else the passphrase. */
export async function recipientFor(
  io: ProgramIo,
  flags: GlobalFlags & { readonly to?: readonly string[] },
  warn: Warn,
): Promise<AgeRecipient> {
  if (flags.to !== undefined)
    return { kind: 'recipients', recipients: await readRecipients(flags.to, '--to') };
  const { passphrase, identities } = keysOf(io, flags, warn);
  if (passphrase !== undefined && identities.length > 0) twoKeys();
  if (passphrase !== undefined) return { kind: 'passphrase', passphrase };
  const recipients = await Promise.all(identities.map(recipientOf));
  if (recipients.length === 0) {
    throw new UsageError('NO_KEY', 'nothing was given to encrypt with', {
      hint: 'set DEPLOY_STAND_PASSPHRASE, or give --passphrase-file FILE, --identity FILE or --to age1…',
    });
  }
  return { kind: 'recipients', recipients: recipients.filter((one) => one !== undefined) };
}

/** For `rekey`: what comes after what opens the secrets now. */
export async function newRecipientFor(
  io: ProgramIo,
  flags: GlobalFlags & { readonly to?: readonly string[]; readonly newPassphraseFile?: string },
  warn: Warn,
): Promise<AgeRecipient> {
  const variable = io.env['DEPLOY_STAND_NEW_PASSPHRASE'] ?? '';
  const { to, newPassphraseFile: file } = flags;
  if (to !== undefined && file !== undefined) twoKeys();
  if (to !== undefined) return { kind: 'recipients', recipients: await readRecipients(to, '--to') };
  const passphrase = file === undefined ? variable : readSecretLine(file, 'passphrase', warn);
  if (passphrase !== '') return { kind: 'passphrase', passphrase };
  throw new UsageError('NO_KEY', 'nothing was given to encrypt with from now on', {
    hint: 'give --new-passphrase-file FILE or --to age1…, or set DEPLOY_STAND_NEW_PASSPHRASE',
  });
}
