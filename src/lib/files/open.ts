/**
 * Opens files that somebody named: regular ones only, without waiting for the other end of a pipe, and for writing
 * never through a symbolic link. Must not know what is in them.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { makeFolders } from './folders.ts';
import { FileProblem, problem, asFileProblem, problemOfMaking } from './problem.ts';

const { O_APPEND, O_CREAT, O_DSYNC, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const PRIVATE = 0o600;
const ROOT = 0;

export interface ReadOptions {
  readonly maxBytes: number;
}

export interface FileContent {
  readonly bytes: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

function assertRegular(stats: Stats): void {
  if (stats.isSymbolicLink()) throw problem('link');
  if (stats.isDirectory()) throw problem('folder');
  if (!stats.isFile()) throw problem('irregular');
}

function assertSize({ size }: Stats, { maxBytes }: ReadOptions): void {
  if (size <= maxBytes) return;
  const mebibytes = (bytes: number, digits: number): string => `${(bytes / 1024 / 1024).toFixed(digits)} MiB`;
  throw new FileProblem(
    'large',
    `it has ${mebibytes(size, 1)} and was not read; at most ${mebibytes(maxBytes, 0)} are accepted`,
  );
}

/** Is it another account's? Not known on Windows. */
function isForeign({ uid }: Stats): boolean {
  return process.getuid !== undefined && uid !== process.getuid();
}

function present(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw asFileProblem(error);
  }
}

/** Does the name, or the link of that name, lead to anything? */
export const isThere = (file: string): boolean => existsSync(file);

/** A link may lead to it; it is only read. Throws FileProblem. */
export function readRegularFile(file: string, options: ReadOptions): FileContent {
  let handle: number | undefined;
  const check = (stats: Stats): void => {
    assertRegular(stats);
    assertSize(stats, options);
  };
  try {
    // Opening alone does something to some devices: look before; and again, because it may be another one by then.
    check(statSync(file));
    handle = openSync(file, O_RDONLY | O_NONBLOCK);
    const stats = fstatSync(handle);
    check(stats);
    return { bytes: readFileSync(handle), mode: stats.mode & 0o777 };
  } catch (error) {
    throw asFileProblem(error);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** All of standard input, which `-` stands for. A pipe has no size: it is counted while it comes. */
export function readStandardInput({ maxBytes }: ReadOptions): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for (;;) {
      const chunk = Buffer.alloc(65_536);
      const count = readSync(0, chunk, 0, chunk.length, null);
      if (count === 0) return Buffer.concat(chunks);
      size += count;
      if (size > maxBytes) throw new FileProblem('large', `it has more than ${maxBytes} bytes`);
      chunks.push(chunk.subarray(0, count));
    }
  } catch (error) {
    throw asFileProblem(error);
  }
}

/** Knows a file of its kind by how it begins. */
export type IsOurs = (head: string) => boolean;

export interface WritableOptions {
  /** It will hold what its owner may read. */
  readonly isPrivate?: boolean;
  /** What is there is written to only if this knows it, or if it is empty: a name is mistyped easily. */
  readonly isOurs?: IsOurs;
}

/** Enough for the first lines of any of our files. */
const HEAD_BYTES = 4096;

/** Also one of which a full disk has cut off all but the first letters. */
export function beginsLike(start: string): IsOurs {
  return (head) => head.startsWith(start) || start.startsWith(head);
}

function headOf(file: string): string {
  let handle: number | undefined;
  try {
    handle = openSync(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    const head = Buffer.alloc(HEAD_BYTES);
    return head.toString('utf8', 0, readSync(handle, head, 0, HEAD_BYTES, 0));
  } catch (error) {
    throw asFileProblem(error);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Two names of one file, whether it is there or not. */
export function isSameFile(one: string, other: string): boolean {
  return placeOf(one) === placeOf(other);
}

function placeOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    // Not there yet, or not to be seen: its folder may be.
    const path = resolve(file);
    return dirname(path) === path ? path : join(placeOf(dirname(path)), basename(path));
  }
}

/** Throws FileProblem when something is there that must not be written to or replaced; true: a regular file is there. */
export function assertWritableFile(
  file: string,
  { isPrivate = false, isOurs }: WritableOptions = {},
): boolean {
  const stats = present(file);
  if (!stats) return false;
  assertRegular(stats);
  if (isPrivate && isForeign(stats)) throw problem('foreign');
  if (isOurs && stats.size > 0 && !isOurs(headOf(file))) throw problem('other');
  return true;
}

/**
 * The file behind all links, for a file that its owner has linked from elsewhere and that is to stay there; undefined:
 * there is nothing yet. Throws FileProblem unless it may be replaced.
 */
export function targetOf(file: string): string | undefined {
  if (!present(file)) return undefined;
  try {
    if (!isThere(file)) throw problem('dangling');
    const target = realpathSync(file);
    const stats = statSync(target);
    assertRegular(stats);
    if (process.geteuid?.() !== ROOT && isForeign(stats)) throw problem('foreign');
    for (const path of [target, dirname(target)]) accessSync(path, constants.W_OK);
    return target;
  } catch (error) {
    throw asFileProblem(error);
  }
}

/**
 * Writes at once, so that the last lines before a crash are there. What is not there yet is made, for its owner alone,
 * and so are the folders above it. It and the function that it answers throw FileProblem.
 */
export function openForAppend(file: string, isOurs: IsOurs): (text: string) => void {
  let handle: number | undefined;
  try {
    makeFolders(dirname(file), 0o700);
    assertWritableFile(file, { isOurs });
    handle = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, PRIVATE);
    assertRegular(fstatSync(handle));
  } catch (error) {
    if (handle !== undefined) closeSync(handle);
    throw problemOfMaking(error);
  }
  const opened = handle;
  // A full disk takes a part of a line.
  let isTorn = false;
  return (text) => {
    try {
      const whole = isTorn ? `\n${text}` : text;
      isTorn = true;
      writeFileSync(opened, whole);
      isTorn = false;
    } catch (error) {
      throw asFileProblem(error);
    }
  };
}

/**
 * On Linux each write ends like a write and an fdatasync in one (open(2), O_DSYNC). Elsewhere it may end before the disk
 * has it, as on macOS, where libuv's fdatasync waits for more.
 */
const IS_SYNCHRONOUS = process.platform === 'linux';

export interface Opened {
  readonly handle: FileHandle;
  /** It was made. */
  readonly isNew: boolean;
  readonly stats: Stats;
  /** What is written is on disk when the write ends; otherwise it takes a `datasync`. */
  readonly isSynchronous: boolean;
}

/** Opens a file of this account to read it and to append to it. Throws FileProblem. */
export async function openPrivate(file: string): Promise<Opened> {
  const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | (IS_SYNCHRONOUS ? O_DSYNC : 0);
  for (;;) {
    const isThere = assertWritableFile(file, { isPrivate: true });
    let handle: FileHandle | undefined;
    try {
      handle = await open(file, isThere ? flags : flags | O_CREAT | O_EXCL, PRIVATE);
      const stats = await handle.stat();
      assertRegular(stats);
      if (isForeign(stats)) throw problem('foreign');
      return { handle, isNew: !isThere, stats, isSynchronous: IS_SYNCHRONOUS };
    } catch (error) {
      await handle?.close();
      // Another run made it, or took it away, in between.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (isThere ? code === 'ENOENT' : code === 'EEXIST') continue;
      throw problemOfMaking(error);
    }
  }
}
