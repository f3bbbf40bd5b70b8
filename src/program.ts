/** Builds the commander program. Knows flags and descriptions only. */
import { Command, InvalidArgumentError } from 'commander';
import { accessCommand } from './commands/access/command.ts';
import { balanceCommand } from './commands/balance/command.ts';
import { bridgesCommand } from './commands/bridges/command.ts';
import { checkCommand } from './commands/check/command.ts';
import { cleanupCommand } from './commands/cleanup/command.ts';
import { completionCommand, completionServerCommand } from './commands/completion/command.ts';
import { connectionsCommand } from './commands/connections/command.ts';
import { deployCommand } from './commands/deploy/command.ts';
import { doctorCommand } from './commands/doctor/command.ts';
import { extendCommand } from './commands/extend/command.ts';
import { assertDistinctFiles, filesNamed } from './commands/distinct-files.ts';
import { readEnvironment } from './commands/environment.ts';
import { graphCommand } from './commands/graph/command.ts';
import { addHelp, HELP_SETTINGS, helpWidthOf } from './commands/help.ts';
import { initCommand } from './commands/init/command.ts';
import type { ProgramIo } from './commands/io.ts';
import { addGlobalOptions } from './commands/options.ts';
import { checkGivenOptions } from './commands/given-options.ts';
import { reportCommand } from './commands/report/command.ts';
import { resetCommand } from './commands/reset/command.ts';
import { serveCommand } from './commands/serve/command.ts';
import { showCommand } from './commands/show.ts';
import { powerCommand } from './commands/power/command.ts';
import { simulateCommand } from './commands/simulate/command.ts';
import { snapshotCommand } from './commands/snapshot/command.ts';
import { statusCommand } from './commands/status/command.ts';
import { templatesCommand } from './commands/templates/command.ts';
import { answerUnknownCommands } from './commands/unknown-command.ts';
import { usersCommand } from './commands/users/command.ts';
import { validateCommand } from './commands/validate.ts';
import { readPackageFile } from './lib/files/package.ts';

export function createProgram(io: ProgramIo): Command {
  const { version } = JSON.parse(readPackageFile('package.json')) as { version: string };
  const program = addGlobalOptions(new Command('deploy-stand'))
    .description('training labs for a whole class on Proxmox VE')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // commander would ask the process; our help has no colours.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => helpWidthOf(io.stdout),
      getErrHelpWidth: () => helpWidthOf(io.stderr),
    })
    .configureHelp(HELP_SETTINGS)
    .showSuggestionAfterError();
  for (const command of [
    initCommand(io),
    deployCommand(io),
    cleanupCommand(io),
    snapshotCommand(io),
    resetCommand(io),
    statusCommand(io),
    checkCommand(io),
    reportCommand(io),
    serveCommand(io),
    accessCommand(io),
    extendCommand(io),
    powerCommand(io),
    usersCommand(io),
    bridgesCommand(io),
    connectionsCommand(io),
    templatesCommand(io),
    doctorCommand(io),
    balanceCommand(io),
    validateCommand(io),
    showCommand(io),
    graphCommand(io),
    simulateCommand(io),
    completionCommand(io),
  ]) {
    // addCommand does not inherit exitOverride and the streams by itself.
    program.addCommand(command.copyInheritedSettings(program));
    for (const sub of command.commands) sub.copyInheritedSettings(program);
  }
  program.addCommand(completionServerCommand(io).copyInheritedSettings(program), { hidden: true });
  checkGivenOptions(program);
  addHelp(program);
  answerUnknownCommands(program);
  readEnvironment(program, io.env);
  program.hook('preAction', (_, action) => assertDistinctFiles(filesNamed(action)));
  const names = new Set(program.commands.map((command) => command.name()));
  program.options
    .find(({ long }) => long === '--simulate')
    ?.argParser((value: string) => {
      if (names.has(value)) throw new InvalidArgumentError('That is a command: write --simulate behind it.');
      return value;
    });
  return program;
}
