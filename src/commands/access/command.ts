/** The flags of `access`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { envOption, withDryRun, withLockWait } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { FreezeFlags, ThawFlags } from './run.ts';

const ALL_LABS = 'also the other labs in the same pools: a pool is opened and closed as a whole';

function freezeCommand(io: ProgramIo): Command {
  const command = new Command('freeze')
    .description("take the students' access away, and keep in mind what it was")
    .action(async (_: unknown, self: Command) => {
      const { runFreeze } = await import('./run.ts');
      await runFreeze(io, self.optsWithGlobals<FreezeFlags>());
    });
  const flags = withSelection(command)
    .option('--all-labs', ALL_LABS)
    .addOption(envOption('--snapshot <name>', 'then take this snapshot of every machine, for grading'))
    .addOption(envOption('--stop', 'then power the machines off, which ends consoles that are open'))
    .addOption(
      envOption(
        '--suspend',
        'then suspend them to disk, which ends consoles, too, and loses nothing',
      ).conflicts('stop'),
    );
  return withDryRun(withLockWait(flags, 'with --stop or --suspend: '));
}

function thawCommand(io: ProgramIo): Command {
  const command = new Command('thaw')
    .description('give back exactly the access that a freeze took')
    .action(async (_: unknown, self: Command) => {
      const { runThaw } = await import('./run.ts');
      await runThaw(io, self.optsWithGlobals<ThawFlags>());
    });
  return withDryRun(withSelection(command).option('--all-labs', ALL_LABS));
}

export function accessCommand(io: ProgramIo): Command {
  return new Command('access')
    .description("take students' access away, and give it back")
    .addCommand(freezeCommand(io))
    .addCommand(thawCommand(io));
}
