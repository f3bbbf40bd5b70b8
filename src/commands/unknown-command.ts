/** What is said to a command that there is not: the one that was meant, by its spelling or by what other tools call it. */
import type { Command } from 'commander';
import { nearest } from '../lib/nearest.ts';

/** Words of Terraform, containerlab, Vagrant and the older tool. None may lead from a removal to a deploy by its spelling. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ...{ apply: 'deploy', create: 'deploy', up: 'deploy', redeploy: 'deploy' },
  ...{ plan: 'deploy --dry-run', diff: 'deploy --dry-run', drift: 'deploy --dry-run --drift-exitcode' },
  ...{ destroy: 'cleanup', delete: 'cleanup', down: 'cleanup', remove: 'cleanup', prune: 'cleanup' },
  ...{ inspect: 'status', list: 'status', ls: 'status', ps: 'status' },
  ...{ start: 'power start', stop: 'power stop', save: 'snapshot create', rollback: 'snapshot rollback' },
  ...{ new: 'init', generate: 'init', export: 'users export', import: 'users import', version: '--version' },
};

/** Replaces commander's answer, which goes by the spelling alone: `destroy` is nearest to `deploy`. */
export function answerUnknownCommands(program: Command): void {
  const names = program.commands.map((command) => command.name());
  program.on('command:*', ([word = '']: string[]) => {
    const meant = Object.hasOwn(ELSEWHERE, word) ? ELSEWHERE[word] : nearest(word, names);
    const hint = meant === undefined ? 'Commands: deploy-stand --help' : `Did you mean ${meant}?`;
    program.error(`error: unknown command '${word}'\n(${hint})`, {
      code: 'commander.unknownCommand',
    });
  });
}
