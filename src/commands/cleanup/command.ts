/** The flags of `cleanup`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { encryptToOption, envOption, minAgeOption, outOption, withDryRun, withRemovals } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { CleanupFlags } from './run.ts';

export function cleanupCommand(io: ProgramIo): Command {
  const command = new Command('cleanup').description(
    'remove stands: machines, networks, rights, pools and users, and nothing else',
  );
  return withRemovals(withDryRun(withSelection(command)))
    .option('--expired', 'labs and users past their expiry')
    .option('--orphans', 'what is ours and belongs to no stand')
    .addOption(envOption('--keep-users', 'leave user, pool and password for the next lab'))
    .option('--adopt', 'also remove unmarked stands of the older Python tool (with -c and -u)')
    .option('--include-members', 'also remove machines that students made in the pools of these stands')
    .addOption(minAgeOption('with --orphans: leave what is younger'))
    .addOption(
      envOption('--credentials <file>', 'passwords file to bring up to date (default: that of deploy)'),
    )
    .addOption(encryptToOption())
    .addOption(
      outOption('--out <plan.json>', 'save the plan', { instead: '--dry-run --output json prints the plan' }),
    )
    .addOption(
      envOption('--plan <plan.json>', 'remove no more than this saved plan does; with the same selection'),
    )
    .action(async (_: unknown, command: Command) => {
      const { runCleanup } = await import('./run.ts');
      await runCleanup(io, command.optsWithGlobals<CleanupFlags>());
    });
}
