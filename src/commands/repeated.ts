/** Refuses an option with one value that is given twice: commander would take the last one without a word. */
import type { Command, Option } from 'commander';
import { UsageError } from '../lib/errors.ts';
import { isRepeatable } from './options.ts';

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

/** For a command and those below it. A variable of the environment is no repetition: the command line goes before it. */
export function refuseRepeated(command: Command): void {
  for (const option of command.options) {
    if (option.isBoolean() || isRepeatable(option)) continue;
    const values: string[] = [];
    command.on(`option:${option.name()}`, (value: string | null) => {
      values.push(value ?? '');
      if (values.length > 1) refuse(option, command, values);
    });
  }
  for (const sub of command.commands) refuseRepeated(sub);
}
