/** Tells whether a file may be replaced by one with passwords in it. Reads only. */
import { lstat, readFile } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';

/** How each format of `users export` begins. */
const EXPORT =
  /^\uFEFF?(?:userid,name,login,realm,password,|\{\s*"users": \[|\| User \| Name \| Login |<!doctype html>\s*<html lang="en">[\s\S]{0,300}<meta name="robots" content="noindex">)/;

/** Somebody else's file would hand the passwords to its owner, and a link may lead anywhere. */
async function problemOf(file: string, isExport: boolean): Promise<string | undefined> {
  const stats = await lstat(file).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  });
  if (!stats) return undefined;
  if (stats.isSymbolicLink()) return 'it is a symbolic link';
  if (isExport && !stats.isFile()) return 'it is not a regular file';
  if (process.getuid !== undefined && stats.uid !== process.getuid()) return 'it belongs to another account';
  if (!isExport || stats.size === 0) return undefined;
  const isOurs = EXPORT.test(await readFile(file, 'utf8').then((text) => text.slice(0, 1000)));
  return isOurs ? undefined : 'it exists, and is no export of deploy-stand';
}

function refuse(code: string, file: string, problem: string, hint: string): never {
  throw new ConfigError(code, `${file} cannot be used: ${problem}`, { hint });
}

/** Throws ConfigError for a credentials file that is a link, or not this account's. */
export async function assertOwnCredentials(file: string): Promise<void> {
  const problem = await problemOf(file, false);
  if (problem !== undefined)
    refuse('CREDENTIALS_FILE', file, problem, 'name another file with --credentials, or move this one away');
}

/** Throws ConfigError unless the name is free, or what is there is an export of ours. */
export async function assertReplaceableExport(file: string): Promise<void> {
  const problem = await problemOf(file, true);
  if (problem !== undefined)
    refuse('OUT_FILE', file, problem, 'name another file with --out, or move this one away');
}
