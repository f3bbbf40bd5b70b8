import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CredentialsFile } from '../../src/lib/credentials/credentials-file.ts';
import { formatRows, parseRows, STATES } from '../../src/lib/credentials/credentials-csv.ts';
import { ConfigError } from '../../src/lib/errors.ts';
import { runs } from '../runs.ts';

const URL = 'https://pve1:8006';
const HEADER = 'userid,password,state,pool,url';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-credentials-'));
  file = join(folder, 'credentials.csv');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const content = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const open = (url = URL): Promise<CredentialsFile> => CredentialsFile.open(file, { url });
const make = (password: string) => () => password;
const never = (): string => {
  throw new Error('a password was made');
};

async function refusal(run: () => Promise<unknown>): Promise<string> {
  const error: unknown = await run().then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw error;
  const [issue] = error.issues;
  const line = issue?.line === undefined ? '' : `:${issue.line}`;
  return `${(issue?.file ?? '').replace(`${folder}/`, '')}${line}: ${issue?.message ?? ''} → ${issue?.hint ?? ''}`;
}

describe('the life of a row', () => {
  test('pending on disk before the password is known, then set', async () => {
    const credentials = await open();
    expect(readdirSync(folder)).toEqual([]);
    expect(await credentials.pending({ userid: 'a@pve', pool: 'a' }, make('secret'))).toBe('secret');
    expect(content()).toEqual([HEADER, `a@pve,secret,pending,a,${URL}`]);
    await credentials.settle('a@pve', 'set', 'a');
    expect(content()).toEqual([HEADER, `a@pve,secret,set,a,${URL}`]);
    expect(credentials.has('a@pve')).toBe(true);
    expect(credentials.row('a@pve')).toEqual({
      userid: 'a@pve',
      password: 'secret',
      state: 'set',
      pool: 'a',
      url: URL,
    });
    expect(credentials.row('b@pve')).toBeUndefined();
  });

  test('a pending password is used by the next run', async () => {
    await (await open()).pending({ userid: 'a@pve', pool: 'a' }, make('first'));
    expect(await (await open()).pending({ userid: 'a@pve', pool: 'a' }, never)).toBe('first');
  });

  // What was there, how the user stands, what comes of it.
  test.each([
    [undefined, 'set', ',unchanged'],
    [undefined, 'unchanged', ',unchanged'],
    [undefined, 'directory', ',directory'],
    [undefined, 'removed', ',removed'],
    ['pw,pending', 'set', 'pw,set'],
    ['pw,pending', 'unchanged', ',unchanged'],
    ['pw,pending', 'directory', ',directory'],
    ['pw,pending', 'removed', ',removed'],
    ['pw,set', 'set', 'pw,set'],
    ['pw,set', 'unchanged', 'pw,set'],
    ['pw,set', 'removed', ',removed'],
    [',unchanged', 'set', ',unchanged'],
    [',unchanged', 'unchanged', ',unchanged'],
    ['pw,unchanged', 'unchanged', 'pw,unchanged'],
    [',removed', 'unchanged', ',unchanged'],
    [',removed', 'set', ',unchanged'],
  ] as const)('%s, then %s: %s', async (before, state, after) => {
    if (before !== undefined) writeFileSync(file, `${HEADER}\na@pve,${before},a,${URL}\n`);
    await (await open()).settle('a@pve', state, 'a');
    expect(content()).toEqual([HEADER, `a@pve,${after},a,${URL}`]);
  });

  test.each(['pw,set', ',unchanged', ',removed', ',directory', ',pending'])(
    'a user that is made anew after %s gets a new password',
    async (before) => {
      writeFileSync(file, `${HEADER}\na@pve,${before},a,${URL}\n`);
      expect(await (await open()).pending({ userid: 'a@pve', pool: 'a' }, make('new'))).toBe('new');
      expect(content()).toEqual([HEADER, `a@pve,new,pending,a,${URL}`]);
    },
  );

  test('nothing is written when nothing changes', async () => {
    writeFileSync(file, `${HEADER}\na@pve,pw,set,a,${URL}\n`);
    const before = statSync(file);
    await (await open()).settle('a@pve', 'unchanged', 'a');
    expect(statSync(file).ino).toBe(before.ino);
  });

  test('rows of others stay where and as they are', async () => {
    const rows = [`z@pve,1,set,z,${URL}`, 'b@pve,2,set,b,https://other:8006', `b@pve,3,set,b,${URL}`];
    writeFileSync(file, [HEADER, ...rows, ''].join('\n'));
    const credentials = await open();
    await credentials.pending({ userid: 'a@pve', pool: 'a' }, make('4'));
    await credentials.settle('b@pve', 'removed', 'b');
    expect(content()).toEqual([
      HEADER,
      rows[0],
      rows[1],
      `b@pve,,removed,b,${URL}`,
      `a@pve,4,pending,a,${URL}`,
    ]);
  });

  test('new rows come in the order of the class, whoever is made first', async () => {
    writeFileSync(file, [HEADER, `z@pve,1,set,z,${URL}`, ''].join('\n'));
    const credentials = await open();
    credentials.inOrderOf(['b@pve', 'a@pve', 'z@pve'].map((userid) => ({ userid })));
    await credentials.pending({ userid: 'a@pve', pool: 'a' }, make('2'));
    await credentials.pending({ userid: 'b@pve', pool: 'b' }, make('3'));
    const [z, b, a] = [`z@pve,1,set,z,${URL}`, `b@pve,3,pending,b,${URL}`, `a@pve,2,pending,a,${URL}`];
    expect(content()).toEqual([HEADER, z, b, a]);
    // As its own rows, too, once they are read again.
    await (await open()).settle('a@pve', 'set', 'a');
    expect(content()).toEqual([HEADER, z, b, `a@pve,2,set,a,${URL}`]);
  });

  test('two clusters are told apart; the embedded simulator is one, whatever its port', async () => {
    await (await open('https://127.0.0.1:40001')).pending({ userid: 'a@pve', pool: 'a' }, make('first'));
    expect(await (await open('https://127.0.0.1:40002')).pending({ userid: 'a@pve', pool: 'a' }, never)).toBe(
      'first',
    );
    expect(await (await open()).pending({ userid: 'a@pve', pool: 'a' }, make('second'))).toBe('second');
    expect(content()).toHaveLength(3);
  });
});

