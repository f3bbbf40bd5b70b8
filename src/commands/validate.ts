/** `validate`: checks input files; contacts nothing. */
import { Command } from 'commander';
import type { ProgramIo } from './io.ts';
import { envOption, type GlobalFlags } from './options.ts';

interface ValidateFlags extends GlobalFlags {
  readonly config?: string;
  readonly users?: string;
  readonly labName?: string;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function validateCommand(io: ProgramIo): Command {
  return new Command('validate')
    .description('check lab and users files; contacts nothing')
    .addOption(envOption('-c, --config <lab.yml>', 'the lab', 'LAB').makeOptionMandatory())
    .addOption(envOption('-u, --users <users.yml>', 'the class (YAML, or a CSV roster)', 'USERS'))
    .addOption(envOption('--lab-name <name>', "the lab's name, instead of `name:` in the file"))
    .action(async (_: unknown, command: Command) => {
      const { createOutput } = await import('./output.ts');
      const { outerBridges } = await import('./session.ts');
      const { loadWant } = await import('./class-files.ts');
      const { replugNotes } = await import('../lib/plan/stands/roles.ts');
      const flags = command.optsWithGlobals<ValidateFlags & { config: string }>();
      const output = createOutput(io, flags);
      const { lab, users, warnings } = loadWant(flags, outerBridges(io, flags));
      for (const warning of warnings) output.warn(warning);
      const notes = replugNotes(lab);
      output.result(
        { valid: true, lab: lab.name, machines: lab.machines.length, users: users.length, warnings, notes },
        () =>
          `${flags.config}: lab ${lab.name}, ${count(lab.machines.length, 'machine')}` +
          (flags.users === undefined ? '' : `\n${flags.users}: ${count(users.length, 'user')}`) +
          '\nno problems found\n' +
          notes.map((note) => `note: ${note}\n`).join(''),
      );
    });
}
