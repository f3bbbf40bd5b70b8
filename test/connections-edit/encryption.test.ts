import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { decryptText } from '../../src/lib/age.ts';
import { changeSecrets, selectNames, type Work } from '../../src/lib/connections-edit/encryption.ts';
import { openFile, saveFile } from '../../src/lib/connections-edit/store.ts';
import { problems, problemsOf } from '../config/problems.ts';
import { ANNA, BORIS } from './identities.ts';
import { runs } from '../runs.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-encryption-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const to = (recipient: string) => () =>
  Promise.resolve({ kind: 'recipients' as const, recipients: [recipient] });
const keys = (identity: string) => () => ({ identities: [identity] });
const encrypt: Work = { do: 'encrypt', to: to(ANNA.recipient) };
const decrypt: Work = { do: 'decrypt', keys: keys(ANNA.identity) };

function put(text: string): string {
  const file = join(folder, 'connections.yml');
  writeFileSync(file, text);
  return file;
}

/** Carries the work out on a file of this text; answers the new text. */
async function change(text: string, work: Work, names: readonly string[] = []): Promise<string> {
  const open = openFile(put(text));
  const changed = await changeSecrets(open, selectNames(open, names), { work, workFactor: 4 });
  if (changed.isChanged) await saveFile(open, changed.text, changed.isMeant);
  return readFileSync(open.file, 'utf8');
}

const without = (text: string, secret: string): string => text.replaceAll(secret, '…');

const FILE = `# Clusters of the school
default: prod

# the old one
prod:
  host: pve1   # in the cellar
  user: root@pam
  password: change-me  # ask Anna

lab:
    user: lab@pve
    host: [pve2, pve3]
    token_name: t1

    # from the vault
    token_value: "123e4"
    timeout: 5
# the end
`;

