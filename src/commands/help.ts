/**
 * Help for whoever asks: a group of commands on its own, `help users sync`, and `help global` for what all commands take.
 * A screen long: the options of the command itself, two examples, and of the global ones a line.
 */
import { Command, CommanderError, Help, type HelpConfiguration } from 'commander';
import { UsageError } from '../lib/errors.ts';
import { EXAMPLES } from './examples.ts';
import type { ProgramIo } from './io.ts';

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
      // Without those that only shells call.
      const there = command.createHelp().visibleCommands(command);
      throw new UsageError('UNKNOWN_COMMAND', `there is no command "${names.join(' ')}"`, {
        hint:
          there.length > 0
            ? `there are: ${there.map((one) => one.name()).join(', ')}`
            : `deploy-stand help ${pathOf(command)}`,
      });
    }
    command = next;
  }
  return command;
}

/** By its names, as it is typed and stands in EXAMPLES: `users sync`. */
export function pathOf(command: Command): string {
  const above = command.parent;
  return above?.parent ? `${pathOf(above)} ${command.name()}` : command.name();
}

const GLOBAL_LINE = 'Options of every command (--connection, --simulate, …):';
const GLOBAL_COMMAND = 'deploy-stand help global';

/** One line of 80 columns, or two: a terminal breaks neither. */
function globalLines(width: number): string[] {
  const line = `${GLOBAL_LINE} ${GLOBAL_COMMAND}`;
  return line.length <= width ? [line] : [GLOBAL_LINE, `  ${GLOBAL_COMMAND}`];
}

/** Of the whole: what a newcomer types first. */
const OF_THE_PROGRAM = ['init', 'deploy'];

/** Two: a command's own; of a group the first of its first two. */
function examplesOf(command: Command): readonly string[] {
  const own = EXAMPLES[pathOf(command)];
  if (own) return own;
  const below = command.parent ? command.commands.slice(0, 2).map((one) => pathOf(one)) : OF_THE_PROGRAM;
  return below.flatMap((path) => EXAMPLES[path]?.slice(0, 1) ?? []);
}

function afterwards(command: Command, width: number): string {
  const examples = examplesOf(command).map((example) => `  deploy-stand ${example}`);
  return ['', 'Examples:', ...examples, '', ...globalLines(width)].join('\n');
}

/** The options of the program itself, which are every command's. */
function globalHelp(program: Command): string {
  const helper = program.createHelp();
  Object.assign(helper, { helpWidth: helpWidth(program) });
  const options = program.options.filter(({ long }) => long !== '--version');
  const width = Math.max(...options.map((option) => helper.optionTerm(option).length));
  return [
    'Options of every command:',
    ...options.map((option) =>
      helper.formatItem(helper.optionTerm(option), width, helper.optionDescription(option), helper),
    ),
    '',
  ].join('\n');
}

/** Those of the program are every command's, and folded there, too. */
export const HELP_SETTINGS: HelpConfiguration = {
  sortSubcommands: false,
  /** Narrower than this commander leaves descriptions to the terminal, which breaks words. */
  minWidthToWrap: 16,
  /** That a command has options goes without saying; the width is for what it does. */
  subcommandTerm(command) {
    return Help.prototype.subcommandTerm.call(this, command).replace(' [options]', '');
  },
  visibleOptions(command) {
    const all = Help.prototype.visibleOptions.call(this, command);
    return command.parent ? all : all.filter(({ long }) => long === '--version' || long === '--help');
  },
};

function helpWidth(program: Command): number {
  return program.configureOutput().getOutHelpWidth?.() ?? USUAL_WIDTH;
}

const USUAL_WIDTH = 80;
const NARROWEST = 60;
const WIDEST = 120;

/** Of the stream that it goes to; a pipe has none. */
export function helpWidthOf({ columns = USUAL_WIDTH }: ProgramIo['stdout']): number {
  return Math.min(WIDEST, Math.max(NARROWEST, columns));
}

export function addHelp(program: Command): void {
  for (const command of [program, ...program.commands.filter((one) => one.commands.length > 0)]) {
    answersOnItsOwn(command);
    command.helpCommand(false);
  }
  const help = new Command('help')
    .description('help for a command')
    .argument('[command...]', 'for example: users sync; global: options of every command')
    .action((names: readonly string[]) => {
      if (names.length === 1 && names[0] === 'global')
        program.configureOutput().writeOut?.(globalHelp(program));
      else show(find(program, names));
    });
  program.addCommand(help.copyInheritedSettings(program));
  program.addHelpText('after', () => afterwards(program, helpWidth(program)));
  for (const command of program.commands)
    for (const one of [command, ...command.commands])
      one.addHelpText('after', () => afterwards(one, helpWidth(program)));
}
