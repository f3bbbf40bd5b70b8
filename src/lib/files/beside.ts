/** Names of files in the folder of a file. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Paths as `file` was given, in order; none where the folder cannot be read. */
export function filesBeside(file: string, isMeant: (name: string) => boolean): string[] {
  const folder = dirname(file);
  try {
    return readdirSync(folder)
      .filter((name) => isMeant(name) && name !== basename(file))
      .sort()
      .map((name) => (folder === '.' ? name : join(folder, name)));
  } catch {
    return [];
  }
}
