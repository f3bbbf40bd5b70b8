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

/** What can be done for the first of many as what is done for all of them: a command that picks one user picks each. */
export function wayForAll(hint: string, who: string, others: readonly { readonly who: string }[]): string {
  const all = [who, ...others.map((other) => other.who)].map((user) => `--user ${shellWord(user)}`).join(' ');
  return hint.replaceAll(/--user ((?:'[^']*'|"[^"]*"|[^\s`'"])+)/g, (one, word: string) =>
    word === shellWord(who) ? all : one,
  );
}
