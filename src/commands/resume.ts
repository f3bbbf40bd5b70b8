/** The command that finishes a run of one that does everything again when it is repeated: only who is not finished. */
import type { Summary } from '../lib/outcome/types.ts';

/** They narrow the selection by user, and give way to who is left. */
const BY_USER = new Set(['--user', '--only']);

function withoutUsers(argv: readonly string[]): string[] {
  return argv.filter((word, at) => {
    const [name = ''] = word.split('=', 1);
    return !BY_USER.has(name) && !BY_USER.has(argv[at - 1] ?? '');
  });
}

/** What is done stays so: whoever was reset may be at work again. */
export function resumeArgv(argv: readonly string[], { stands }: Pick<Summary, 'stands'>): readonly string[] {
  const left = stands.filter(({ status }) => status === 'incomplete' || status === 'refused');
  if (left.length === 0 || left.length === stands.length) return argv;
  return [...withoutUsers(argv), ...left.flatMap(({ user }) => ['--user', user])];
}
