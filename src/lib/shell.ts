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
