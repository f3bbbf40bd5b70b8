/** What user.cfg does to what is written into it: one line per object, fields between colons. Knows no endpoints. */
import { splitList } from '../contract/formats.ts';

/** Spaces are not escaped, and are cut off at both ends of a field; a lone `0` is taken for nothing. */
export function storedText(text: string): string {
  const kept = text.replaceAll(/^ +| +$/g, '');
  return kept === '0' ? '' : kept;
}

/** The users that a group's line names: a comma or semicolon in a userid makes it several. */
export const listedUsers = (userid: string): string[] => splitList(userid);

/**
 * The file is written as characters and read as bytes, so that each write encodes user names beyond ASCII once more;
 * undefined when the name has become too long to be one.
 */
export function rewrittenUserid(userid: string): string | undefined {
  const recoded = Buffer.from(userid, 'utf8').toString('latin1');
  return recoded.length > 64 ? undefined : recoded;
}

/** Latin-1 is written as the bytes that it is read as; other letters are encoded once more each time. */
export function rewrittenEmail(email: string): string {
  return /[^\0-\xff]/.test(email) ? Buffer.from(email, 'utf8').toString('latin1') : email;
}

/** Auth/Plugin.pm verify_username; undefined when it is one. */
export function useridProblem(userid: string): string | undefined {
  const { length } = userid;
  if (length < 3) return `user name '${userid}' is too short`;
  if (length > 64) return `user name '${userid}' is too long (${length} > 64)`;
  if (/^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+$/.test(userid)) return undefined;
  return `value '${userid}' does not look like a valid user name`;
}
