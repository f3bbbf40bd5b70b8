/** The mark of a pool that we made for others to be below it: it claims nothing, and is nobody's stand. */
import { MARK } from './fields.ts';

export const PARENT_COMMENT = `${MARK} parent`;

/** Made by us, and nobody has written anything of his own since. */
export function isParentPool(comment: string): boolean {
  return comment.trim() === PARENT_COMMENT;
}
