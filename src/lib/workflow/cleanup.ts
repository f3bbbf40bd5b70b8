/** The story of a cleanup: read, plan, remove; then, under the planning lock, give back what nothing is left of. */
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import { hasRole } from '../plan/document/step-traits.ts';
import { InternalError, StandError } from '../errors.ts';
import type { PlanningLock } from '../execute/cluster-lock.ts';
import type { RunResult, StepResult } from '../execute/types.ts';
import type { RunOutcome } from '../outcome/types.ts';
import { readInventory, type InventoryScope } from '../inventory/read.ts';
import type { GuestInfo, Inventory, PoolInfo } from '../inventory/types.ts';
import { planCleanup } from '../plan/cleanup/cleanup.ts';
import { assertWithinSaved } from '../plan/saved/removals.ts';
import type { CleanupOptions, CleanupSelection } from '../plan/cleanup/context.ts';
import { nodesToAsk } from '../plan/network/whose-guests.ts';
import {
  marksOf,
  selectedPools,
  selectedVmids,
  type Marks,
  type StandSelection,
} from '../plan/stands/selection.ts';
import { cleanupScope } from '../privileges/scopes.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import { membersOf } from './adoptable.ts';
import type { PlanContext, RunContext } from './context.ts';
import { assertWithinLimit } from './removal-limit.ts';
import { replicaVmids } from './replica-scope.ts';
import { outcomeOf, planToApply, preview, type Planned, type Preview, type Request } from './planned-run.ts';
import { runSteps, tidyLock, underPlanningLock } from './run.ts';

export interface CleanupWant {
  readonly selection: CleanupSelection;
  readonly options: CleanupOptions;
  /** Refuse a plan with more removals than this. */
  readonly maxChanges?: number;
  /** Before the first write. */
  readonly keep?: ((plan: Plan) => Promise<void>) | undefined;
  /** Refuse whatever this saved plan does not have. */
  readonly saved?: Plan;
}

/** What is expired or an orphan is looked for among all. */
function standsOf(selection: CleanupSelection): StandSelection {
  return selection.by === 'stands' ? selection : {};
}

/** Pools of which members may be removed, or taken over, that no claim names. */
function poolsReadWhole({ selection, options }: CleanupWant, marks: Marks): Set<string> {
  const stands = standsOf(selection);
  const whole = options.includeMembers ? selectedPools(stands, marks).map(({ pool }) => pool) : [];
  // What has no mark is known by the pools that the users file names.
  const named = options.adopt ? (stands.users ?? []).flatMap(({ pool }) => pool ?? []) : [];
  return new Set([...whole, ...named]);
}

/** What goes does not hang on who uses which bridge. */
function goingBy({ selection, options }: CleanupWant): (have: Inventory) => ReadonlySet<number> {
  return (have) =>
    new Set(
      planCleanup({ selection, have, options }).steps.flatMap((step) =>
        step.kind === 'vm.delete' ? [step.vmid] : [],
      ),
    );
}

function scopeOf(want: CleanupWant): InventoryScope {
  const { selection, options } = want;
  return {
    templates: [],
    allTemplates: selection.by === 'orphans',
    rights: true,
    claimed: (pools: readonly PoolInfo[], guests: readonly GuestInfo[]) => {
      const marks = marksOf(pools);
      return [
        ...selectedVmids(standsOf(selection), marks),
        ...membersOf(guests, poolsReadWhole(want, marks)),
        ...(selection.by === 'orphans' ? replicaVmids(pools) : []),
      ];
    },
    bridgeUse: (networks) => nodesToAsk(networks, options.adopt ? 'remove-adopted' : 'remove'),
    going: goingBy(want),
    tasks: true,
    // Realms and groups are asked by who makes accounts, vnets by who names bridges.
    lean: true,
  };
}

function planRequest({ selection, options }: CleanupWant, have: Inventory): Request {
  return {
    have,
    make: () => planCleanup({ selection, have, options }),
    scope: (locks) => cleanupScope(selection, have, { keepUsers: options.keepUsers, locks }),
    takesLock: (plan) => plan.steps.some(isReleasing),
  };
}

