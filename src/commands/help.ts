/** Help for whoever asks: a group of commands on its own, and `help users sync`. */
import { Command, CommanderError } from 'commander';
import { UsageError } from '../lib/errors.ts';

function show(command: Command): void {
  command.outputHelp();
}

/** A command that only has others below it is asked what these are; commander takes that for a mistake. */
function answersOnItsOwn(command: Command): void {
  const help = (): never => {
    show(command);
    throw new CommanderError(0, 'commander.help', 'help');
  };
  Object.assign(command, { help });
}

function find(program: Command, names: readonly string[]): Command {
  let command = program;
  for (const name of names) {
    const next = command.commands.find((one) => one.name() === name);
    if (!next) {
      throw new UsageError('UNKNOWN_COMMAND', `there is no command "${names.join(' ')}"`, {
        hint: `there are: ${command.commands.map((one) => one.name()).join(', ')}`,
      });
    }
    command = next;
  }
  return command;
}

export function addHelp(program: Command): void {
  for (const command of [program, ...program.commands.filter((one) => one.commands.length > 0)]) {
    answersOnItsOwn(command);
    command.helpCommand(false);
  }
  const help = new Command('help')
    .description('help for a command')
    .argument('[command...]', 'for example: users sync')
    .action((names: readonly string[]) => show(find(program, names)));
  program.addCommand(help.copyInheritedSettings(program));
}
