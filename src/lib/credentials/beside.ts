/** Other credentials files of the same folder: whoever has a second lab has the passwords in the file of the first. */
import { filesBeside } from '../files/beside.ts';

const NAME = /^credentials(?:-[a-z0-9-]+)?\.csv$/;

export function credentialsFilesBeside(file: string): string[] {
  return filesBeside(file, (name) => NAME.test(name));
}
