/** The mark of a user that we created, in its comment. A user that existed before is never marked. */
import { MARK } from './fields.ts';

/** Comment of a user that we create. A user that existed before is used, never marked. */
export function formatUserMark(since: string): string {
  return `${MARK} since=${since}`;
}

export function isUserMarked(comment: string): boolean {
  return comment.startsWith(`${MARK} since=`);
}

const DISABLED = / disabled=\S+/;

/** A user that we disabled says so, to tell it from one that somebody else did. */
export function isDisabledByUs(comment: string): boolean {
  return isUserMarked(comment) && DISABLED.test(comment);
}

/** `since`: when it was disabled; absent: it is not any more. */
export function markDisabled(comment: string, since?: string): string {
  const mark = comment.replace(DISABLED, '');
  return since === undefined ? mark : mark.replace(/ since=\S+/, (text) => `${text} disabled=${since}`);
}
