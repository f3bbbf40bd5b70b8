/** Words of a command line that another command takes, too, and in the same meaning: for hints that are whole commands. */

import type { RecloneWords } from '../lib/plan/day-two/reclone-hint.ts';
import type { SelectionFlags } from './selection-options.ts';

/** Where to is added to every command that is printed: own-words.ts. */
const OF_LAB = ['-c', '--config', '--lab-name'];

const KINDS: Readonly<Record<'lab' | 'class', ReadonlySet<string>>> = {
  lab: new Set(OF_LAB),
  class: new Set([...OF_LAB, '-u', '--users', '--only']),
};

export function sameWords(argv: readonly string[], kind: 'lab' | 'class'): string[] {
  const options = KINDS[kind];
  return argv.filter((word, at) => {
    const [name = ''] = word.split('=', 1);
    return options.has(name) || (!word.startsWith('-') && options.has(argv[at - 1] ?? ''));
  });
}

function withLab(words: readonly string[]): string[] {
  const hasLab = words.some((word) => /^(-c|--config)(=|$)/.test(word));
  return hasLab ? [...words] : ['-c', 'lab.yml', ...words];
}

/**
 * For `reset --reclone`, which needs the file of the lab. A class that `--lab` names is that of the users file; what `--user`
 * and `--node` pick no file says.
 */
export function recloneWords(
  argv: readonly string[],
  { user, node, users }: Pick<SelectionFlags, 'user' | 'node' | 'users'>,
): RecloneWords {
  const lab = withLab(sameWords(argv, 'lab'));
  if (user || node) return { lab };
  return { lab, everyone: users ? withLab(sameWords(argv, 'class')) : [...lab, '-u', 'users.yml'] };
}
