/** Encrypts and decrypts short texts in the armoured age format. Must not read files, nor show a key or a text. */

const BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----';
const END = '-----END AGE ENCRYPTED FILE-----';
const COLUMNS = 64;

export type AgeRecipient =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  /** `age1…` */
  | { readonly kind: 'recipients'; readonly recipients: readonly string[] };

export interface AgeKeys {
  readonly passphrase?: string;
  /** `AGE-SECRET-KEY-…` */
  readonly identities: readonly string[];
}

/** What opens a text: `scrypt` is age's name for a passphrase. */
export type AgeLock = 'passphrase' | 'recipients';

export type Decrypted =
  | { readonly text: string }
  | { readonly problem: 'no-key' | 'wrong-key' | 'damaged'; readonly lock?: AgeLock };

/** The library is large: only what decrypts loads it. */
const load = () => import('age-encryption');

export function isAge(text: string): boolean {
  return text.trimStart().startsWith(BEGIN);
}

/** The armour in its strict form: editors and YAML folding may have indented, joined or broken its lines. */
function strictArmor(text: string): string {
  const body = text.trim().slice(BEGIN.length, text.trim().endsWith(END) ? -END.length : undefined);
  const lines = body.replaceAll(/\s+/g, '').match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
}

/** Undefined for what is no age file. */
export function lockOf(armor: string): AgeLock | undefined {
  const body = strictArmor(armor).split('\n').slice(1, -2).join('');
  const [, stanza] =
    /^age-encryption\.org\/v1\n-> (\S+)/.exec(Buffer.from(body, 'base64').toString('latin1')) ?? [];
  if (stanza === undefined) return undefined;
  return stanza === 'scrypt' ? 'passphrase' : 'recipients';
}

/**
 * Armoured, ending with a line break. `workFactor` (base-2 logarithm of scrypt's cost) is for tests: the library's own
 * default makes guessing a passphrase slow.
 */
export async function encryptText(text: string, to: AgeRecipient, workFactor?: number): Promise<string> {
  const { Encrypter, armor } = await load();
  const encrypter = new Encrypter();
  if (to.kind === 'passphrase') {
    encrypter.setPassphrase(to.passphrase);
    if (workFactor !== undefined) encrypter.setScryptWorkFactor(workFactor);
  } else for (const recipient of to.recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(text));
}

export async function decryptText(encrypted: string, keys: AgeKeys): Promise<Decrypted> {
  const lock = lockOf(encrypted);
  if (lock === undefined) return { problem: 'damaged' };
  const { Decrypter, armor } = await load();
  const decrypter = new Decrypter();
  // A passphrase costs a second to try: only where it can fit.
  if (lock === 'passphrase' && keys.passphrase !== undefined) decrypter.addPassphrase(keys.passphrase);
  else if (lock === 'recipients' && keys.identities.length > 0)
    keys.identities.forEach((identity) => decrypter.addIdentity(identity));
  else return { problem: 'no-key', lock };
  try {
    return { text: await decrypter.decrypt(armor.decode(strictArmor(encrypted)), 'text') };
  } catch (error) {
    const isOther = error instanceof Error && error.message.startsWith('no identity matched');
    return { problem: isOther ? 'wrong-key' : 'damaged', lock };
  }
}

/** The recipient (`age1…`) that an identity opens; undefined for what is no identity. */
export async function recipientOf(identity: string): Promise<string | undefined> {
  const { identityToRecipient } = await load();
  try {
    return await identityToRecipient(identity);
  } catch {
    return undefined;
  }
}

export async function isRecipient(text: string): Promise<boolean> {
  const { Encrypter } = await load();
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}
