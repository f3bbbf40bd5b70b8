/** Writes into files that users name: what people look at (pages, pictures, lists) never over something else. */
import { ConfigError } from '../errors.ts';
import { beginsLike } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { assertReplaceable, replaceFile } from '../files/replace.ts';

/** `hint`: how to name another one. */
export async function orRefuseOut(
  file: string,
  work: Promise<void>,
  hint = 'name another file with --out',
): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new ConfigError('OUT_FILE', `${file} cannot be written: ${error.message}`, {
      hint,
      cause: error,
    });
  }
}

/** Before anything is contacted. `head`: how files of its kind begin; `hint` as above. */
export function assertShownFile(file: string, head: string, hint?: string): Promise<void> {
  return orRefuseOut(file, assertReplaceable(file, { isOurs: beginsLike(head) }), hint);
}

export function writeShownFile(file: string, text: string, head: string, hint?: string): Promise<void> {
  return orRefuseOut(file, replaceFile(file, text, { isOurs: beginsLike(head) }), hint);
}
