/** Commands that somebody is told to type, quoted for a POSIX shell: the names in them may hold anything. */
import { join, quote } from 'shlex';

/** `shellCommand('deploy-stand', 'users', 'delete', '--user', "o'neil@pve")` is one line that means just that. */
export function shellCommand(...words: readonly string[]): string {
  return join([...words]);
}

/** One word of a command of which the rest is known. */
export function shellWord(word: string): string {
  return quote(word);
}

const USER = /--user ((?:'[^']*'|"[^"]*"|[^\s`'"])+)/g;

/**
 * What can be done for the first of many as what is done for all of them: a command that picks one user picks each. One
 * that names others already stays as it is.
 */
export function wayForAll(hint: string, who: string, others: readonly { readonly who: string }[]): string {
  const own = shellWord(who);
  if ([...hint.matchAll(USER)].some(([, word]) => word !== own)) return hint;
  const all = [own, ...others.map((other) => shellWord(other.who))].map((user) => `--user ${user}`);
  return hint.replaceAll(USER, () => all.join(' '));
}
