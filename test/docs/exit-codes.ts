/** Which options have a command end with exit code 6, by what help says of them. */
import type { Command } from 'commander';
import { EXIT } from '../../src/lib/exit.ts';

export function pendingOptions(command: Command): string[] {
  const says = new RegExp(`\\bexit ${EXIT.pending}\\b`);
  const own = command.options.flatMap(({ long, description }) =>
    says.test(description) ? (long ?? []) : [],
  );
  return [...new Set([...own, ...command.commands.flatMap(pendingOptions)])].sort();
}
