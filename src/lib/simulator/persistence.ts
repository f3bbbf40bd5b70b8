/** Saves and reads the state of a simulated cluster. Knows files, not clusters. */
import { ApplyError, ConfigError } from '../errors.ts';
import { beginsLike, readRegularFile } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { replaceFile } from '../files/replace.ts';
import { checkState } from './state-check.ts';
import type { ClusterState } from './state.ts';

const MAX_BYTES = 500 * 1024 * 1024;

/** A reader never sees half a file. The file holds the root token: mode 0600. */
export async function saveState(sim: { snapshot(): ClusterState }, file: string): Promise<void> {
  try {
    await replaceFile(file, `${JSON.stringify(sim.snapshot())}\n`, {
      mode: 0o600,
      isOurs: beginsLike('{"format":'),
    });
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new ApplyError('STATE_FILE', `the simulated cluster was not kept in ${file}: ${error.message}`, {
      hint: 'the file is as it was; make room for it, then run the same command again',
      cause: error,
    });
  }
}

function refuse(file: string, message: string): never {
  throw new ConfigError('SIMULATOR_STATE_INVALID', `${file}: ${message}`, {
    issues: [{ file, path: '', message }],
  });
}

/** Undefined when there is no such file yet. */
export function readState(file: string): ClusterState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readRegularFile(file, { maxBytes: MAX_BYTES }).bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof FileProblem && error.kind === 'missing') return undefined;
    if (error instanceof FileProblem) return refuse(file, `the state cannot be read: ${error.message}`);
    return refuse(file, 'not a state file of a simulated cluster: it is not JSON');
  }
  const found = checkState(value);
  if ('state' in found) return found.state;
  return refuse(file, `not a state file of a simulated cluster, or damaged: ${found.problem}`);
}