async function readAndPlan(want: CleanupWant, context: PlanContext): Promise<Planned> {
  return planToApply(planRequest(want, await readInventory(context, scopeOf(want))), context);
}

/** Says in every credentials file that knows them which users are gone: a user of two labs has a row in two files. */
export async function recordRemoved(
  plan: Plan,
  results: readonly StepResult[],
  { credentials, credentialsBeside, onTrouble }: RunContext,
): Promise<void> {
  const done = new Set(results.filter((entry) => entry.status === 'done').map((entry) => entry.id));
  const gone = plan.steps.flatMap((step) =>
    step.kind === 'user.delete' && done.has(step.id) ? [step.userid] : [],
  );
  if (gone.length === 0) return;
  const poolOf = new Map(plan.stands.map((stand) => [stand.user, stand.pool]));
  const record = async (file: CredentialsFile): Promise<void> => {
    const rows = gone.flatMap((userid) => file.row(userid) ?? []);
    await Promise.all(
      rows.map(({ userid, pool }) => file.settle(userid, 'removed', poolOf.get(userid) ?? pool)),
    );
  };
  try {
    if (credentials) await record(credentials);
    for (const file of (await credentialsBeside?.()) ?? []) await record(file);
  } catch (error) {
    if (!(error instanceof StandError)) throw error;
    onTrouble(error);
  }
}

