/** Refuses a command line of which two options name one file, where that file would be written. Opens none. */
import type { Command, Option } from 'commander';
import { UsageError } from '../lib/errors.ts';
import { isSameFile } from '../lib/files/open.ts';

interface NamedFile {
  readonly option: string;
  readonly file: string;
  readonly isWritten: boolean;
}

const WRITTEN = new Set([
  'out',
  'credentials',
  'simulateState',
  'logFile',
  'auditFile',
  'metricsFile',
  'stateFile',
  'junit',
]);

/** `<file>`, `<lab.yml>`, `[scenario]`: what stands for the value says that it is one. */
const namesFile = ({ flags }: Option): boolean => /<file>|\.(?:ya?ml|json)>|\[scenario\]/.test(flags);

/** The files that a command line and the environment name. */
export function filesNamed(command: Command): NamedFile[] {
  const values = command.optsWithGlobals<Readonly<Record<string, unknown>>>();
  const options = [command, command.parent, command.parent?.parent].flatMap((one) => one?.options ?? []);
  return options.filter(namesFile).flatMap((option) => {
    const name = option.attributeName();
    return [values[name]]
      .flat()
      .flatMap((file) =>
        typeof file === 'string' && file !== ''
          ? [{ option: option.long ?? option.flags, file, isWritten: WRITTEN.has(name) }]
          : [],
      );
  });
}

export function assertDistinctFiles(files: readonly NamedFile[]): void {
  for (const one of files.filter(({ isWritten }) => isWritten)) {
    const other = files.find(({ option, file }) => option !== one.option && isSameFile(file, one.file));
    if (!other) continue;
    throw new UsageError('SAME_FILE', `${one.option} and ${other.option} name one file: ${one.file}`, {
      hint: `name another file with ${one.option}`,
    });
  }
}
