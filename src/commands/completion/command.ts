/** `completion SHELL`, and the command that the shell then asks. The work is loaded only when it is asked for. */
import { Argument, Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { allOf } from '../options.ts';
import type { ShellName } from './run.ts';

const SHELLS = allOf<ShellName>({ bash: true, zsh: true, fish: true, powershell: true });

export function completionCommand(io: ProgramIo): Command {
  return new Command('completion')
    .description('what a shell needs to complete commands, options and names')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action(async (shell: ShellName) => {
      const { writeScript } = await import('./run.ts');
      await writeScript(io, shell);
    });
}

/** Called by the scripts above, under the name that they are made with. */
export function completionServerCommand(io: ProgramIo): Command {
  return new Command('completion-server')
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (_: unknown, __: unknown, self: Command) => {
      const { answerShell } = await import('./run.ts');
      if (self.parent) answerShell(io, self.parent);
    });
}
