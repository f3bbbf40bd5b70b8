/** The flags of `templates`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { labNameOption, labOption, minAgeOption, withDryRun, withNodes } from '../options.ts';
import type { LabFlags, PruneFlags, ReplicateFlags } from './run.ts';

function withLabName(command: Command): Command {
  return command.addOption(labNameOption());
}

function listCommand(io: ProgramIo): Command {
  const command = new Command('list')
    .description('templates, their replicas, what hangs on them, and the nodes they can be used on')
    .addOption(labOption('only the templates of this lab'))
    .action(async (_: unknown, self: Command) => {
      const { runList } = await import('./run.ts');
      await runList(io, self.optsWithGlobals<LabFlags>());
    });
  return withLabName(command);
}

function replicateCommand(io: ProgramIo): Command {
  const command = new Command('replicate')
    .description('make the replicas that a lab will need, before the class begins')
    .addOption(labOption().makeOptionMandatory())
    .action(async (_: unknown, self: Command) => {
      const { runReplicate } = await import('./run.ts');
      await runReplicate(io, self.optsWithGlobals<ReplicateFlags>());
    });
  return withDryRun(withNodes(withLabName(command), 'only these nodes (default: those of the lab)'));
}

function pruneCommand(io: ProgramIo): Command {
  const command = new Command('prune')
    .description(
      'remove replicas that are stale, half made or needed by nobody; never one with linked clones',
    )
    .addOption(minAgeOption('leave what is younger'))
    .action(async (_: unknown, self: Command) => {
      const { runPrune } = await import('./run.ts');
      await runPrune(io, self.optsWithGlobals<PruneFlags>());
    });
  return withDryRun(withNodes(command, 'only these nodes'));
}

export function templatesCommand(io: ProgramIo): Command {
  return new Command('templates')
    .description('list templates, make and remove their replicas on other nodes')
    .addCommand(listCommand(io))
    .addCommand(replicateCommand(io))
    .addCommand(pruneCommand(io));
}