/** What a deploy that was interrupted left is no orphan to whoever wants the class. */
function assertAllowed(plan: Plan, { selection, maxChanges }: CleanupWant): void {
  const isHalfMade = selection.by === 'orphans' && plan.steps.some(({ kind }) => kind === 'vm.delete');
  const instead = isHalfMade
    ? 'a class that a deploy left half made is finished by the same deploy again, and then nothing of it is an orphan'
    : undefined;
  assertWithinLimit(plan, maxChanges, instead);
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewCleanup(want: CleanupWant, context: PlanContext): Promise<Preview> {
  const shown = preview(planRequest(want, await readInventory(context, scopeOf(want))), context);
  assertAllowed(shown.plan, want);
  return shown;
}

/** They rewrite pool comments, which other runs rewrite too: only under the planning lock. */
function isReleasing(step: Step): boolean {
  return hasRole(step, 'gives-up');
}

/** What the plan promised to give back: done now, done before, or left because something of the stand is left. */
function mergeReleases(plan: Plan, rest: Plan, released: RunResult): StepResult[] {
  const results = new Map(released.results.map((entry) => [entry.id, entry]));
  // A pool that another run has left to this one goes, in place of being freed of one claim.
  const ofPool = new Map(
    rest.steps.flatMap((step) => {
      const entry = 'pool' in step && isReleasing(step) ? results.get(step.id) : undefined;
      return entry && 'pool' in step ? [[step.pool, entry] as const] : [];
    }),
  );
  const refused = new Map(rest.stands.flatMap(({ user, refused: why }) => (why ? [[user, why]] : [])));
  const open = new Set(rest.steps.filter((step) => !isReleasing(step)).map((step) => step.user));
  return plan.steps.filter(isReleasing).map((step): StepResult => {
    const entry = results.get(step.id) ?? ('pool' in step ? ofPool.get(step.pool) : undefined);
    if (entry) return { ...entry, id: step.id };
    const why = refused.get(step.user ?? '');
    // What the first look did not see.
    if (why) return { id: step.id, status: 'failed', ...why };
    return open.has(step.user)
      ? { id: step.id, status: 'skipped', because: 'something of the stand is still there' }
      : { id: step.id, status: 'done', outcome: 'already-done' };
  });
}

type GivesBack = (want: CleanupWant, plan: Plan, context: RunContext) => Promise<RunResult>;

interface Releasing {
  readonly plan: Plan;
  /** As it is planned now. */
  readonly rest: Plan;
  readonly under: PlanningLock;
}

/** Looks again: much has been removed by now, and what is missing from here on fails its own step. */
async function planRest(want: CleanupWant, context: RunContext): Promise<Plan> {
  return (await readAndPlan(want, { ...context, preflight: false })).plan;
}

async function releaseReady({ plan, rest, under }: Releasing, context: RunContext): Promise<RunResult> {
  const open = new Set(rest.steps.filter((step) => !isReleasing(step)).map((step) => step.id));
  // A claim waits for its VMs: what could not be removed keeps it, and is mended by the next cleanup.
  const ready = rest.steps.filter((step) => isReleasing(step) && !isBehind(step, open, rest.steps));
  const { results, interrupted } = await runSteps(
    ready.map((step) => withEdgesTo(step, ready)),
    context,
    { under },
  );
  // Among them are users that the first look left to another run.
  await recordRemoved(rest, results, context);
  return { results: mergeReleases(plan, rest, { results, interrupted }), interrupted };
}

/** Gives back what nothing is left of. */
const releaseLocked: GivesBack = (want, plan, context) =>
  underPlanningLock(context, {
    plan: () => planRest(want, context),
    apply: (rest, under) => releaseReady({ plan, rest, under }, context),
  });

/** For who holds the lock already. */
const releaseHeld =
  (under: PlanningLock): GivesBack =>
  async (want, plan, context) =>
    releaseReady({ plan, rest: await planRest(want, context), under }, context);

/** What has been removed is told, whatever comes after. */
async function release(
  plan: Plan,
  context: RunContext,
  giveBack: () => Promise<RunResult>,
): Promise<RunResult> {
  try {
    return await giveBack();
  } catch (error) {
    const left = plan.steps.filter(isReleasing);
    if (context.soft.aborted) {
      const because = 'the run was stopped';
      return { results: left.map(({ id }) => ({ id, status: 'skipped', because })), interrupted: true };
    }
    if (!(error instanceof StandError) || error instanceof InternalError) throw error;
    const { code, message, hint } = error;
    const why = { code, message, ...(hint === undefined ? {} : { hint }) };
    return { results: left.map(({ id }) => ({ id, status: 'failed', ...why })), interrupted: false };
  }
}

async function remove(
  want: CleanupWant & { readonly giveBack: GivesBack },
  { plan }: Planned,
  context: RunContext,
): Promise<RunOutcome> {
  await want.keep?.(plan);
  context.onPlan(plan);
  const removed = await runSteps(
    plan.steps.filter((step) => !isReleasing(step)),
    context,
  );
  const isDone = removed.interrupted || !plan.steps.some(isReleasing);
  const released = isDone
    ? { results: [], interrupted: removed.interrupted }
    : await release(plan, context, () => want.giveBack(want, plan, context));
  const results = [...removed.results, ...released.results];
  return outcomeOf({ plan, result: { results, interrupted: released.interrupted } });
}

/** Removes what was selected. What could not be removed stays claimed, so that the next cleanup finds it. */
export async function cleanup(want: CleanupWant, context: RunContext): Promise<RunOutcome> {
  const look = async (): Promise<Planned> => {
    const planned = await readAndPlan(want, context);
    if (want.saved) assertWithinSaved(planned.plan, want.saved);
    assertAllowed(planned.plan, want);
    return planned;
  };
  const first = await look();
  const givesUp = first.plan.steps.some(isReleasing);
  if (!givesUp) await tidyLock(first.have, context);
  // An orphan is known by what is not there, which another run may have taken away for a moment: a user that is made anew.
  // Nothing is taken from it, no right either, before that run has ended.
  if (givesUp && want.selection.by === 'orphans') {
    return underPlanningLock(context, {
      plan: look,
      apply: (again, lock) => remove({ ...want, giveBack: releaseHeld(lock) }, again, context),
    });
  }
  return remove({ ...want, giveBack: releaseLocked }, first, context);
}

/** Does the step wait, directly or not, for one of `open`? */
function isBehind(step: Step, open: ReadonlySet<string>, steps: readonly Step[]): boolean {
  const byId = new Map(steps.map((candidate) => [candidate.id, candidate]));
  const waits = (id: string): boolean => open.has(id) || (byId.get(id)?.dependsOn.some(waits) ?? false);
  return step.dependsOn.some(waits);
}

function withEdgesTo(step: Step, kept: readonly Step[]): Step {
  const ids = new Set(kept.map((candidate) => candidate.id));
  return { ...step, dependsOn: step.dependsOn.filter((id) => ids.has(id)), after: [] };
}
