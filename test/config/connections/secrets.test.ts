import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { encryptText } from '../../../src/lib/age.ts';
import {
  listConnections,
  loadConnection,
  type ConnectionOptions,
} from '../../../src/lib/config/connections/connection.ts';
import { runSecretCommand } from '../../../src/lib/config/connections/secret-command.ts';
import { holdTimers } from '../../hold-timers.ts';
import { ANNA, BORIS } from '../../connections-edit/identities.ts';
import { problemsOf } from '../problems.ts';

holdTimers();

let folder: string;
let armor: string;
let scrypt: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-secrets-'));
  armor = await encryptText('hunter2', { kind: 'recipients', recipients: [ANNA.recipient] });
  scrypt = await encryptText('hunter2', { kind: 'passphrase', passphrase: 'horse' }, 4);
  put('anna.txt', `# created: today\n# public key: ${ANNA.recipient}\n${ANNA.identity}\n`);
  put('boris.txt', `${BORIS.identity}\n`);
  put('horse.txt', 'horse\n');
  put('token.txt', 'hunter2\n');
  put('windows.txt', 'hunter2\r\n');
  put('empty.txt', '\n');
  put('lines.txt', 'hunter2\nhunter3\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}
const path = (name: string): string => join(folder, name);
const node = (code: string): string => JSON.stringify({ command: [process.execPath, '-e', code] });
const block = (text: string): string => `|\n${text.trimEnd().replaceAll(/^/gm, '    ')}`;
const written = (secret: string, name = 'connections.yml'): string =>
  put(name, `c:\n  host: pve1\n  user: a@pve\n  password: ${secret}\n`);

const load = (file: string, options: Partial<ConnectionOptions> = {}) =>
  loadConnection({ env: { PATH: process.env['PATH'] }, file, ...options });
const found = async (...args: Parameters<typeof load>): Promise<string[]> =>
  (await problemsOf(load(...args))).map((line) =>
    line.replaceAll(`${folder}/`, '').replaceAll(process.execPath, 'node'),
  );

describe('a secret is taken', () => {
  test.each<[string, () => string, Partial<ConnectionOptions>]>([
    ['as it stands', () => 'hunter2', {}],
    ['from a variable', () => 'env:SECRET', { env: { SECRET: 'hunter2' } }],
    ['from a file beside the connections file', () => 'file:token.txt', {}],
    ['from a file by its whole path', () => `file:${path('windows.txt')}`, {}],
    ['from a program', () => node('console.log("hunter2")'), {}],
    [
      'from a program in the folder of the file',
      () => node('process.stdout.write(require("fs").readFileSync("token.txt"))'),
      {},
    ],
    ['from ciphertext, by identity', () => block(armor), { identityFiles: ['anna.txt'] }],
    [
      'from ciphertext, by one of several identities',
      () => block(armor),
      { identityFiles: ['boris.txt', 'anna.txt'] },
    ],
    ['from ciphertext in one quoted line', () => JSON.stringify(armor), { identityFiles: ['anna.txt'] }],
    [
      'from ciphertext that an editor folded',
      () => block(armor).replace('|', '>'),
      { identityFiles: ['anna.txt'] },
    ],
    ['from ciphertext, by passphrase', () => block(scrypt), { env: { DEPLOY_STAND_PASSPHRASE: 'horse' } }],
    ['from ciphertext, by a passphrase in a file', () => block(scrypt), { passphraseFile: 'horse.txt' }],
  ])('%s', async (_, secret, options) => {
    const { passphraseFile, identityFiles } = options;
    const file = written(secret());
    const { connection, warnings } = await load(file, {
      ...options,
      ...(passphraseFile === undefined ? {} : { passphraseFile: path(passphraseFile) }),
      ...(identityFiles === undefined ? {} : { identityFiles: identityFiles.map(path) }),
    });
    expect(connection.auth).toEqual({ kind: 'password', user: 'a@pve', password: 'hunter2' });
    expect(warnings).toEqual([]);
  });

  test('from the environment literally, whatever it looks like', async () => {
    const env = { PVE_HOST: 'a', PVE_USER: 'a@pve', PVE_PASSWORD: 'env:HOME' };
    expect((await loadConnection({ env })).connection.auth).toMatchObject({ password: 'env:HOME' });
  });
});

describe('a secret that is not there', () => {
  const at = 'connections.yml:4:13 c.password: ';
  const alone = ' → it has to be the secret alone, in one line';
  const asList = ' → write it below the key, as a list: command: [program, argument]; no shell reads it';
  const keys =
    ' → set DEPLOY_STAND_PASSPHRASE, or give --passphrase-file FILE or --identity FILE, whichever it was encrypted for';
  const byHand =
    ' → run the command by hand in the folder of this file: it has to print the secret and nothing else';

  test.each<[string, () => string, Partial<ConnectionOptions>, string]>([
    [
      'a variable that is not set',
      () => 'env:NONE',
      {},
      'the variable NONE is not set → set it before the command: `read -rs NONE && export NONE`',
    ],
    [
      'a variable of two lines',
      () => 'env:TWO',
      { env: { TWO: 'a\nb' } },
      `the variable TWO has several lines or control characters${alone}`,
    ],
    [
      'no name of a variable',
      () => 'env:hunter2 x',
      {},
      'what follows "env:" is no name of a variable → for example env:PVE_SECRET',
    ],
    [
      'a missing file',
      () => 'file:none.txt',
      {},
      'the secret\'s file "none.txt": the file does not exist → check the path, and the folder you are in',
    ],
    ['an empty file', () => 'file:empty.txt', {}, `the file "empty.txt" is empty${alone}`],
    [
      'a file of several lines',
      () => 'file:lines.txt',
      {},
      `the file "lines.txt" has several lines or control characters${alone}`,
    ],
    [
      'no path',
      () => '"file:"',
      {},
      'no path follows "file:" → relative paths start at the folder of this file',
    ],
    ['a command as text', () => '"command:pass hunter2"', {}, `the command is one text, not a list${asList}`],
    [
      'a command as one text',
      () => '{ command: "pass hunter2" }',
      {},
      `the command is one text, not a list${asList}`,
    ],
    [
      'an empty command',
      () => '{ command: [""] }',
      {},
      `the command is no list of texts that starts with a program${asList}`,
    ],
    [
      'a program that is not there',
      () => '{ command: [/nowhere/x, hunter2] }',
      {},
      `the program "/nowhere/x" cannot be started (ENOENT)${byHand}`,
    ],
    [
      'a program that fails: its complaint, not its output',
      () => node('console.log("hunter2"); console.error("no\\nkey"); process.exit(3)'),
      {},
      `the program "node" ended with exit code 3: no / key${byHand}`,
    ],
    ['a program that prints nothing', () => node(''), {}, `what the command prints is empty${alone}`],
    [
      'a program that prints too much',
      () => node('console.log("x".repeat(99999))'),
      {},
      `the program "node" prints more than a secret${byHand}`,
    ],
    ['no key', () => block(armor), {}, `is encrypted for recipients (age1…), and no key was given${keys}`],
    [
      'no passphrase',
      () => block(scrypt),
      { identityFiles: ['anna.txt'] },
      `is encrypted for a passphrase, and no key was given${keys}`,
    ],
    [
      'another identity',
      () => block(armor),
      { identityFiles: ['boris.txt'] },
      `is encrypted for other recipients than this identity${keys}`,
    ],
    [
      'a wrong passphrase',
      () => block(scrypt),
      { env: { DEPLOY_STAND_PASSPHRASE: 'cow' } },
      `the passphrase is wrong${keys}`,
    ],
    [
      'damaged ciphertext',
      () => block(armor.replace(/\n.*\n-----END/, '\n-----END')),
      { identityFiles: ['anna.txt'] },
      'the encrypted text is damaged → restore it from a copy of this file, or enter the secret anew',
    ],
  ])('%s', async (_, secret, options, expected) => {
    const { identityFiles } = options;
    const complaints = await found(written(secret()), {
      ...options,
      ...(identityFiles === undefined ? {} : { identityFiles: identityFiles.map(path) }),
    });
    expect(complaints[0]).toBe(at + expected);
    expect(complaints.join()).not.toContain('hunter2');
  });

  test('a program that hangs', async () => {
    const argv = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    const ended = runSecretCommand({ argv, folder, env: {} });
    vi.advanceTimersByTime(30_000);
    expect(await ended).toMatchObject({
      problem: expect.stringContaining('did not end within 30 s') as string,
    });
  });

  test('no identity in the file', async () => {
    put('no-key.txt', 'ssh-ed25519 hunter2\n');
    const file = written(block(armor));
    expect(await found(file, { identityFiles: [path('no-key.txt')] })).toEqual([
      'no-key.txt:1: this line is no identity of age → make one with: age-keygen -o identity.txt; SSH keys and encrypted identities are not understood',
    ]);
  });
});

test('only the secret of the connection that is used is fetched', async () => {
  const other = 'd:\n  host: pve2\n  user: a@pve\n  password: env:NONE\n';
  const file = put('two.yml', `c:\n  host: pve1\n  user: a@pve\n  password: hunter2\n${other}`);
  expect((await load(file, { name: 'c' })).connection.auth).toMatchObject({ password: 'hunter2' });
  expect(await found(file, { name: 'd' })).toHaveLength(1);
});

test.skipIf(process.platform === 'win32')('files that everybody may read are warned about', async () => {
  put('open.txt', 'hunter2\n', 0o604);
  const { warnings } = await load(written('file:open.txt'));
  expect(warnings).toEqual([
    `everybody on this machine may read the secret in ${path('open.txt')}: chmod 600`,
  ]);
});

test('the list tells how each secret is kept, and fetches none', () => {
  const entry = (name: string, secret: string): string =>
    `${name}:\n  host: pve1\n  user: a@pve\n  password: ${secret}\n`;
  const forms = [
    'hunter2',
    'env:NONE',
    'file:none',
    '{ command: [/nowhere/x, hunter2] }',
    block(armor),
    `gAAAA${'A'.repeat(80)}`,
  ];
  const file = put('all.yml', forms.map((form, index) => entry(`c${index}`, form)).join(''));
  const { connections, default: usual } = listConnections({ file });
  expect(connections.map(({ secret }) => secret.kind)).toEqual([
    'plain',
    'env',
    'file',
    'command',
    'age',
    'fernet',
  ]);
  expect(usual).toBeUndefined();
});
