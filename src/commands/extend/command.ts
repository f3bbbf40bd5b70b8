/** The flags of `extend`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { withDryRun } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { ExtendFlags } from './run.ts';

export function extendCommand(io: ProgramIo): Command {
  const command = new Command('extend')
    .description('let stands and the accounts of their users expire later')
    .action(async (_: unknown, self: Command) => {
      const { runExtend } = await import('./run.ts');
      await runExtend(io, self.optsWithGlobals<ExtendFlags>());
    });
  return withDryRun(
    withSelection(command)
      .option('--until <date>', 'the last day, YYYY-MM-DD')
      .option(
        '--by <days>',
        'days, such as 7d, from the earliest expiry that is selected (from today if past)',
      )
      .option('--shorten', 'also where it expires later by now, or never'),
  );
}
