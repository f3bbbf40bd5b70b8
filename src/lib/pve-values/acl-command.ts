/** The command by which an administrator takes a right away. */
import { shellCommand } from '../shell.ts';

interface Right {
  readonly path: string;
  readonly role: string;
  readonly type: 'user' | 'group' | 'token';
}

const OPTION = { user: '--users', group: '--groups', token: '--tokens' } as const;

/** One line; the subjects have the same right. */
export function takeAwayCommand({ path, role, type }: Right, ...subjects: string[]): string {
  return shellCommand('pveum', 'acl', 'delete', path, '--roles', role, OPTION[type], subjects.join(','));
}
