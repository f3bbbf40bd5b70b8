/** Writes what people look at (pages, pictures, lists) into a file that they name; never over something else. */
import { ConfigError } from '../errors.ts';
import { beginsLike } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { assertReplaceable, replaceFile } from '../files/replace.ts';

async function orRefuse(file: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new ConfigError('OUT_FILE', `${file} cannot be written: ${error.message}`, {
      hint: 'name another file with --out',
      cause: error,
    });
  }
}

/** Before anything is contacted. `head`: how files of its kind begin. */
export function assertShownFile(file: string, head: string): Promise<void> {
  return orRefuse(file, assertReplaceable(file, { isOurs: beginsLike(head) }));
}

export function writeShownFile(file: string, text: string, head: string): Promise<void> {
  return orRefuse(file, replaceFile(file, text, { isOurs: beginsLike(head) }));
}
