/** `validate`: checks input files; contacts nothing. */
import { Command } from 'commander';
import type { ProgramIo } from './io.ts';
import { type GlobalFlags, labNameOption, labOption, usersOption } from './options.ts';

interface ValidateFlags extends GlobalFlags {
  readonly config?: string;
  readonly users?: readonly string[];
  readonly labName?: string;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function validateCommand(io: ProgramIo): Command {
  return new Command('validate')
    .description('check lab and users files; contacts nothing')
    .addOption(labOption().makeOptionMandatory())
    .addOption(usersOption())
    .addOption(labNameOption())
    .action(async (_: unknown, command: Command) => {
      const { labelled } = await import('../lib/render/layout.ts');
      const { createOutput } = await import('./output.ts');
      const { outerBridges } = await import('./session.ts');
      const { loadWant } = await import('./class-files.ts');
      const { replugNotes } = await import('../lib/plan/stands/roles.ts');
      const { accountWarnings, labWarnings } = await import('../lib/plan/stands/expiry.ts');
      const flags = command.optsWithGlobals<ValidateFlags & { config: string }>();
      const output = createOutput(io, flags);
      const { lab, users, warnings: loaded } = loadWant(flags, outerBridges(io, flags));
      const now = new Date(io.clock.wallTime()).toISOString();
      const warnings = [...loaded, ...labWarnings(lab, now), ...accountWarnings(users, now)];
      for (const warning of warnings) output.warn(warning);
      const notes = replugNotes(lab);
      output.result(
        { valid: true, lab: lab.name, machines: lab.machines.length, users: users.length, warnings, notes },
        () =>
          `${flags.config}: lab ${lab.name}, ${count(lab.machines.length, 'machine')}` +
          (flags.users === undefined ? '' : `\n${flags.users.join(', ')}: ${count(users.length, 'user')}`) +
          '\nno problems found\n' +
          notes.map((note) => `${labelled('note', note, output).join('\n')}\n`).join(''),
      );
    });
}
