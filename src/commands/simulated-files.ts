/** The files of a simulation as the user names them: read and checked before anything is simulated. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../lib/errors.ts';

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function readScenario(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError('SCENARIO_FILE', `the scenario cannot be read: ${reasonOf(error)}`, {
      hint: 'name a scenario file, or leave it out for the default cluster; see examples/clusters/',
      cause: error,
    });
  }
}

/** What was simulated would be lost if the file could not be written in the end. */
export function assertStateFile(file: string): void {
  try {
    const exists = statSync(file, { throwIfNoEntry: false });
    if (exists && !exists.isFile()) throw new Error(`${file} is not a file`);
    accessSync(exists ? file : dirname(file), constants.W_OK);
  } catch (error) {
    throw new UsageError(
      'STATE_FILE',
      `the simulated cluster cannot be kept in ${file}: ${reasonOf(error)}`,
      {
        hint: 'name a file in a folder that you may write to',
        cause: error,
      },
    );
  }
}
