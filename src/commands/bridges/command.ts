/** The flags of `bridges`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { envOption, minAgeOption, nameList, withDryRun, withNodes } from '../options.ts';
import type { CreateFlags, NodeFlags, PruneFlags } from './run.ts';

function listCommand(io: ProgramIo): Command {
  const command = new Command('list')
    .description('every bridge per node: whose it is, its state, and which guests use it')
    .action(async (_: unknown, self: Command) => {
      const { runList } = await import('./run.ts');
      await runList(io, self.optsWithGlobals<NodeFlags>());
    });
  return withNodes(command, 'only these nodes');
}

function createCommand(io: ProgramIo): Command {
  const command = new Command('create')
    .description('create reserved bridges: shared by all stands, never removed')
    .argument('<names>', 'names, separated by commas', nameList)
    .addOption(envOption('--vlan-aware', 'for networks with VLAN tags'))
    .action(async (names: string[], _: unknown, self: Command) => {
      const { runCreate } = await import('./run.ts');
      await runCreate(io, self.optsWithGlobals<CreateFlags>(), names);
    });
  return withDryRun(withNodes(command, 'only these nodes (default: all)'));
}

function pruneCommand(io: ProgramIo): Command {
  const command = new Command('prune')
    .description('remove bridges of stands that no guest names; apply what an earlier run left unapplied')
    .addOption(minAgeOption('leave what is younger'))
    .action(async (_: unknown, self: Command) => {
      const { runPrune } = await import('./run.ts');
      await runPrune(io, self.optsWithGlobals<PruneFlags>());
    });
  return withDryRun(withNodes(command, 'only these nodes'));
}

export function bridgesCommand(io: ProgramIo): Command {
  return new Command('bridges')
    .description('list, create and prune the bridges of the nodes')
    .addCommand(listCommand(io))
    .addCommand(createCommand(io))
    .addCommand(pruneCommand(io));
}
