/** The flags of `doctor`. */
import { Command, Option } from 'commander';
import type { ProgramIo } from '../io.ts';
import { labNameOption, labOption, usersOption } from '../options.ts';
import type { DoctorFlags } from './run.ts';

const COMMANDS = [
  'deploy',
  'cleanup',
  'access',
  'extend',
  'power',
  'snapshot',
  'reset',
  'users',
  'bridges',
  'templates',
  'balance',
  'status',
  'check',
];

export function doctorCommand(io: ProgramIo): Command {
  return new Command('doctor')
    .description('which privileges a command needs, which are missing, and the commands that grant them')
    .addOption(labOption('the lab; with -u: for exactly this class'))
    .addOption(usersOption())
    .addOption(labNameOption())
    .addOption(
      new Option('--for <command>', 'the command that is going to be run')
        .choices(COMMANDS)
        .default('deploy'),
    )
    .addOption(
      new Option('--profile <name>', "full or confined (default: as the caller's rights are)").choices([
        'full',
        'confined',
      ]),
    )
    .action(async (_: unknown, command: Command) => {
      const { runDoctor } = await import('./run.ts');
      await runDoctor(io, command.optsWithGlobals<DoctorFlags>());
    });
}
