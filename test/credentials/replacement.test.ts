import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { renderCsvCards } from '../../src/lib/render/cards-csv.ts';
import { CredentialsFile } from '../../src/lib/credentials/credentials-file.ts';
import { assertReplaceableExport } from '../../src/lib/credentials/own-file.ts';
import { writePrivateFile } from '../../src/lib/credentials/private-file.ts';
import { CARD_FILES } from '../../src/lib/render/card-files.ts';

const URL = 'https://pve1:8006';
const HEADER = 'userid,password,state,pool,url';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-replacement-'));
  file = join(folder, 'credentials.csv');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const rows = (): string[] => readFileSync(file, 'utf8').split('\n').slice(1, -1);
const open = (): Promise<CredentialsFile> => CredentialsFile.open(file, { url: URL });
const make = (password: string) => () => password;
const row = (userid: string, password: string, state: string) =>
  `${userid},${password},${state},${userid.split('@')[0]},${URL}`;

function given(...lines: readonly string[]): void {
  writeFileSync(file, [HEADER, ...lines, ''].join('\n'));
}

describe('a password that is changed', () => {
  test('stands beside the new one until that is set, and then gives up its place', async () => {
    given(row('a@pve', 'former', 'set'), row('b@pve', 'other', 'set'));
    const credentials = await open();
    expect(await credentials.replacement({ userid: 'a@pve', pool: 'a' }, make('fresh'))).toBe('fresh');
    expect(rows()).toEqual([
      row('a@pve', 'former', 'set'),
      row('b@pve', 'other', 'set'),
      row('a@pve', 'fresh', 'pending'),
    ]);
    expect([credentials.isChanging('a@pve'), credentials.known('a@pve')]).toEqual([true, undefined]);
    await credentials.settle('a@pve', 'set', 'a');
    expect(rows()).toEqual([row('a@pve', 'fresh', 'set'), row('b@pve', 'other', 'set')]);
    expect([credentials.isChanging('a@pve'), credentials.known('a@pve')]).toEqual([false, 'fresh']);
  });

  test('comes back when the new one was refused', async () => {
    given(row('a@pve', 'former', 'set'));
    const credentials = await open();
    await credentials.replacement({ userid: 'a@pve', pool: 'a' }, make('fresh'));
    await credentials.settle('a@pve', 'unchanged', 'a');
    expect(rows()).toEqual([row('a@pve', 'former', 'set')]);
    expect(credentials.known('a@pve')).toBe('former');
  });

  test.each([
    { name: 'unknown', before: [row('a@pve', '', 'unchanged')] },
    { name: 'not in the file', before: [] },
    { name: 'of a user that was removed', before: [row('a@pve', '', 'removed')] },
  ])('was $name: still told apart from that of a user who is about to be made', async ({ before }) => {
    given(...before);
    const credentials = await open();
    await credentials.replacement({ userid: 'a@pve', pool: 'a' }, make('fresh'));
    expect(rows()).toHaveLength(2);
    const again = await open();
    expect(again.isChanging('a@pve')).toBe(true);
    await again.settle('a@pve', 'set', 'a');
    expect(rows()).toEqual([row('a@pve', 'fresh', 'set')]);
  });

  test('after a crash: the next run sets the one that waits', async () => {
    given(row('a@pve', 'former', 'set'));
    await (await open()).replacement({ userid: 'a@pve', pool: 'a' }, make('fresh'));
    const again = await open();
    expect(again.isChanging('a@pve')).toBe(true);
    expect(again.rows()).toHaveLength(1);
    expect(await again.replacement({ userid: 'a@pve', pool: 'a' }, make('another'))).toBe('fresh');
    expect(rows()).toEqual([row('a@pve', 'former', 'set'), row('a@pve', 'fresh', 'pending')]);
    await again.settle('a@pve', 'set', 'a');
    expect(rows()).toEqual([row('a@pve', 'fresh', 'set')]);
  });

  test('after a crash that left no user: creating one uses the password that waits', async () => {
    given(row('a@pve', 'former', 'set'));
    await (await open()).replacement({ userid: 'a@pve', pool: 'a' }, make('fresh'));
    const again = await open();
    expect(await again.pending({ userid: 'a@pve', pool: 'a' }, make('another'))).toBe('fresh');
    await again.settle('a@pve', 'set', 'a');
    expect(rows()).toEqual([row('a@pve', 'fresh', 'set')]);
  });

  test('of many at once: one row each in the end', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `u${i}@pve`);
    given(...names.map((name) => row(name, 'former', 'set')));
    const credentials = await open();
    await Promise.all(
      names.map(async (name, i) => {
        await credentials.replacement({ userid: name, pool: name.split('@')[0]! }, make(`fresh${i}`));
        await credentials.settle(name, 'set', name.split('@')[0]!);
      }),
    );
    expect(rows()).toEqual(names.map((name, i) => row(name, `fresh${i}`, 'set')));
  });
});

