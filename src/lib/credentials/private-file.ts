/** Writes files with passwords: readable by their owner only, whole or not at all. Must not print their text. */
import { ConfigError } from '../errors.ts';
import type { IsOurs } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { assertReplaceable, makeFolderOf, replaceFile } from '../files/replace.ts';

/** On disk when it resolves; a file of that name is replaced if `isOurs` knows it. Throws FileProblem. */
export async function writePrivateFile(file: string, text: string, isOurs: IsOurs): Promise<void> {
  makeFolderOf(file);
  await replaceFile(file, text, { mode: 0o600, isPrivate: true, isOurs });
}

/**
 * Throws ConfigError unless `file` can be made or replaced: passwords that cannot be kept must not be found out about
 * when half of the class is made.
 */
export async function assertPrivateFile(file: string): Promise<void> {
  try {
    if (file === '') throw new FileProblem('missing', 'its name is empty');
    makeFolderOf(file);
    await assertReplaceable(file, { isPrivate: true });
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new ConfigError('CREDENTIALS_FILE', `the passwords cannot be kept in "${file}": ${error.message}`, {
      hint: 'name a file in a folder that you may write to, with --credentials',
      cause: error,
    });
  }
}
