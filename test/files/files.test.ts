/** What others may have put in the place of a file of ours, and what a disk may do to it. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  assertWritableFile,
  beginsLike,
  isSameFile,
  openForAppend,
  openPrivate,
  readRegularFile,
} from '../../src/lib/files/open.ts';
import { makeFolders } from '../../src/lib/files/folders.ts';
import { FileProblem } from '../../src/lib/files/problem.ts';
import { assertReplaceable, replaceFile } from '../../src/lib/files/replace.ts';

const isRoot = process.getuid?.() === 0;
const SMALL_DISK = ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs'];

/** Containers may be root without the right to mount. */
function mayMount(): boolean {
  const disk = mkdtempSync(join(tmpdir(), 'deploy-stand-disk-'));
  const isMounted = spawnSync('mount', [...SMALL_DISK, disk]).status === 0;
  if (isMounted) execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
  return isMounted;
}

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-files-'));
  file = join(folder, 'file');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kindOf = async (act: () => unknown): Promise<string> => {
  try {
    await act();
    return 'fine';
  } catch (error) {
    if (error instanceof FileProblem) return error.kind;
    throw error;
  }
};

/** Where it does not matter what is there. */
const ANY = { isOurs: () => true };

/** Whatever opens a file for writing. */
const WRITERS: Readonly<Record<string, () => unknown>> = {
  replaceFile: () => replaceFile(file, 'new', ANY),
  assertReplaceable: () => assertReplaceable(file),
  openForAppend: () => openForAppend(file, ANY.isOurs),
  openPrivate: () => openPrivate(file),
  assertWritableFile: () => assertWritableFile(file),
};
const read = (): unknown => readRegularFile(file, { maxBytes: 100 });

const PLANTED: readonly (readonly [string, () => void, string])[] = [
  ['a pipe that nobody reads or writes', () => execFileSync('mkfifo', [file]), 'irregular'],
  ['a folder', () => mkdirSync(file), 'folder'],
  ['a link to a file', () => symlinkSync(join(folder, 'other'), file), 'link'],
  ['a link to a device', () => symlinkSync('/dev/full', file), 'link'],
  ...(isRoot
    ? ([['a device', () => execFileSync('mknod', [file, 'c', '1', '3']), 'irregular']] as const)
    : []),
];

describe.each(PLANTED)('%s', (_, plant, kind) => {
  test.each(Object.keys(WRITERS))('%s refuses it, and leaves it as it is', async (writer) => {
    writeFileSync(join(folder, 'other'), 'old');
    plant();
    expect(await kindOf(WRITERS[writer] ?? (() => undefined))).toBe(kind);
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('old');
    expect(readdirSync(folder).sort()).toEqual(['file', 'other']);
  });
});

test('reading follows a link, never waits, and takes no more than it should', async () => {
  writeFileSync(join(folder, 'other'), 'text');
  symlinkSync(join(folder, 'other'), file);
  expect(readRegularFile(file, { maxBytes: 4 }).bytes.toString()).toBe('text');
  expect(await kindOf(() => readRegularFile(file, { maxBytes: 3 }))).toBe('large');
  rmSync(file);
  symlinkSync('/dev/zero', file);
  expect(await kindOf(read)).toBe('irregular');
  rmSync(file);
  execFileSync('mkfifo', [file]);
  expect(await kindOf(read)).toBe('irregular');
  expect(await kindOf(() => readRegularFile(join(folder, 'none'), { maxBytes: 1 }))).toBe('missing');
});

test('a folder that is not there is named as such', async () => {
  file = join(folder, 'no', 'file');
  expect(await kindOf(() => replaceFile(file, '', ANY))).toBe('homeless');
  expect(await kindOf(() => openPrivate(file))).toBe('homeless');
});

test.skipIf(!isRoot)(
  'a private file of another account is refused; another one is replaced and stays theirs',
  async () => {
    writeFileSync(file, 'old');
    chownSync(file, 65_534, 65_534);
    expect(await kindOf(() => replaceFile(file, 'new', { ...ANY, isPrivate: true }))).toBe('foreign');
    expect(await kindOf(() => openPrivate(file))).toBe('foreign');
    await replaceFile(file, 'new', ANY);
    expect([statSync(file).uid, readFileSync(file, 'utf8')]).toEqual([65_534, 'new']);
  },
);

