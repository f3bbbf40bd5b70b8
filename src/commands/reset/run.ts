/** What `reset` does with its flags: select, plan, go back, render. */
import { changeSnapshots, previewSnapshots, type SnapshotsWant } from '../../lib/workflow/snapshots.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import type { ProgramIo } from '../io.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';
import { needSelection } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';
import { assertSnapshotName } from '../snapshot/run.ts';

export interface ResetFlags extends PlanFlags, SelectionFlags {
  readonly to?: string;
  readonly start?: true;
  readonly timeout: number;
}

export async function runReset(io: ProgramIo, flags: ResetFlags): Promise<void> {
  const { to, timeout } = flags;
  if (to !== undefined) assertSnapshotName(to);
  await runPlanned(io, flags, async (run) => {
    const { stands: selection, lab } = await needSelection(flags, run, { command: 'reset' });
    const want: SnapshotsWant = {
      selection,
      ...(lab ? { lab } : {}),
      work: {
        ...{ do: 'rollback', command: 'reset', start: flags.start === true },
        ...(to === undefined ? {} : { to }),
      },
      lockWaitSeconds: timeout,
    };
    return {
      preview: (context: RunContext) => previewSnapshots(want, context),
      apply: (context: RunContext) => changeSnapshots(want, context),
    };
  });
}
