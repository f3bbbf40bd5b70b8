import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFile, saveFile } from '../../src/lib/connections-edit/store.ts';
import { problems, problemsOf } from '../config/problems.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-store-'));
  file = join(folder, 'connections.yml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ONE = 'a:\n  host: x\n  user: a@pve\n  password: p\n';
const TWO = `${ONE}b:\n  host: y\n  user: a@pve\n  password: p\n`;
const yes = (): boolean => true;
const bare = (lines: string[]): string[] => lines.map((line) => line.replaceAll(`${folder}/`, ''));

test('a new file is for its owner alone', async () => {
  await saveFile(openFile(file), ONE, yes);
  expect(readFileSync(file, 'utf8')).toBe(ONE);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a file that others could read no longer is', async () => {
  writeFileSync(file, ONE);
  chmodSync(file, 0o644);
  await saveFile(openFile(file), TWO, yes);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a symbolic link stays one; the file behind it is written', async () => {
  const target = join(folder, 'elsewhere.yml');
  writeFileSync(target, ONE);
  symlinkSync(target, file);
  await saveFile(openFile(file), TWO, yes);
  expect(lstatSync(file).isSymbolicLink()).toBe(true);
  expect(readFileSync(target, 'utf8')).toBe(TWO);
});

test('text that does not mean what it should is not written', async () => {
  writeFileSync(file, ONE);
  await expect(saveFile(openFile(file), TWO, () => false)).rejects.toThrow('cannot be changed in place');
  await expect(saveFile(openFile(file), 'a: [', yes)).rejects.toThrow('cannot be changed in place');
  expect(readFileSync(file, 'utf8')).toBe(ONE);
});

describe('refused', () => {
  test('a file that somebody else changed meanwhile', async () => {
    writeFileSync(file, ONE);
    const open = openFile(file);
    writeFileSync(file, TWO);
    expect(bare(await problemsOf(saveFile(open, ONE, yes)))).toEqual([
      'connections.yml: the file was changed by somebody else meanwhile → run the command again',
    ]);
    const fresh = { ...openFile(join(folder, 'new.yml')) };
    writeFileSync(join(folder, 'new.yml'), ONE);
    expect(await problemsOf(saveFile(fresh, TWO, yes))).toHaveLength(1);
  });

  test('a link to nothing, a directory', () => {
    symlinkSync(join(folder, 'none'), file);
    expect(bare(problems(() => openFile(file)))).toEqual([
      'connections.yml: this is a symbolic link to nothing → remove the link, or make the file that it names',
    ]);
    expect(problems(() => openFile(folder))).toHaveLength(1);
  });

  test.skipIf(process.geteuid?.() === 0)('a write-protected file', () => {
    writeFileSync(file, ONE);
    chmodSync(file, 0o400);
    expect(problems(() => openFile(file))[0]).toContain('the file or its folder is write-protected');
  });

  test.each<[string, string, string]>([
    [
      'a key that would reach a prototype',
      `${ONE}__proto__:\n  host: y\n`,
      'connections.yml:5:1: "__proto__" is not allowed as a key → remove it',
    ],
    [
      'a name given twice',
      `${ONE}${ONE}`,
      'connections.yml:5:1 a: the key is given twice (first on line 1) → remove one of them',
    ],
    [
      'an unknown key',
      `${ONE}  pasword: hunter2\n`,
      'connections.yml:5:3 a.pasword: unknown key → did you mean password?',
    ],
    [
      'a lab',
      'machines: []\n',
      'connections.yml:1:1: this is a lab, not a connections file → give the right file with --connections',
    ],
  ])('%s', (_, text, expected) => {
    writeFileSync(file, text);
    expect(bare(problems(() => openFile(file)))).toEqual([expected]);
  });
});
