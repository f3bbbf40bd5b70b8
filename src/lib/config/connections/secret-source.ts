/** Where a connection's secret is kept, as it is written. Must not fetch it, nor show what was written. */
import { resolve } from 'node:path';
import { isAge } from '../../age.ts';
import { isFernet, type Parsed } from './parts.ts';
import { isMapping, list, text } from '../input/written.ts';
import type { SecretSource } from './types.ts';

const COMMAND = 'write it below the key, as a list: command: [program, argument]; no shell reads it';
const FORMS = 'write the secret itself, env:NAME, file:PATH, or command: [program, argument]';

function parseCommand(written: unknown, folder: string): Parsed<SecretSource> {
  if (typeof written === 'string') return { problem: 'the command is one text, not a list', hint: COMMAND };
  const argv = list(written).filter((word) => typeof word === 'string');
  const [program = ''] = argv;
  // A NUL cannot be handed to a program, and Node's complaint would quote it.
  if (program === '' || argv.length !== list(written).length || argv.some((word) => word.includes('\0')))
    return { problem: 'the command is no list of texts that starts with a program', hint: COMMAND };
  return { value: { kind: 'command', argv, folder } };
}

function parseText(written: string, folder: string): Parsed<SecretSource> {
  if (isAge(written)) return { value: { kind: 'age', armor: written } };
  if (isFernet(written)) return { value: { kind: 'fernet' } };
  const [, kind = '', rest = ''] = /^(env|file|command):(.*)$/s.exec(written) ?? [];
  const target = rest.trim();
  switch (kind) {
    case 'env':
      if (/^[A-Za-z_]\w*$/.test(target)) return { value: { kind: 'env', variable: target } };
      return { problem: 'what follows "env:" is no name of a variable', hint: 'for example env:PVE_SECRET' };
    case 'file':
      if (target !== '') return { value: { kind: 'file', file: resolve(folder, target), written: target } };
      return { problem: 'no path follows "file:"', hint: 'relative paths start at the folder of this file' };
    case 'command':
      return { problem: 'the command is one text, not a list', hint: COMMAND };
    default:
      return { value: { kind: 'plain', text: written } };
  }
}

/** `written`: the value of `password` or `token_value`. `folder`: where relative paths and commands start. */
export function parseSecret(written: unknown, folder: string): Parsed<SecretSource> {
  const plain = text(written);
  if (plain === '' || written === null) return { problem: 'is empty', hint: FORMS };
  if (plain !== undefined) return parseText(plain, folder);
  if (isMapping(written) && 'command' in written) return parseCommand(written['command'], folder);
  if (isMapping(written)) return { problem: 'is a mapping without "command"', hint: FORMS };
  return { problem: Array.isArray(written) ? 'is a list, not text' : 'is not text', hint: FORMS };
}