test('an exported file is for its owner alone, and replaces what was there', async () => {
  const out = join(folder, 'sub', 'cards.html');
  await writePrivateFile(out, 'one', () => true);
  await writePrivateFile(out, 'two', () => true);
  expect(readFileSync(out, 'utf8')).toBe('two');
  expect(statSync(out).mode & 0o777).toBe(0o600);
});

test('what is not ours is never replaced: links, other tables, key files', async () => {
  const at = (name: string) => join(folder, name);
  const foreign = {
    'notes.txt': 'my notes',
    id_ed25519: '-----BEGIN',
    'grades.csv': 'name,grade\n',
    'page.html': '<!doctype html><p>',
  };
  for (const [name, text] of Object.entries(foreign)) writeFileSync(at(name), text, { mode: 0o600 });
  writeFileSync(at('secret.csv'), 'userid,password,state,pool,url\n');
  symlinkSync(at('secret.csv'), at('link.csv'));
  for (const name of [...Object.keys(foreign), 'link.csv', '.']) {
    expect(() => assertReplaceableExport(at(name))).toThrow(
      expect.objectContaining({ code: 'OUT_FILE', exitCode: 2 }),
    );
  }
  await expect(CredentialsFile.open(at('link.csv'), { url: 'https://pve' })).rejects.toThrow(/symbolic link/);
  const card = {
    userid: 'a@pve',
    login: 'a',
    realm: 'pve',
    realmLabel: 'PVE',
    name: '',
    password: 'p',
    url: 'u',
    pool: 'a',
    machines: [],
  };
  const written = Object.values(CARD_FILES).map(({ render }) => render([card], 'en', 'x'.repeat(200)));
  for (const text of [...written, '']) {
    await writePrivateFile(at('cards'), text, () => true);
    expect(() => assertReplaceableExport(at('cards'))).not.toThrow();
  }
  expect(() => assertReplaceableExport(at('none'))).not.toThrow();
});

test('no cell of an exported CSV is a formula, and a name turns no line around', () => {
  const card = {
    userid: 'anna@pve',
    login: '=cmd|calc',
    realm: 'pve',
    realmLabel: 'x',
    name: '+Anna, "A\u202E"\n',
    password: '-1+2',
    url: '@url',
    pool: 'anna',
    machines: [
      { lab: 'net', name: 'eco', vmid: 10001, node: 'pve1', console: 'https://pve1/?vmid=10001' },
      { lab: 'net', name: 'pc', vmid: 10002, node: 'pve1', console: 'https://pve1/?vmid=10002' },
    ],
  };
  const [head, cells] = parse(renderCsvCards([card])) as [string[], string[]];
  expect(head).toEqual([
    'userid',
    'name',
    'login',
    'realm',
    'password',
    'url',
    'pool',
    'machines',
    'consoles',
    'labs',
    'expires',
  ]);
  expect(cells).toEqual([
    'anna@pve',
    '\'+Anna, "A\\u{202e}"\\n',
    "'=cmd|calc",
    'pve',
    "'-1+2",
    "'@url",
    'anna',
    'eco=10001 pc=10002',
    'https://pve1/?vmid=10001 https://pve1/?vmid=10002',
    'net',
    '',
  ]);
});
