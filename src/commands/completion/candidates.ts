/** What could stand where the cursor is, from the commands and options themselves. Knows no shell. */
import type { Command, Option } from 'commander';

interface Candidate {
  readonly name: string;
  readonly description?: string;
}

/** Names that are cheap to know; asked for only where they are wanted. */
export interface Names {
  readonly connections: () => readonly string[];
  readonly labs: () => readonly string[];
  readonly starters: () => readonly Candidate[];
}

/** `files`: what the shell itself completes. */
export type Candidates = readonly Candidate[] | 'files';

/** By the name of the option's value, as `commander` keeps it. */
function valuesOf(option: Option, names: Names): Candidates {
  if (option.argChoices) return option.argChoices.map((name) => ({ name }));
  const own: Readonly<Record<string, () => readonly string[]>> = {
    connection: names.connections,
    lab: names.labs,
  };
  const known = own[option.attributeName()];
  if (known) return known().map((name) => ({ name }));
  return namesFile(option.flags) ? 'files' : [];
}

const namesFile = (text: string): boolean => /file|folder|scenario|\.(?:ya?ml|json)/.test(text);

function subcommandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ name: one.name(), description: one.description() }));
}

function optionsOf(command: Command, program: Command): Candidate[] {
  const own = command.createHelp().visibleOptions(command);
  return [...own, ...program.options]
    .flatMap(({ long, description }) => (long === undefined ? [] : [{ name: long, description }]))
    .filter(({ name }, at, all) => all.findIndex((one) => one.name === name) === at);
}

function findOption(word: string, command: Command, program: Command): Option | undefined {
  return [...command.options, ...program.options].find(({ long, short }) => word === long || word === short);
}

interface Place {
  readonly command: Command;
  /** Words that are neither commands nor options nor their values. */
  readonly given: number;
  /** The option whose value comes next. */
  readonly open: Option | undefined;
}

function placeAfter(words: readonly string[], program: Command): Place {
  let command = program;
  let given = 0;
  let open: Option | undefined;
  for (const word of words) {
    if (open) {
      const isValue = open.required || !word.startsWith('-');
      open = undefined;
      if (isValue) continue;
    }
    if (word.startsWith('-')) {
      const option = word.includes('=') ? undefined : findOption(word, command, program);
      open = option && (option.required || option.optional) ? option : undefined;
      continue;
    }
    const next = given === 0 ? command.commands.find((one) => one.name() === word) : undefined;
    if (next) command = next;
    else given += 1;
  }
  return { command, given, open };
}

/** `help users sync`: commands as they are typed, and a word for what they have in common. */
function askedFor(words: readonly string[], program: Command): Candidate[] {
  const { command, given } = placeAfter(words, program);
  if (given > 0) return [];
  return [...subcommandsOf(command), ...(command === program ? [{ name: 'global' }] : [])];
}

function argumentsOf({ command, given }: Place, names: Names): Candidates {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[given] ?? (last?.variadic ? last : undefined);
  if (!argument) return [];
  if (argument.argChoices) return argument.argChoices.map((name) => ({ name }));
  if (command.name() === 'init') return names.starters();
  return namesFile(argument.name()) ? 'files' : [];
}

const startsWith = (list: Candidates, start: string): Candidates =>
  list === 'files' ? list : list.filter(({ name }) => name.startsWith(start));

/** `words`: those before the cursor, without the program; the last one is being written, and may be empty. */
export function candidatesFor(words: readonly string[], program: Command, names: Names): Candidates {
  const current = words.at(-1) ?? '';
  if (words[0] === 'help' && words.length > 1 && !current.startsWith('-'))
    return startsWith(askedFor(words.slice(1, -1), program), current);
  const place = placeAfter(words.slice(0, -1), program);
  const { command, open } = place;
  const [flag = '', value] = current.startsWith('--') ? current.split('=', 2) : [current];
  if (value !== undefined) {
    const option = findOption(flag, command, program);
    const values = option ? valuesOf(option, names) : [];
    return values === 'files'
      ? values
      : startsWith(
          values.map((one) => ({ ...one, name: `${flag}=${one.name}` })),
          current,
        );
  }
  if (open && !(open.optional && current.startsWith('-'))) return startsWith(valuesOf(open, names), current);
  if (current.startsWith('-')) return startsWith(optionsOf(command, program), current);
  if (command.commands.length > 0 && place.given === 0) return startsWith(subcommandsOf(command), current);
  return startsWith(argumentsOf(place, names), current);
}
