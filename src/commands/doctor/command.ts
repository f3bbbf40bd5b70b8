/** The flags of `doctor`. */
import { Command, Option } from 'commander';
import type { Profile } from '../../lib/plan/cluster/profile.ts';
import type { ProgramIo } from '../io.ts';
import { allOf, labNameOption, labOption, usersOption } from '../options.ts';
import type { DoctorFlags } from './run.ts';

const COMMANDS = allOf<DoctorFlags['for']>({
  deploy: true,
  cleanup: true,
  access: true,
  extend: true,
  power: true,
  snapshot: true,
  reset: true,
  users: true,
  bridges: true,
  templates: true,
  balance: true,
  status: true,
  check: true,
});

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
      new Option('--profile <name>', "full or confined (default: as the caller's rights are)").choices(
        allOf<Profile>({ full: true, confined: true }),
      ),
    )
    .action(async (_: unknown, command: Command) => {
      const { runDoctor } = await import('./run.ts');
      await runDoctor(io, command.optsWithGlobals<DoctorFlags>());
    });
}
