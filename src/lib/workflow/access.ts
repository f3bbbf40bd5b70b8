/** The story of `access`: read the pools of a class, plan a freeze or a thaw, apply it; claims under the planning lock. */
import type { Round, RunOutcome } from '../outcome/types.ts';
import { readSnapshots } from '../inventory/snapshots.ts';
import type { GuestInfo, PoolInfo } from '../inventory/types.ts';
import { planFreeze, type FreezeOptions } from '../plan/day-two/freeze.ts';
import { planThaw } from '../plan/day-two/thaw.ts';
import type { AccessPlan, PlannedStand } from '../plan/document/plan.ts';
import { hasRole } from '../plan/document/step-traits.ts';
import { actionable, viewStands } from '../plan/stands/selected.ts';
import { marksOf, selectedVmids, wholePools, type StandSelection } from '../plan/stands/selection.ts';
import { dayTwoScope } from '../privileges/scopes.ts';
import { untilTaken } from './access-rounds.ts';
import type { PlanContext, RunContext } from './context.ts';
import {
  outcomeOf,
  planToApply,
  preview,
  runStoryRound,
  type Preview,
  type Request,
  type Story,
} from './planned-run.ts';
import { runSteps } from './run.ts';
import { readStands, undecidedIn, type ReadStands } from './stands.ts';

interface FreezeWork extends FreezeOptions {
  readonly do: 'freeze';
}

export interface AccessWant {
  readonly selection: StandSelection;
  readonly work: FreezeWork | { readonly do: 'thaw'; readonly allLabs: boolean };
}

const whole = (selection: StandSelection, pools: readonly PoolInfo[]): StandSelection =>
  wholePools(selection, marksOf(pools));

/** Of the pools as a whole: what is done to their access is done to every lab in them. */
function read({ selection, work }: AccessWant, context: PlanContext): Promise<ReadStands> {
  return readStands(selection, context, {
    live: (pools) => selectedVmids(whole(selection, pools), marksOf(pools)),
    claimed: (pools: readonly PoolInfo[], guests: readonly GuestInfo[]) => {
      // Where the memory of a machine goes, and whether it can have a snapshot, its configuration tells.
      const keepsState = work.do === 'freeze' && (work.suspend || work.snapshot !== undefined);
      if (!keepsState) return undecidedIn(whole(selection, pools), pools, guests);
      return selectedVmids(whole(selection, pools), marksOf(pools));
    },
  });
}

async function planner({ selection, work }: AccessWant, seen: ReadStands, context: PlanContext) {
  const { have, index } = seen;
  const input = { selection, have, index };
  if (work.do === 'thaw') return () => planThaw({ ...input, options: work });
  if (work.snapshot === undefined) return () => planFreeze({ ...input, options: work });
  const machines = viewStands(wholePools(selection, index.marks), index)
    .flatMap(actionable)
    .map(({ guest }) => guest);
  const snapshots = await readSnapshots(machines, context);
  return () => planFreeze({ ...input, options: work, snapshots });
}

const takesLock = ({ steps }: Pick<AccessPlan, 'steps'>): boolean =>
  steps.some((step) => hasRole(step, 'reserves'));

async function requestOf(want: AccessWant, context: PlanContext): Promise<Request> {
  const seen = await read(want, context);
  return {
    have: seen.have,
    make: await planner(want, seen, context),
    scope: (locks) =>
      dayTwoScope('access', want.selection, seen.have, { sees: want.work.do === 'thaw', locks }),
    takesLock,
  };
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewAccess(want: AccessWant, context: PlanContext): Promise<Preview> {
  return preview(await requestOf(want, context), context);
}

function storyOf(want: AccessWant, context: RunContext): Story {
  return {
    look: async () => planToApply(await requestOf(want, context), context),
    takesLock: ({ plan }) => takesLock(plan),
    apply: (plan, lock) => runSteps(plan.steps, context, lock ? { lock } : {}),
  };
}

/** What these stands have by now, and nothing else of what a freeze does. */
function freezeAgain(
  stands: readonly PlannedStand[],
  { selection, work }: { readonly selection: StandSelection; readonly work: FreezeWork },
  context: RunContext,
): Promise<Round> {
  const { allLabs, lockWaitSeconds } = work;
  const users = stands.map(({ user, pool }) => ({ userid: user, pool }));
  const want: AccessWant = {
    selection: { ...selection, users },
    work: { do: 'freeze', allLabs, lockWaitSeconds, stop: false, suspend: false },
  };
  // What is missing from here on fails its own step: something was done already.
  const later: RunContext = {
    ...context,
    preflight: false,
    onPlan: (plan) => {
      if (plan.steps.length > 0) context.onPlan(plan);
    },
  };
  return runStoryRound(storyOf(want, later), later);
}

export async function changeAccess(want: AccessWant, context: RunContext): Promise<RunOutcome> {
  const round = await runStoryRound(storyOf(want, context), context);
  const { selection, work } = want;
  if (work.do === 'thaw') return outcomeOf(round);
  return outcomeOf(await untilTaken(round, (stands) => freezeAgain(stands, { selection, work }, context)));
}
