/** Saves and reads the state of a simulated cluster. Knows files, not clusters. */
import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { ConfigError } from '../errors.ts';
import type { ClusterState } from './state.ts';

/** Written to the side and renamed: a reader never sees half a file. The file holds the root token: mode 0600. */
export async function saveState(sim: { snapshot(): ClusterState }, file: string): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(sim.snapshot())}\n`, { mode: 0o600 });
}

function isState(value: unknown): value is ClusterState {
  return (
    typeof value === 'object' &&
    value !== null &&
    'format' in value &&
    value.format === 1 &&
    'guests' in value
  );
}

/** Undefined when there is no such file yet. */
export async function readState(file: string): Promise<ClusterState | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isState(value)) return value;
  const message = 'not a state file of a simulated cluster';
  throw new ConfigError('SIMULATOR_STATE_INVALID', `${file}: ${message}`, {
    issues: [{ file, path: '', message }],
  });
}
