/** The flags of `status`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { envOption, notifyOption, positiveInteger, sinceOption } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { StatusFlags } from './run.ts';

export function statusCommand(io: ProgramIo): Command {
  const command = new Command('status').description(
    'the stands as they are now, and what is wrong with them; without a selection: all of ours',
  );
  return withSelection(command)
    .addOption(envOption('--wide', 'a row for each machine'))
    .addOption(envOption('--ips', 'addresses, by the guest agent; one call for each running machine'))
    .addOption(
      envOption('--snapshots', 'snapshots, and the one that a reset goes back to; one call for each'),
    )
    .addOption(envOption('--ownership', 'whose every claimed machine is; reads those of which it is open'))
    .addOption(
      envOption('--drift', 'with -c: what students changed, field by field; reads every configuration'),
    )
    .addOption(envOption('--drift-exitcode', 'with --drift: exit 6 when anything was changed'))
    .addOption(
      envOption('--watch [seconds]', 'look again and again; elsewhere than on a terminal: tell what changed')
        .argParser(positiveInteger)
        .preset('5'),
    )
    .addOption(envOption('--metrics-file <file>', "figures for node-exporter's textfile collector"))
    .addOption(envOption('--check', 'exit 6 when there is any problem'))
    .addOption(notifyOption('tell of problems'))
    .addOption(sinceOption())
    .action(async (_: unknown, self: Command) => {
      const { runStatus } = await import('./run.ts');
      await runStatus(io, self.optsWithGlobals<StatusFlags>());
    });
}