describe('encrypted in place', () => {
  test('comments, order and everything else stay', async () => {
    const text = await change(FILE, encrypt);
    const block = (indent: string): RegExp =>
      new RegExp(`\\|(  # ask Anna)?\\n(${indent}[^\n]+\n)+?${indent}-----END AGE ENCRYPTED FILE-----\\n`);
    const back = text.replace(block('    '), 'change-me$1\n').replace(block('      '), '"123e4"$1\n');
    expect(back).toBe(FILE);
    expect(statSync(join(folder, 'connections.yml')).mode & 0o777).toBe(0o600);
    const { prod, lab } = parse(text) as Record<string, { password: string; token_value: string }>;
    const identities = [ANNA.identity];
    expect(await decryptText(prod?.password ?? '', { identities })).toEqual({ text: 'change-me' });
    expect(await decryptText(lab?.token_value ?? '', { identities })).toEqual({ text: '123e4' });
  });

  test('and decrypted, the file is the same to the byte', async () => {
    expect(await change(await change(FILE, encrypt), decrypt)).toBe(FILE);
  });

  test('only the named connections', async () => {
    const text = await change(FILE, encrypt, ['lab']);
    expect(text).toContain('password: change-me  # ask Anna');
    expect(text).not.toContain('123e4');
  });

  test('encrypting again changes nothing', async () => {
    const once = await change(FILE, encrypt);
    expect(await change(once, encrypt)).toBe(once);
  });

  test('rekey: the new key opens it, the old one does not', async () => {
    const once = await change(FILE, encrypt);
    const again = await change(once, { do: 'rekey', keys: keys(ANNA.identity), to: to(BORIS.recipient) });
    expect(await change(again, { do: 'decrypt', keys: keys(BORIS.identity) })).toBe(FILE);
    expect(await problemsOf(change(again, decrypt))).toHaveLength(2);
  });

  test.each<[string, string]>([
    ['flow style', 'a: { host: h, user: a@pve, password: s3cret } # end\n'],
    ['JSON', '{"a": {"host": "h", "user": "a@pve", "password": "s3cret"}}'],
    ['no line break at the end', 'a:\n  host: h\n  user: a@pve\n  password: s3cret'],
    ['CRLF', 'a:\r\n  host: h\r\n  password: s3cret # x\r\n  user: a@pve\r\n'],
    ['the value on a line of its own', 'a:\n  host: h\n  password:\n    s3cret\n  user: a@pve\n'],
    [
      'an anchor',
      'a:\n  host: h\n  user: a@pve\n  password: &p s3cret\nb:\n  host: h\n  user: a@pve\n  password: *p\n',
    ],
    ['a merge key', 'a: &a\n  host: h\n  user: a@pve\n  password: s3cret\nb:\n  <<: *a\n  host: i\n'],
    ['a block', 'a:\n  host: h\n  password: |-\n    s3cret\n\n  user: a@pve\n'],
    ['single quotes', "a:\n  host: h\n  user: a@pve\n  password: 's3cret'\n"],
    ['deep indentation', 'a:\n        host: h\n        password: s3cret\n        user: a@pve\n'],
    [
      'below ssh',
      'a:\n  platform: vmmanager6\n  host: h\n  email: a@b\n  password: env:X\n  ssh:\n    user: root\n    password: s3cret # y\n    passphrase: s3cret\n',
    ],
    [
      'the same secret twice',
      'a: { host: h, user: a@pve, password: s3cret }\nb: { host: h, user: a@pve, password: s3cret }\n',
    ],
  ])('%s', async (_, text) => {
    const once = await change(text, encrypt, ['a']);
    expect(parse(without(once, 's3cret'))).not.toEqual(parse(text));
    expect(parse(await change(once, decrypt))).toEqual(parse(text.replace('|-\n    s3cret\n', 's3cret\n')));
    for (const comment of text.match(/# \w+/g) ?? []) expect(once).toContain(comment);
  });

  test('what is kept elsewhere is left', async () => {
    const text =
      'a:\n  host: h\n  user: a@pve\n  password: env:X\nb:\n  host: h\n  user: a@pve\n  password: { command: [pass] }\n';
    expect(await change(text, encrypt)).toBe(text);
  });
});

describe('any file', () => {
  const secret = fc
    .string({
      unit: fc.oneof(
        fc.constantFrom(...Array.from('aZ09 :#\'"\\{[&*!|>%@`-é世')),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
      minLength: 1,
      maxLength: 30,
    })
    .filter((text) => !/\p{Cc}/u.test(text) && !/^(env|file|command):|^gAAAA/.test(text));
  const style = fc.constantFrom('plain-if-possible', 'double', 'single');
  const quote = (text: string, how: string): string => {
    if (how === 'plain-if-possible' && /^[A-Za-z][\w-]*$/.test(text)) return text;
    return how === 'single' ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
  };
  const connection = fc.record({
    secret,
    style,
    comment: fc.constantFrom('', '  # why'),
    gap: fc.constantFrom('', '\n', '# note\n\n'),
    indent: fc.constantFrom(1, 2, 4),
  });

  test('encrypted and decrypted means what it meant, comments and order kept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(connection, { minLength: 1, maxLength: 4 }), async (connections) => {
        const text = connections
          .map(({ secret: s, style: how, comment, gap, indent }, index) => {
            const pad = ' '.repeat(indent);
            return `${gap}c${index}:${comment}\n${pad}host: h\n${pad}password: ${quote(s, how)}${comment}\n${pad}# inside\n${pad}user: a@pve\n`;
          })
          .join('');
        const once = await change(text, encrypt);
        for (const { secret: s } of connections) if (s.length > 6) expect(once).not.toContain(s);
        const back = await change(once, decrypt);
        expect(parse(back)).toEqual(parse(text));
        const bare = (all: string): string => all.replaceAll(/password: .*?(  # why)?$/gm, 'password:$1');
        expect(bare(back)).toBe(bare(text));
      }),
      runs(8, 300),
    );
  });
});

describe('what cannot be opened', () => {
  test('a wrong passphrase: the file stays as it is, to the byte', async () => {
    const passphrase = (word: string) => () =>
      Promise.resolve({ kind: 'passphrase' as const, passphrase: word });
    const text = await change(FILE, { do: 'encrypt', to: passphrase('horse') });
    const wrong = () => ({ passphrase: 'cow', identities: [] });
    for (const work of [
      { do: 'decrypt', keys: wrong },
      { do: 'rekey', keys: wrong, to: passphrase('new') },
    ] as const) {
      const complaints = await problemsOf(change(text, work));
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toContain('connections.yml:8:13 prod.password: the passphrase is wrong');
      expect(readFileSync(join(folder, 'connections.yml'), 'utf8')).toBe(text);
    }
  });

  test('one of two: none is changed', async () => {
    const mixed = await change(
      await change(FILE, encrypt, ['prod']),
      { do: 'encrypt', to: to(BORIS.recipient) },
      ['lab'],
    );
    expect(await problemsOf(change(mixed, decrypt))).toHaveLength(1);
    expect(readFileSync(join(folder, 'connections.yml'), 'utf8')).toBe(mixed);
  });

  test('connections that are not there', () => {
    const open = openFile(put(FILE));
    expect(
      problems(() => selectNames(open, ['prods', 'lab', 'x'])).map((line) =>
        line.replaceAll(`${folder}/`, ''),
      ),
    ).toEqual([
      'connections.yml: there is no connection "prods" → did you mean prod?',
      'connections.yml: there is no connection "x" → there are: prod, lab',
    ]);
  });
});
