/** Reads one small text file, refusing whatever is none. Must not interpret the text. */
import { closeSync, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';
import { configError } from './issues.ts';

const MAX_BYTES = 5 * 1024 * 1024;

export interface TextFile {
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
}

function refuse(file: string, message: string, hint?: string): never {
  throw configError([{ file, path: '', message, ...(hint === undefined ? {} : { hint }) }]);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

function refuseSystemError(file: string, error: unknown): never {
  const code = codeOf(error);
  if (code === 'ENOENT') refuse(file, 'the file does not exist', 'check the path, and the folder you are in');
  if (code === 'EACCES') refuse(file, 'the file may not be read (permission denied)', `chmod u+r ${file}`);
  return refuse(file, `the file cannot be read (${code})`);
}

function checkStats(file: string, stats: Stats): void {
  if (stats.isDirectory()) refuse(file, 'this is a directory, not a file', 'name a file inside it');
  if (!stats.isFile()) refuse(file, 'this is not a regular file');
  if (stats.size > MAX_BYTES) {
    const size = (stats.size / 1024 / 1024).toFixed(1);
    refuse(
      file,
      `the file has ${size} MiB and was not read; at most 5 MiB are accepted`,
      'is this the right file?',
    );
  }
}

/** Text of UTF-8 bytes without the byte order mark. */
function decodeText(bytes: Uint8Array, file: string): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    refuse(file, 'the file is written in UTF-16', 'save it as UTF-8');
  }
  if (bytes.includes(0))
    refuse(file, 'the file is binary (it contains NUL bytes)', 'a text file is expected');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse(
      file,
      'the file is not valid UTF-8',
      'save it as UTF-8 (in a spreadsheet: "CSV UTF-8"); Windows-1251 and the like are not accepted',
    );
  }
}

/** Throws a ConfigError for anything but a readable, regular UTF-8 file of at most 5 MiB. */
export function readTextFile(file: string): TextFile {
  let handle: number | undefined;
  try {
    // Opening a pipe would wait for its writer: look before.
    checkStats(file, statSync(file));
    handle = openSync(file, 'r');
    const stats = fstatSync(handle);
    checkStats(file, stats);
    const bytes = readFileSync(handle);
    return { text: decodeText(bytes, file), mode: stats.mode & 0o777 };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) refuseSystemError(file, error);
    throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