describe('the file', () => {
  test.skipIf(process.platform === 'win32')('is for its owner alone, also one that was not', async () => {
    await (await open()).pending({ userid: 'a@pve', pool: 'a' }, make('secret'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o644);
    await (await open()).settle('a@pve', 'set', 'a');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.skipIf(process.platform !== 'linux')(
    'is never readable by others, not even for a moment',
    async () => {
      const modes = new Set<number>();
      const watcher = watch(folder, (_, name) => {
        try {
          modes.add(statSync(join(folder, name ?? '')).mode & 0o777);
        } catch {
          // Gone already.
        }
      });
      const credentials = await open();
      for (let round = 0; round < 20; round++)
        await credentials.pending({ userid: `u${round}@pve`, pool: 'a' }, make('secret'));
      watcher.close();
      expect([...modes]).toEqual([0o600]);
      expect(readdirSync(folder)).toEqual(['credentials.csv']);
    },
  );

  test('gets its folder', async () => {
    file = join(folder, 'new/deep/credentials.csv');
    await (await open()).pending({ userid: 'a@pve', pool: 'a' }, make('secret'));
    expect(content()).toHaveLength(2);
  });

  test.each([
    [
      'another table',
      'name,grade\na,5\n',
      `credentials.csv:1: it is no credentials file of deploy-stand: its first line is not "${HEADER}"`,
    ],
    [
      'a text',
      'my notes\n',
      `credentials.csv:1: it is no credentials file of deploy-stand: its first line is not "${HEADER}"`,
    ],
    [
      'a state that is none',
      `${HEADER}\na@pve,hunter2,done,a,x\n`,
      "credentials.csv:2: it is no credentials file of deploy-stand: a row's state is none of pending, set, unchanged, directory, removed",
    ],
    [
      'a cell too many',
      `${HEADER}\na@pve,hunter2,set,a,x,y\n`,
      'credentials.csv:2: it is no credentials file of deploy-stand: a row has 6 cells instead of 5',
    ],
    [
      'no userid',
      `${HEADER}\n,hunter2,set,a,x\n`,
      'credentials.csv:2: it is no credentials file of deploy-stand: a row has no userid',
    ],
    [
      'broken quotes',
      `${HEADER}\n"a@pve,hunter2\n`,
      'credentials.csv:1: it is no credentials file of deploy-stand: it is not valid CSV (CSV_QUOTE_NOT_CLOSED)',
    ],
  ])('%s is left alone', async (_, text, expected) => {
    writeFileSync(file, text);
    expect(await refusal(() => open())).toBe(
      `${expected} → name another file with --credentials, or move this one away`,
    );
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('a directory, and a pipe that nobody writes to, are refused', async () => {
    mkdirSync(file);
    await expect(open()).rejects.toThrow(/credentials\.csv cannot be used: it is a folder$/);
    rmSync(file, { recursive: true });
    execFileSync('mkfifo', [file]);
    await expect(open()).rejects.toThrow(/credentials\.csv cannot be used: it is not a regular file$/);
  });

  test('saved by a spreadsheet with semicolons and BOM', async () => {
    writeFileSync(file, `\uFEFF${HEADER.replaceAll(',', ';')}\r\na@pve;pw;pending;a;${URL}\r\n`);
    expect(await (await open()).pending({ userid: 'a@pve', pool: 'a' }, never)).toBe('pw');
  });

  test('a failed write is reported, kept in mind, and made good', async () => {
    const credentials = await open();
    mkdirSync(file);
    await expect(credentials.pending({ userid: 'a@pve', pool: 'a' }, make('first'))).rejects.toMatchObject({
      code: 'CREDENTIALS_FILE',
      message: `the credentials file ${file} cannot be written: it is a folder`,
    });
    rmSync(file, { recursive: true });
    expect(await credentials.pending({ userid: 'a@pve', pool: 'a' }, never)).toBe('first');
    expect(content()).toEqual([HEADER, `a@pve,first,pending,a,${URL}`]);
  });
});

describe('many at once', () => {
  test('500 users share a few writes, and each is on disk when told so', async () => {
    const credentials = await open();
    const versions = new Set<bigint>();
    const look = () => versions.add(statSync(file, { bigint: true }).ctimeNs);
    await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const userid = `u${index}@pve`;
        await credentials.pending({ userid, pool: `u${index}` }, make(`p${index}`));
        expect(readFileSync(file, 'utf8')).toContain(`${userid},p${index},pending`);
        look();
        await credentials.settle(userid, 'set', `u${index}`);
        look();
      }),
    );
    expect(versions.size).toBeGreaterThan(1);
    expect(versions.size).toBeLessThan(10);
    expect(content()).toEqual([
      HEADER,
      ...Array.from({ length: 500 }, (_, index) => `u${index}@pve,p${index},set,u${index},${URL}`),
    ]);
  });

  test('two calls for one user agree on one password', async () => {
    const credentials = await open();
    const passwords = await Promise.all([
      credentials.pending({ userid: 'a@pve', pool: 'a' }, make('one')),
      credentials.pending({ userid: 'a@pve', pool: 'a' }, make('two')),
    ]);
    expect(passwords).toEqual(['one', 'one']);
  });
});

describe('cells', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.stringMatching(/^['=+\-@\t\r\n ,;"]{0,4}[a-z'"=]{0,4}$/),
  );
  const row = fc.record({
    userid: text.filter((value) => value !== ''),
    password: text,
    state: fc.constantFrom(...STATES),
    pool: text,
    url: text,
  });

  test('come back exactly', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        expect(parseRows(formatRows(rows))).toEqual({ rows });
      }),
      runs(100, 20_000),
    );
  });

  test('are never formulas', () => {
    fc.assert(
      fc.property(row, (one) => {
        const table: string[][] = parse(formatRows([one]));
        for (const cell of table[1] ?? []) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
      }),
      runs(100, 20_000),
    );
    expect(formatRows([{ userid: 'a', password: '=1+1', state: 'set', pool: '', url: '' }])).toContain(
      'a,"\'=1+1",set',
    );
  });
});
