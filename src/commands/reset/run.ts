/** What `reset` does with its flags: select, plan, go back or clone anew, render. */
import type { Lab } from '../../lib/config/types.ts';
import { UsageError } from '../../lib/errors.ts';
import type { RecloneWords } from '../../lib/plan/day-two/reclone-hint.ts';
import { previewReclone, reclone, type RecloneWant } from '../../lib/workflow/reset.ts';
import { changeSnapshots, previewSnapshots, type SnapshotsWant } from '../../lib/workflow/snapshots.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import type { ProgramIo } from '../io.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';
import { needSelection, type ReadSelection } from '../selection.ts';
import { recloneWords } from '../same-words.ts';
import type { SelectionFlags } from '../selection-options.ts';
import { assertSnapshotName } from '../snapshot/run.ts';

export interface ResetFlags extends PlanFlags, SelectionFlags {
  readonly to?: string;
  readonly reclone?: true;
  readonly outdated?: true;
  readonly discardSnapshots?: true;
  readonly start?: true;
  readonly timeout: number;
}

function assertSense({ to, reclone: anew, outdated, discardSnapshots, config }: ResetFlags): void {
  if (to !== undefined) assertSnapshotName(to);
  if (to !== undefined && anew) {
    throw new UsageError('RESET_WAY', '--to and --reclone are two ways back', {
      hint: 'leave one of them out',
    });
  }
  if ((outdated ?? discardSnapshots) && !anew) {
    throw new UsageError(
      'RESET_WAY',
      `${outdated ? '--outdated' : '--discard-snapshots'} goes with --reclone`,
      {
        hint: 'add --reclone, or leave it out',
      },
    );
  }
  if (anew && config === undefined) {
    throw new UsageError(
      'RECLONE_LAB',
      '--reclone needs the file of the lab: it says what is cloned from what',
      {
        hint: 'use -c lab.yml with -u users.yml or --user ID, without --lab',
      },
    );
  }
}

function backWant(
  { stands: selection, lab }: ReadSelection,
  { to, start, timeout }: ResetFlags,
  words: RecloneWords,
): SnapshotsWant {
  return {
    selection,
    ...(lab ? { lab } : {}),
    work: {
      ...{ do: 'rollback', command: 'reset', start: start === true },
      ...(to === undefined ? {} : { to }),
    },
    lockWaitSeconds: timeout,
    words,
  };
}

function recloneWant(
  { stands: selection }: ReadSelection,
  lab: Lab,
  { flags, words }: { readonly flags: ResetFlags; readonly words: RecloneWords },
): RecloneWant {
  return {
    ...{ selection, lab, lockWaitSeconds: flags.timeout },
    outdated: flags.outdated === true,
    start: flags.start === true,
    discardSnapshots: flags.discardSnapshots === true,
    words,
  };
}

export async function runReset(io: ProgramIo, flags: ResetFlags): Promise<void> {
  assertSense(flags);
  await runPlanned(io, flags, async (run) => {
    const selection = await needSelection(flags, run, { command: 'reset' });
    const hasFiles = selection.lab !== undefined && flags.users !== undefined;
    const words = recloneWords(io.argv, flags);
    if (flags.reclone && selection.lab) {
      const want = recloneWant(selection, selection.lab, { flags, words });
      return {
        startsOver: { hasFiles, makesMissing: true },
        preview: (context: RunContext) => previewReclone(want, context),
        apply: (context: RunContext) => reclone(want, context),
      };
    }
    const want = backWant(selection, flags, words);
    return {
      startsOver: { hasFiles, makesMissing: false },
      preview: (context: RunContext) => previewSnapshots(want, context),
      apply: (context: RunContext) => changeSnapshots(want, context),
    };
  });
}