describe('replacing', () => {
  test('the temporary file has a name that nobody can foresee', async () => {
    const names = new Set<string>();
    const watcher = watch(folder);
    // Changes are told in their order.
    const isTold = new Promise<void>((resolve) => {
      watcher.on('change', (_, name) => (name === 'last' ? resolve() : names.add(String(name))));
    });
    await replaceFile(file, 'a', ANY);
    await replaceFile(file, 'b', ANY);
    writeFileSync(join(folder, 'last'), '');
    await isTold;
    watcher.close();
    rmSync(join(folder, 'last'));
    names.delete('file');
    expect(names.size).toBe(2);
    for (const name of names) expect(name).toMatch(/^file\.[0-9a-f]{16}\.tmp$/);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('permissions: as asked, else those that were there', async () => {
    await replaceFile(file, 'a', { ...ANY, mode: 0o600 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o640);
    await replaceFile(file, 'b', ANY);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  test.skipIf(!mayMount())(
    'a disk that takes a part leaves the old file whole, and nothing beside it',
    async () => {
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      execFileSync('mount', [...SMALL_DISK, disk]);
      try {
        file = join(disk, 'file');
        writeFileSync(file, 'old');
        const problem = await replaceFile(file, 'x'.repeat(1_000_000), ANY).catch((error: unknown) => error);
        expect(problem).toMatchObject({ kind: 'full', message: 'its disk is full (ENOSPC)' });
        expect([readFileSync(file, 'utf8'), readdirSync(disk)]).toEqual(['old', ['file']]);
      } finally {
        execFileSync('umount', [disk]);
      }
    },
  );
});

test('appending makes a file for its owner alone, and goes on behind what is there', () => {
  file = join(folder, 'logs', 'file');
  openForAppend(file, ANY.isOurs)('one\n');
  openForAppend(file, ANY.isOurs)('two\n');
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  expect([lstatSync(file).mode & 0o777, lstatSync(join(folder, 'logs')).mode & 0o777]).toEqual([
    0o600, 0o700,
  ]);
});

describe('what somebody else wrote is not written over', () => {
  const isOurs = beginsLike('{"ours"');
  const WRITES: Readonly<Record<string, () => unknown>> = {
    replaceFile: () => replaceFile(file, '{"ours":2}', { isOurs }),
    assertReplaceable: () => assertReplaceable(file, { isOurs }),
    openForAppend: () => openForAppend(file, isOurs),
    assertWritableFile: () => assertWritableFile(file, { isOurs }),
  };
  test.each(Object.keys(WRITES))('%s', async (name) => {
    for (const [text, kind] of [
      ['users: [anna@pve]\n', 'other'],
      ['\0'.repeat(10_000), 'other'],
      [' {"ours":1}', 'other'],
      ['{"ours":1}', 'fine'],
      ['{"o', 'fine'],
      ['', 'fine'],
    ] as const) {
      writeFileSync(file, text);
      expect([text, await kindOf(WRITES[name]!)]).toEqual([text, kind]);
      if (kind === 'other') expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });
});

test('one file has many names', () => {
  mkdirSync(join(folder, 'sub'));
  symlinkSync(folder, join(folder, 'link'));
  const names = [file, `${folder}/./sub/../file`, join(folder, 'link', 'file')];
  for (const isThere of [false, true]) {
    if (isThere) writeFileSync(file, '');
    expect(names.map((name) => isSameFile(name, file))).toEqual([true, true, true]);
    expect(isSameFile(join(folder, 'sub', 'file'), file)).toBe(false);
  }
});

// Node's own `recursive` asks such a folder for ever.
test.skipIf(process.platform !== 'linux')('a folder that takes none is no reason to wait', () => {
  expect(() => {
    makeFolders('/proc/deploy-stand/logs');
  }).toThrow('ENOENT');
});
