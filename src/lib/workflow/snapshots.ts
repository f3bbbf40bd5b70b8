/** The stories of `snapshot`, and of `reset` by rollback: look at stands and their snapshots, plan, apply. */
import { tellAbsent } from '../plan/day-two/pools.ts';
import type { Lab } from '../config/types.ts';
import { readMemorySizes, readSnapshotConfigs, readSnapshots } from '../inventory/snapshots.ts';
import type { Inventory } from '../inventory/types.ts';
import type { RunOutcome } from '../outcome/types.ts';
import type { Plan } from '../plan/document/plan.ts';
import { gapTexts } from '../plan/document/text.ts';
import type { RecloneWords } from '../plan/day-two/reclone-hint.ts';
import { planRollback, rollbackTargets, type RollbackOptions } from '../plan/day-two/rollback.ts';
import { listSnapshots, type SnapshotReport } from '../plan/day-two/snapshot-list.ts';
import {
  planSnapshotCreate,
  planSnapshotDelete,
  type CreateOptions,
  type SnapshotsInput,
} from '../plan/day-two/snapshots.ts';
import { baselinesOf } from '../plan/stands/snapshots.ts';
import { marksOf, selectedVmids, type StandSelection } from '../plan/stands/selection.ts';
import { standsScope } from '../privileges/scopes.ts';
import type { PlanContext, RunContext } from './context.ts';
import { planToApply, preview, runStory, type Preview, type Request } from './planned-run.ts';
import { runSteps } from './run.ts';
import { readStands } from './stands.ts';

type SnapshotWork =
  | ({ readonly do: 'create' } & CreateOptions)
  | { readonly do: 'delete'; readonly name: string }
  | ({ readonly do: 'rollback'; readonly command: 'snapshot' | 'reset' } & RollbackOptions);

export interface SnapshotsWant {
  readonly selection: StandSelection;
  /** Says how baselines are called; without it their marks do. */
  readonly lab?: Lab;
  readonly work: SnapshotWork;
  readonly lockWaitSeconds: number;
  /** Lab and connection, as the caller named them: for hints that name `reset --reclone`. */
  readonly words?: RecloneWords;
}

type Looked = SnapshotsInput & { readonly have: Inventory };

/** Configurations of the selected stands, and one list of snapshots for each selected machine. */
async function lookAtSnapshots(
  { selection, lab, lockWaitSeconds, words }: Omit<SnapshotsWant, 'work'>,
  context: PlanContext,
): Promise<Looked> {
  const { have, index, stands } = await readStands(selection, context, {
    claimed: (pools) => selectedVmids(selection, marksOf(pools)),
  });
  const guests = stands.flatMap(({ machines }) =>
    machines.flatMap(({ isSelected, verdict, guest }) =>
      isSelected && verdict === 'ours' && guest ? [guest] : [],
    ),
  );
  return {
    ...{ have, index, stands, lockWaitSeconds },
    snapshots: await readSnapshots(guests, context),
    baselines: baselinesOf(lab),
    gaps: gapTexts(have),
    ...(words ? { words } : {}),
  };
}

async function plannerOf({ work }: SnapshotsWant, looked: Looked, context: PlanContext): Promise<() => Plan> {
  if (work.do === 'create') return () => planSnapshotCreate(looked, work);
  if (work.do === 'delete') return () => planSnapshotDelete(looked, work.name);
  const targets = rollbackTargets(looked.stands, work, looked);
  const saved = await readSnapshotConfigs(targets, context);
  const { vnets, hidden } = looked.have;
  return () => planRollback(work.command, { ...looked, saved, vnets, hidden }, work);
}

async function requestOf(want: SnapshotsWant, context: PlanContext): Promise<Request> {
  const looked = await lookAtSnapshots(want, context);
  const { have } = looked;
  const make = await plannerOf(want, looked, context);
  const command = want.work.do === 'rollback' ? want.work.command : 'snapshot';
  return {
    have,
    make: () => tellAbsent(make(), { selection: want.selection, index: looked.index }),
    scope: () => standsScope(command, want.selection, have),
    takesLock: () => false,
  };
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewSnapshots(want: SnapshotsWant, context: PlanContext): Promise<Preview> {
  return preview(await requestOf(want, context), context);
}

/** No claim and no number is touched, so that no lock is taken. Throws before the first write, never after. */
export function changeSnapshots(want: SnapshotsWant, context: RunContext): Promise<RunOutcome> {
  return runStory(
    {
      look: async () => planToApply(await requestOf(want, context), context),
      takesLock: () => false,
      apply: ({ steps }) => runSteps(steps, context),
    },
    context,
  );
}

/** Every snapshot of the selected machines: a call per machine, one per saved memory, and one per storage of those. */
export async function reportSnapshots(
  want: Pick<SnapshotsWant, 'selection' | 'lab'>,
  context: PlanContext,
): Promise<SnapshotReport> {
  const looked = await lookAtSnapshots({ ...want, lockWaitSeconds: 0 }, context);
  const saved = looked.stands.flatMap(({ machines }) =>
    machines.flatMap(({ vmid, guest }) =>
      (looked.snapshots.get(vmid) ?? []).flatMap(({ name, withMemory }) =>
        guest && withMemory ? [{ ...guest, snapshot: name }] : [],
      ),
    ),
  );
  return listSnapshots(looked, { now: looked.have.now, sizes: await readMemorySizes(saved, context) });
}
