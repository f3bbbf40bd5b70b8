/** The flags of `balance` and `balance evacuate`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { durationSeconds, envOption, nameList, positiveInteger } from '../options.ts';
import type { BalanceFlags } from './settings.ts';

function withFlags(command: Command): Command {
  return command
    .addOption(
      envOption('-c, --config <balance.yml>', 'thresholds, rules and times (default: built-in)', 'BALANCE'),
    )
    .addOption(envOption('--env-file <file>', "the VM Balancer's variables; they win over balance.yml"))
    .addOption(envOption('--dry-run', 'show what would move, change nothing'))
    .addOption(envOption('--detailed-exitcode', 'with --dry-run: exit 6 when something would move'))
    .addOption(envOption('--max-migrations <n>', 'move at most this many guests').argParser(positiveInteger))
    .addOption(envOption('--exclude-source <nodes>', 'take nothing from these nodes').argParser(nameList))
    .addOption(envOption('--exclude-target <nodes>', 'bring nothing onto these nodes').argParser(nameList))
    .addOption(envOption('--cpu-overload <ratio>', 'overloaded above so many virtual CPUs per thread'))
    .addOption(envOption('--cpu-target <ratio>', 'a target only below so many virtual CPUs per thread'))
    .addOption(envOption('--memory-overload <percent>', 'overloaded above so much memory'))
    .addOption(envOption('--memory-target <percent>', 'a target only below so much memory'))
    .addOption(envOption('--cluster-ids <ids>', 'VMmanager 6: only these clusters').argParser(nameList))
    .addOption(envOption('--state-file <file>', 'VMmanager 6: remember migrations in this file'))
    .addOption(envOption('--metrics-file <file>', 'write figures in Prometheus text format'));
}

export function balanceCommand(io: ProgramIo): Command {
  const evacuate = withFlags(new Command('evacuate'))
    .description('empty nodes for maintenance, by the same rules')
    .argument('<nodes...>', 'nodes to empty')
    .action(async (nodes: string[], _: unknown, command: Command) => {
      const { runBalance } = await import('./run.ts');
      await runBalance(io, command.optsWithGlobals<BalanceFlags>(), nodes);
    });
  return withFlags(new Command('balance'))
    .description('even out the load of the nodes; a stand moves as a whole')
    .addOption(envOption('--once', 'one round (default)'))
    .addOption(
      envOption('--interval <time>', 'a round every so often, until SIGTERM').argParser(durationSeconds),
    )
    .addCommand(evacuate)
    .action(async (_: unknown, command: Command) => {
      const { runBalance } = await import('./run.ts');
      await runBalance(io, command.optsWithGlobals<BalanceFlags>());
    });
}
