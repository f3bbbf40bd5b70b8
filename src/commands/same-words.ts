/** Words of a command line that another command takes, too, and in the same meaning: for hints that are whole commands. */

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

/** For `reset --reclone`, which needs the file of the lab. */
export function labWords(argv: readonly string[]): string[] {
  const words = sameWords(argv, 'lab');
  const hasLab = words.some((word) => /^(-c|--config)(=|$)/.test(word));
  return hasLab ? words : ['-c', 'lab.yml', ...words];
}
