/** The flags of `templates`. */
import { Command } from 'commander';
import type { ProgramIo } from './io.ts';
import { durationSeconds, envOption, nameList } from './options.ts';
import type { LabFlags, PruneFlags, ReplicateFlags } from './run-templates.ts';

const TWO_HOURS = 2 * 3600;

function withNodes(command: Command, description: string): Command {
  return command.addOption(envOption('--node, --nodes <a,b>', description, 'NODES').argParser(nameList));
}

function withDryRun(command: Command): Command {
  return command
    .addOption(envOption('--dry-run', 'show the plan, change nothing'))
    .addOption(envOption('--detailed-exitcode', 'with --dry-run: exit 6 when something would change'));
}

function withLabName(command: Command): Command {
  return command.addOption(envOption('--lab-name <name>', "the lab's name, instead of `name:` in the file"));
}

function listCommand(io: ProgramIo): Command {
  const command = new Command('list')
    .description('templates, their replicas, what hangs on them, and the nodes they can be used on')
    .addOption(envOption('-c, --config <lab.yml>', 'only the templates of this lab', 'LAB'))
    .action(async (_: unknown, self: Command) => {
      const { runList } = await import('./run-templates.ts');
      await runList(io, self.optsWithGlobals<LabFlags>());
    });
  return withLabName(command);
}

function replicateCommand(io: ProgramIo): Command {
  const command = new Command('replicate')
    .description('make the replicas that a lab will need, before the class begins')
    .addOption(envOption('-c, --config <lab.yml>', 'the lab', 'LAB').makeOptionMandatory())
    .action(async (_: unknown, self: Command) => {
      const { runReplicate } = await import('./run-templates.ts');
      await runReplicate(io, self.optsWithGlobals<ReplicateFlags>());
    });
  return withDryRun(withNodes(withLabName(command), 'only these nodes (default: those of the lab)'));
}

function pruneCommand(io: ProgramIo): Command {
  const command = new Command('prune')
    .description(
      'remove replicas that are stale, half made or needed by nobody; never one with linked clones',
    )
    .addOption(
      envOption('--min-age <time>', 'leave what is younger')
        .argParser(durationSeconds)
        .default(TWO_HOURS, '2h'),
    )
    .action(async (_: unknown, self: Command) => {
      const { runPrune } = await import('./run-templates.ts');
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
