import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decryptText } from '../../src/lib/age.ts';
import { CredentialsFile } from '../../src/lib/credentials/credentials-file.ts';
import { problemsOf } from '../config/problems.ts';
import { ANNA, BORIS } from '../connections-edit/identities.ts';

const url = 'https://pve1:8006';
const encryptTo = [ANNA.recipient];
const identities = (): string[] => [ANNA.identity];

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-sealed-'));
  file = join(folder, 'credentials.csv');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function opened(): Promise<string> {
  const secret = await decryptText(readFileSync(file, 'utf8'), { identities: identities() });
  return 'text' in secret ? secret.text : secret.problem;
}

async function put(): Promise<void> {
  const credentials = await CredentialsFile.open(file, { url, encryptTo });
  await credentials.pending({ userid: 'anna@pve', pool: 'anna' }, () => 'hunter22');
}

describe('a file for recipients', () => {
  test('is never plain, and goes on where it ended', async () => {
    await put();
    expect(readFileSync(file, 'utf8')).not.toContain('hunter22');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await CredentialsFile.open(file, { url, encryptTo, identities });
    expect(again.row('anna@pve')).toMatchObject({ password: 'hunter22', state: 'pending' });
    await again.settle('anna@pve', 'set', 'anna');
    expect(await opened()).toBe(`userid,password,state,pool,url\nanna@pve,hunter22,set,anna,${url}\n`);
  });

  test('that was plain so far is encrypted at once', async () => {
    const plain = `userid,password,state,pool,url\nanna@pve,hunter22,set,anna,${url}\n`;
    writeFileSync(file, plain);
    const credentials = await CredentialsFile.open(file, { url, encryptTo });
    expect(readFileSync(file, 'utf8')).toBe(plain);
    await credentials.seal();
    expect(readFileSync(file, 'utf8')).not.toContain('hunter22');
    expect(await opened()).toBe(plain);
  });

  test('is looked into with an identity alone', async () => {
    await put();
    const credentials = await CredentialsFile.open(file, { url, identities, readOnly: true });
    expect(credentials.row('anna@pve')?.password).toBe('hunter22');
  });

  test.each<[string, Omit<Parameters<typeof CredentialsFile.open>[1], 'url'>, string]>([
    ['without an identity', { encryptTo }, 'it is encrypted, and what it says of this class has to be read'],
    [
      'by somebody else',
      { encryptTo, identities: () => [BORIS.identity] },
      'it is encrypted for others than this identity',
    ],
    ['without recipients', { identities }, 'it is encrypted, and would be written as plain text'],
  ])('is refused %s', async (_, sealing, message) => {
    await put();
    const before = readFileSync(file, 'utf8');
    const complaints = await problemsOf(CredentialsFile.open(file, { url, ...sealing }));
    expect(complaints).toEqual([expect.stringContaining(message)]);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('is refused when it is damaged', async () => {
    await put();
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 150));
    expect(await problemsOf(CredentialsFile.open(file, { url, encryptTo, identities }))).toEqual([
      expect.stringContaining('it is encrypted, and damaged'),
    ]);
  });
});
