/** Writes files with passwords: readable by their owner only, whole or not at all. Must not print their text. */
import { mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { ConfigError } from '../errors.ts';

/** A rename is safe from a power failure only once its directory is on disk. */
async function syncDirectory(directory: string): Promise<void> {
  // Windows has no handles of directories.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** On disk when it resolves; a file of that name is replaced. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // The temporary file is made with this mode: it is never readable by others.
  await writeFileAtomic(file, text, { mode: 0o600, fsync: true });
  await syncDirectory(dirname(file));
}

/**
 * Throws ConfigError unless a file can be made beside `file`, as replacing it does: passwords that cannot be kept must
 * not be found out about when half of the class is made.
 */
export async function assertPrivateFile(file: string): Promise<void> {
  const probe = `${file}.probe-${process.pid}`;
  try {
    if (file === '') throw new Error('its name is empty');
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await (await open(probe, 'wx', 0o600)).close();
    await unlink(probe);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError('CREDENTIALS_FILE', `the passwords cannot be kept in "${file}": ${reason}`, {
      hint: 'name a file in a folder that you may write to, with --credentials',
      cause: error,
    });
  }
}
