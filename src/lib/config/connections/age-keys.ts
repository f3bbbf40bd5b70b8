/** Reads what opens encrypted secrets: a passphrase and identity files. Must not show either. */
import type { AgeKeys } from '../../age.ts';
import { configError } from '../input/issues.ts';
import type { Env } from './env.ts';
import { readTextFile, type TextFile } from '../input/read-text.ts';
import { shellWord } from '../../shell.ts';

export interface KeyOptions {
  readonly env: Env;
  /** Wins over the variable DEPLOY_STAND_PASSPHRASE. */
  readonly passphraseFile?: string;
  /** Files as `age-keygen` writes them. */
  readonly identityFiles?: readonly string[];
}

type Warn = (text: string) => void;

export const HOW_TO_OPEN =
  'set DEPLOY_STAND_PASSPHRASE, or give --passphrase-file FILE or --identity FILE, whichever it was encrypted for';

/** The bits mean nothing on Windows. */
export function isOpenToWorld({ mode }: Pick<TextFile, 'mode'>): boolean {
  return process.platform !== 'win32' && (mode & 0o004) !== 0;
}

function readKeyFile(file: string, warn: Warn): string {
  const read = readTextFile(file);
  if (isOpenToWorld(read)) warn(`everybody on this machine may read ${file}: chmod 600 ${shellWord(file)}`);
  return read.text;
}

/** `what`: of which there is one in the file; the line break that editors add is no part of it. */
export function readSecretLine(file: string, what: string, warn: Warn): string {
  const text = readKeyFile(file, warn).replace(/\r?\n$/, '');
  const fail = (message: string): never => {
    throw configError([{ file, path: '', message, hint: `it has to hold the ${what} in one line` }]);
  };
  if (text === '') fail(`the file holds no ${what}`);
  if (/[\r\n]/.test(text)) fail('the file has several lines');
  return text;
}

/** The lines `AGE-SECRET-KEY-…` of an identity file. */
function readIdentityFile(file: string, warn: Warn): string[] {
  const lines = readKeyFile(file, warn).split(/\r?\n/);
  const used = lines.map((line, index) => ({ text: line.trim(), line: index + 1 }));
  const keys = used.filter(({ text }) => text !== '' && !text.startsWith('#'));
  const bad = keys.find(({ text }) => !/^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+$/.test(text));
  if (bad === undefined && keys.length > 0) return keys.map(({ text }) => text);
  const message = bad === undefined ? 'the file holds no identity' : 'this line is no identity of age';
  const hint =
    'make one with: age-keygen -o identity.txt; SSH keys and encrypted identities are not understood';
  throw configError([{ file, path: '', message, hint, ...(bad === undefined ? {} : { line: bad.line }) }]);
}

export function readAgeKeys(options: KeyOptions, warn: Warn): AgeKeys {
  const { env, passphraseFile, identityFiles = [] } = options;
  const variable = env['DEPLOY_STAND_PASSPHRASE'];
  const passphrase =
    passphraseFile === undefined ? variable || undefined : readSecretLine(passphraseFile, 'passphrase', warn);
  return {
    ...(passphrase === undefined ? {} : { passphrase }),
    identities: identityFiles.flatMap((file) => readIdentityFile(file, warn)),
  };
}
