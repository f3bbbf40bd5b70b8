/**
 * Replaces a file: whoever reads it sees the old text or the new one, also after a power failure or on a full disk. Must
 * not write through anything that another account may have put there.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from './folders.ts';
import { assertWritableFile, type IsOurs, type WritableOptions } from './open.ts';
import { problem, problemOfMaking } from './problem.ts';

const NEW_FILE = 0o666;
/** The credentials of some 500 users. */
const ROOM = 64 * 1024;

export interface ReplaceOptions extends WritableOptions {
  /** What is there is replaced only if this knows it: each kind of file of ours says how it begins. */
  readonly isOurs: IsOurs;
  /** Permission bits; default: those of the file that is there, else the usual ones. */
  readonly mode?: number;
}

/** Beside the file, under a name that nobody can foresee; it must not be there (`wx`). */
function temporaryName(file: string): string {
  return join(dirname(file), `${basename(file)}.${randomBytes(8).toString('hex')}.tmp`);
}

/** A rename is safe from a power failure only once its folder is on disk. */
export async function syncFolderOf(file: string): Promise<void> {
  // Windows has no handles of folders.
  if (process.platform === 'win32') return;
  const handle = await open(dirname(file), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** An administrator who replaces a user's file leaves it to the user; whoever is none may not give files away. */
async function takeAfter(
  handle: FileHandle,
  file: string,
  { mode, isPrivate }: Pick<ReplaceOptions, 'mode' | 'isPrivate'>,
): Promise<void> {
  const former = await stat(file).catch(() => undefined);
  if (former && isPrivate !== true && process.getuid?.() === 0) await handle.chown(former.uid, former.gid);
  const bits = mode ?? (former && former.mode & 0o777);
  // open() subtracts the umask.
  if (bits !== undefined) await handle.chmod(bits);
}

async function write(file: string, temporary: string, text: string, options: ReplaceOptions): Promise<void> {
  const handle = await open(temporary, 'wx', options.mode ?? NEW_FILE);
  try {
    await takeAfter(handle, file, options);
    // Not one write: a disk that is nearly full takes a part of it, and says so at the next one only.
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await syncFolderOf(file);
}

/** On disk when it resolves. Throws FileProblem; then the former file is as it was. */
export async function replaceFile(file: string, text: string, options: ReplaceOptions): Promise<void> {
  assertWritableFile(file, options);
  const temporary = temporaryName(file);
  const clear = (): void => rmSync(temporary, { force: true });
  process.once('exit', clear);
  try {
    await write(file, temporary, text, options);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw problemOfMaking(error);
  } finally {
    process.off('exit', clear);
  }
}

/** Throws FileProblem when `replaceFile` could not make its file, or the disk is full: found out before the work, not after it. */
export async function assertReplaceable(file: string, options: WritableOptions = {}): Promise<void> {
  assertWritableFile(file, options);
  const probe = temporaryName(file);
  try {
    const handle = await open(probe, 'wx', 0o600);
    try {
      await handle.writeFile(Buffer.alloc(ROOM));
    } finally {
      await handle.close();
      await rm(probe);
    }
  } catch (error) {
    throw problemOfMaking(error);
  }
}

/** With all above it. Throws FileProblem. `mode`: permission bits of those that are not there yet. */
export function makeFolder(folder: string, mode?: number): void {
  try {
    makeFolders(folder, mode);
  } catch (error) {
    const found = problemOfMaking(error);
    // A file is there, as the folder or above it.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw code === 'EEXIST' || code === 'ENOTDIR' ? problem('file', error) : found;
  }
}

/** The folders above a file with secrets are made for their owner alone. */
export function makeFolderOf(file: string): void {
  makeFolder(dirname(file), 0o700);
}
