/** What is wrong with the options that were given: one that takes one value is there twice, or some are missing. */
import type { Command, Option } from 'commander';
import { UsageError } from '../lib/errors.ts';
import { EXAMPLES } from './examples.ts';
import { pathOf } from './help.ts';
import { isRepeatable } from './options.ts';
import { refuseLacking } from './selection-options.ts';

function refuse({ long, flags }: Option, command: Command, values: readonly string[]): never {
  const others = command.options.filter((option) => isRepeatable(option)).map((option) => option.long);
  const hint =
    others.length === 0
      ? 'keep one of them'
      : `keep one of them; what may be repeated is ${others.join(', ')}`;
  throw new UsageError(
    'REPEATED_OPTION',
    `${long ?? flags} is given ${values.length} times (${values.join(', ')}), and takes one value`,
    { hint },
  );
}

function exampleHint(path: string): string {
  return [
    ...(EXAMPLES[path]?.slice(0, 1).map((words) => `for example: \`deploy-stand ${words}\``) ?? []),
    `\`deploy-stand ${path} --help\` lists all options`,
  ].join('; ');
}

function refuseMissingArgument(command: Command, name: string): never {
  const path = pathOf(command);
  throw new UsageError('MISSING_ARGUMENT', `${path} needs <${name}>`, { hint: exampleHint(path) });
}

/** commander names the first one only. */
function refuseMissing(command: Command): never {
  const missing = command.options
    .filter((option) => option.mandatory && command.getOptionValue(option.attributeName()) === undefined)
    .map(({ flags, argChoices }) => (argChoices ? `${flags} (${argChoices.join(', ')})` : flags));
  const names = [missing.slice(0, -1).join(', '), ...missing.slice(-1)]
    .filter((part) => part !== '')
    .join(' and ');
  const path = pathOf(command);
  const isSaved = command.getOptionValue('plan') !== undefined;
  throw new UsageError('MISSING_OPTION', `${path} needs ${names}`, {
    hint: isSaved
      ? 'a saved plan is applied with the files and options that it was made from'
      : exampleHint(path),
  });
}

interface Answering {
  unknownOption(flag: string): void;
}

/**
 * For a command and those below it. commander takes the last one of two without a word. A variable of the environment is
 * no repetition: the command line goes before it.
 */
export function checkGivenOptions(command: Command): void {
  const unknown = (command as unknown as Answering).unknownOption.bind(command);
  // Where commander looks for what is missing or unknown (commander 14, lib/command.js); there is no setting for it.
  Object.assign(command, {
    missingMandatoryOptionValue: () => refuseMissing(command),
    missingArgument: (name: string) => refuseMissingArgument(command, name),
    unknownOption: (flag: string) => {
      refuseLacking(command, flag);
      unknown(flag);
    },
  });
  for (const option of command.options) {
    if (option.isBoolean() || isRepeatable(option)) continue;
    const values: string[] = [];
    command.on(`option:${option.name()}`, (value: string | null) => {
      values.push(value ?? '');
      if (values.length > 1) refuse(option, command, values);
    });
  }
  for (const sub of command.commands) checkGivenOptions(sub);
}
