/** The words of `users sync` in hints: one place, so that status and deploy say the same. */
import { shellCommand } from '../../shell.ts';

/** With the files at hand, else those of every example. */
export function syncCommand(lab = 'lab.yml', users: readonly string[] = ['users.yml']): string {
  return shellCommand('deploy-stand', 'users', 'sync', '-c', lab, ...users.flatMap((file) => ['-u', file]));
}
