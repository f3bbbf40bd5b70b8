/** The flags of `deploy`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command } from 'commander';
import { STRATEGY_NAMES } from '../../lib/config/lab/strategy-names.ts';
import type { ProgramIo } from '../io.ts';
import {
  collectValues,
  encryptToOption,
  envOption,
  labNameOption,
  labOption,
  nameList,
  outOption,
  positiveInteger,
  usersOption,
  withDryRun,
  withRemovals,
} from '../options.ts';
import type { DeployFlags } from './run.ts';

export function deployCommand(io: ProgramIo): Command {
  const command = new Command('deploy')
    .description('make the stands of a class, or complete what is partly there')
    .addOption(labOption().makeOptionMandatory())
    .addOption(usersOption().makeOptionMandatory())
    .addOption(labNameOption());
  return withRemovals(withDryRun(command), 'with --prune: ')
    .addOption(envOption('--drift-exitcode', 'with --dry-run: exit 6 when machines were changed by students'))
    .addOption(envOption('--strategy <name>', 'where stands go').choices(STRATEGY_NAMES))
    .addOption(envOption('--node <name>', 'the node of strategy specific'))
    .addOption(envOption('--nodes <a,b>', 'only these nodes').argParser(nameList))
    .addOption(envOption('--exclude <a,b>', 'not these nodes').argParser(nameList))
    .addOption(envOption('--fit', 'deploy the stands that fit, and say which do not'))
    .addOption(envOption('--only <user,…>', 'only these users of the file').argParser(nameList))
    .addOption(
      envOption('--concurrency <n>', "cap on steps at once (default: what PVE's locks allow)").argParser(
        positiveInteger,
      ),
    )
    .addOption(
      outOption('--out <plan.json>', 'save the plan; with --dry-run also as a page: plan.html', {
        instead: '--dry-run --output json prints the plan',
      }),
    )
    .addOption(envOption('--plan <plan.json>', 'apply this saved plan, if it still holds'))
    .addOption(envOption('--credentials <file>', 'passwords of new users (default: ./credentials-<lab>.csv)'))
    .addOption(encryptToOption())
    .option('--reset-passwords', 'new passwords also for users of ours who are there')
    .option('--adopt', 'take over pools without our mark, and the stands of the older Python tool in them')
    .option('--prune', 'remove machines that the lab no longer has')
    .option('--replace <machine>', 'another where one was taken out of its pool', collectValues)
    .addOption(envOption('--update-running', 'apply changes of the lab to running machines too'))
    .action(async (_: unknown, command: Command) => {
      const { runDeploy } = await import('./run.ts');
      await runDeploy(io, command.optsWithGlobals<DeployFlags>());
    });
}
