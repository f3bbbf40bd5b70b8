/** The files of a simulation as the user names them: read and checked before anything is simulated. */
import { readTextFile } from '../lib/config/input/read-text.ts';
import { ConfigError, UsageError } from '../lib/errors.ts';
import { FileProblem } from '../lib/files/problem.ts';
import { assertReplaceable } from '../lib/files/replace.ts';

export function readScenario(file: string): string {
  try {
    return readTextFile(file).text;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const reason = error.issues[0]?.message ?? error.message;
    throw new UsageError('SCENARIO_FILE', `the scenario ${file} cannot be read: ${reason}`, {
      hint: 'name a scenario file, or leave it out for the default cluster; see examples/clusters/',
      cause: error,
    });
  }
}

/** What was simulated would be lost if the file could not be written in the end. */
export async function assertStateFile(file: string): Promise<void> {
  try {
    await assertReplaceable(file);
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new UsageError('STATE_FILE', `the simulated cluster cannot be kept in ${file}: ${error.message}`, {
      hint: 'name a file in a folder that you may write to',
      cause: error,
    });
  }
}

/** Of an installation of VMmanager 6 nothing is kept. */
export function assertNoState({ simulateState }: { readonly simulateState?: string }): void {
  if (simulateState === undefined) return;
  throw new UsageError('SIMULATE_STATE', '--simulate-state keeps a simulated Proxmox VE only', {
    hint: 'leave it out: each run begins with what the scenario says',
  });
}

/** Whoever names the file of a rehearsal means no real cluster. */
export function assertSimulated({ simulateState }: { readonly simulateState?: string }): void {
  if (simulateState === undefined) return;
  throw new UsageError('STATE_UNUSED', '--simulate-state has no meaning without --simulate', {
    hint: 'add --simulate to rehearse; to reach a cluster leave it out, and DEPLOY_STAND_SIMULATE_STATE too',
  });
}
