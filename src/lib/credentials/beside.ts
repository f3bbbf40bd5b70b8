/** Other credentials files of the same folder: whoever has a second lab has the passwords in the file of the first. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const NAME = /^credentials(?:-[a-z0-9-]+)?\.csv$/;

export function credentialsFilesBeside(file: string): string[] {
  const folder = dirname(file);
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name) && name !== basename(file))
      .sort()
      .map((name) => (folder === '.' ? name : join(folder, name)));
  } catch {
    return [];
  }
}
