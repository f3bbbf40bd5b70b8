/** The flags of `init`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { envOption, labNameOption, outOption, positiveInteger } from '../options.ts';
import type { InitFlags } from './run.ts';

export function initCommand(io: ProgramIo): Command {
  return new Command('init')
    .description('a ready-made lab as files in a folder of its own; without a name: which there are')
    .argument('[template]', 'the lab, for example: router-and-hosts')
    .option('--list', 'which labs there are')
    .addOption(
      outOption('--out <folder>', "the folder (default: the lab's name)", {
        instead: 'it takes several files',
        name: 'INIT_OUT',
      }),
    )
    .addOption(
      envOption('--students <n>', 'how many users the class has').argParser(positiveInteger).default(5),
    )
    .addOption(envOption('--prefix <name>', 'how their names begin').default('student'))
    .addOption(envOption('--realm <realm>', 'the realm of their accounts').default('pve'))
    .addOption(labNameOption())
    .addOption(envOption('--from-cluster', 'name templates and a bridge that the cluster has'))
    .action(async (template: string | undefined, _: unknown, self: Command) => {
      const { runInit } = await import('./run.ts');
      await runInit(io, template, self.optsWithGlobals<InitFlags>());
    });
}
