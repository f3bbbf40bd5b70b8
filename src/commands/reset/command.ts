/** The flags of `reset`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { withDryRun, withLockWait } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { ResetFlags } from './run.ts';

export function resetCommand(io: ProgramIo): Command {
  const command = new Command('reset')
    .description('bring machines back to the state in which they were handed out')
    .option('--to <snapshot>', 'go back to this snapshot (default: the baseline of each machine)')
    .option('--reclone', 'remove and clone them again, under their VMIDs, names and addresses (with -c)')
    .option(
      '--outdated',
      'with --reclone: only those whose template, or how the lab clones them, has changed since',
    )
    .option('--discard-snapshots', 'with --reclone: also those with snapshots that students took')
    .option('--start', 'switch on also what was off');
  return withDryRun(withLockWait(withSelection(command))).action(async (_: unknown, self: Command) => {
    const { runReset } = await import('./run.ts');
    await runReset(io, self.optsWithGlobals<ResetFlags>());
  });
}
