/** Fetches a connection's secret from where it is kept. Must not show it, nor judge where it is kept. */
import { decryptText, isAge, type AgeKeys, type AgeLock } from '../../age.ts';
import { ConfigError } from '../../errors.ts';
import { HOW_TO_OPEN, isOpenToWorld } from './age-keys.ts';
import type { Env } from './env.ts';
import type { Parsed } from './parts.ts';
import { printable } from '../input/issues.ts';
import { readTextFile } from '../input/read-text.ts';
import { runSecretCommand } from './secret-command.ts';
import type { SecretSource } from './types.ts';

export interface ResolveContext {
  readonly env: Env;
  /** Read only if something encrypted is met. */
  readonly keys: () => AgeKeys;
  readonly warn: (text: string) => void;
}

const ALONE = 'it has to be the secret alone, in one line';

function oneLine(text: string, what: string): Parsed<string> {
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') return { problem: `${what} is empty`, hint: ALONE };
  // It goes into an HTTP header; and whatever has more lines is some other file.
  return /\p{Cc}/u.test(secret)
    ? { problem: `${what} has several lines or control characters`, hint: ALONE }
    : { value: secret };
}

async function fromFile(
  { file, written }: { file: string; written: string },
  context: ResolveContext,
): Promise<Parsed<string>> {
  try {
    const read = readTextFile(file);
    // Whoever may read it still needs the key.
    if (isAge(read.text)) {
      const opened = await openAge(read.text, context.keys());
      return 'value' in opened ? oneLine(opened.value, `the file "${printable(written)}"`) : opened;
    }
    if (isOpenToWorld(read))
      context.warn(`everybody on this machine may read the secret in ${printable(file)}: chmod 600`);
    return oneLine(read.text, `the file "${printable(written)}"`);
  } catch (error) {
    const [issue] = error instanceof ConfigError ? error.issues : [];
    if (!issue) throw error;
    const hint = issue.hint === undefined ? {} : { hint: issue.hint };
    return { problem: `the secret's file "${printable(written)}": ${issue.message}`, ...hint };
  }
}

function keyWords(lock: AgeLock | undefined): string {
  return lock === 'passphrase' ? 'a passphrase' : 'recipients (age1…)';
}

export async function openAge(armor: string, keys: AgeKeys): Promise<Parsed<string>> {
  const opened = await decryptText(armor, keys);
  if ('text' in opened) return { value: opened.text };
  switch (opened.problem) {
    case 'damaged':
      return {
        problem: 'the encrypted text is damaged',
        hint: 'restore it from a copy of this file, or enter the secret anew',
      };
    case 'no-key':
      return {
        problem: `is encrypted for ${keyWords(opened.lock)}, and no key was given`,
        hint: HOW_TO_OPEN,
      };
    case 'wrong-key':
      return opened.lock === 'passphrase'
        ? { problem: 'the passphrase is wrong', hint: HOW_TO_OPEN }
        : { problem: 'is encrypted for other recipients than this identity', hint: HOW_TO_OPEN };
  }
}

/** The secret, or in words what is wrong and the way out. */
export async function resolveSecret(source: SecretSource, context: ResolveContext): Promise<Parsed<string>> {
  switch (source.kind) {
    case 'plain':
      return { value: source.text };
    case 'env': {
      const { variable } = source;
      const value = context.env[variable];
      if (value !== undefined && value !== '') return oneLine(value, `the variable ${variable}`);
      return {
        problem: `the variable ${variable} is not set`,
        hint: `set it before the command: \`read -rs ${variable} && export ${variable}\``,
      };
    }
    case 'file':
      return fromFile(source, context);
    case 'command': {
      const printed = await runSecretCommand({ ...source, env: context.env });
      return 'value' in printed ? oneLine(printed.value, 'what the command prints') : printed;
    }
    case 'age':
      return openAge(source.armor, context.keys());
    case 'fernet':
      return {
        problem: 'this secret was encrypted by the older Python deploy-stand and cannot be read',
        hint: 're-enter this secret: write the password or token secret itself',
      };
  }
}
