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

/** By the names that are typed, in the order of help. */
const COMMANDS: Readonly<Record<string, (io: ProgramIo) => Command>> = {
  init: initCommand,
  deploy: deployCommand,
  cleanup: cleanupCommand,
  snapshot: snapshotCommand,
  reset: resetCommand,
  status: statusCommand,
  check: checkCommand,
  report: reportCommand,
  serve: serveCommand,
  access: accessCommand,
  extend: extendCommand,
  power: powerCommand,
  users: usersCommand,
  bridges: bridgesCommand,
  connections: connectionsCommand,
  templates: templatesCommand,
  doctor: doctorCommand,
  balance: balanceCommand,
  validate: validateCommand,
  show: showCommand,
  graph: graphCommand,
  simulate: simulateCommand,
  completion: completionCommand,
};

/** `first`: the first word of the command line. Where it is a command, no other is wanted, and none is made. */
export function createProgram(io: ProgramIo, first = ''): Command {
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
  const meant = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  const wanted = meant ? [meant] : Object.values(COMMANDS);
  for (const command of wanted.map((make) => make(io))) {
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
  program.options
    .find(({ long }) => long === '--simulate')
    ?.argParser((value: string) => {
      if (value === 'help' || Object.hasOwn(COMMANDS, value))
        throw new InvalidArgumentError('That is a command: write --simulate behind it.');
      return value;
    });
  return program;
}
