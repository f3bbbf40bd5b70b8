/** The story of a deploy: read, plan, reserve under the planning lock, apply, re-plan what somebody else took. */
import { viewPlannedLoads } from '../plan/views/planned-load.ts';
import type { PlannedLoad } from '../plan/views/planned-load-types.ts';
import { makesNetwork } from '../plan/document/network-steps.ts';
import { nodesToAsk } from '../plan/network/whose-guests.ts';
import { hasRole } from '../plan/document/step-traits.ts';
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import type { Lab, User } from '../config/types.ts';
import { followsFrom } from '../execute/step-codes.ts';
import { InternalError, PlanRefusedError, StandError } from '../errors.ts';
import { summarizeRun } from '../outcome/summary.ts';
import type { Round, RunOutcome } from '../outcome/types.ts';
import { PARALLEL_READS } from '../inventory/parallel.ts';
import { readInventory, type InventoryScope } from '../inventory/read.ts';
import type { GuestInfo, Inventory, PoolInfo } from '../inventory/types.ts';
import type { DeployOptions } from '../plan/deploy/context.ts';
import { strategyOf } from '../plan/placement/strategies/strategies.ts';
import { planDeploy } from '../plan/deploy/deploy.ts';
import { membersOf } from './adoptable.ts';
import { LOCK_POOL } from '../marks/lock.ts';
import { parsePoolComment } from '../marks/pool.ts';
import { deployScope } from '../privileges/scopes.ts';
import type { TakenBridge } from '../plan/cluster/free-vmids.ts';
import { freshVmids } from '../plan/cluster/fresh-vmids.ts';
import { nameSome } from '../plan/document/text.ts';
import { PLAN_AGAIN } from '../plan/saved/findings.ts';
import { usersOf } from '../plan/saved/of-class.ts';
import { planAgain } from '../plan/saved/plan-again.ts';
import type { FileDigests, Plan } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import type { PlanContext, RunContext } from './context.ts';
import { assertWithinLimit } from './removal-limit.ts';
import { replicaVmids } from './replica-scope.ts';
import { runInPhases } from './phases.ts';
import {
  planToApply,
  preview,
  runStoryRound,
  type Planned,
  type Preview,
  type Request,
  type Story,
} from './planned-run.ts';
import { runSteps } from './run.ts';
import { createSecrets, settleExisting } from './secrets.ts';
import pMap from 'p-map';

/** A deploy always has a file for its passwords. */
export type DeployContext = RunContext & { readonly credentials: CredentialsFile };

/** With every option decided. Of `loadClass` alone there is a `DeployOrder`, for `createDeployStand`: the rest is as usual. */
export interface DeployWant {
  readonly lab: Lab;
  readonly users: readonly User[];
  readonly options: Omit<DeployOptions, 'taken' | 'pins'>;
  /** Refuse a plan with more removals than this. */
  readonly maxChanges?: number;
  /** Kept in the plan; a saved plan of other files is refused. */
  readonly files?: FileDigests;
}

const MAX_ROUNDS = 3;
function scopeOf({ lab, users, options }: DeployWant): InventoryScope {
  const inScope = new Set(users.map((user) => user.pool));
  return {
    templates: lab.machines.map((machine) => machine.template),
    storages: lab.machines.flatMap(({ storage }) => storage ?? []),
    rights: true,
    claimed: (pools: readonly PoolInfo[], guests: readonly GuestInfo[]) => [
      ...pools
        .filter((pool) => inScope.has(pool.pool))
        .flatMap((pool) => parsePoolComment(pool.comment).claims)
        .filter((claim) => claim.lab === lab.name)
        .flatMap((claim) => claim.vmids),
      ...replicaVmids(pools),
      ...(options.adopt ? membersOf(guests, inScope) : []),
    ],
    ...(options.adopt ? { bridgeUse: (networks) => nodesToAsk(networks, 'take-over') } : {}),
    load: strategyOf(lab).readsLoad === true,
  };
}

interface Taken {
  readonly vmids: number[];
  readonly bridges: TakenBridge[];
}

function planRequest(want: DeployWant, have: Inventory, taken: Taken): Request {
  return {
    have,
    make: () => {
      const plan = planDeploy({ ...want, have, options: { ...want.options, taken } });
      assertWithinLimit(plan, want.maxChanges);
      return plan;
    },
    scope: (locks) => deployScope(want.lab, want.users, have, locks),
    takesLock: (plan) => needsLock(plan, have),
  };
}

async function readAndPlan(want: DeployWant, context: PlanContext, taken: Taken): Promise<Planned> {
  const have = await readInventory(context, scopeOf(want));
  return planToApply(planRequest(want, have, taken), context);
}

/**
 * A confined caller does not see the guests of others, and its claims reserve nothing in PVE: whether its new numbers are
 * free is asked one by one. Ids of former claims may have clones under way; those are waited for.
 */
async function usedVmids({ plan, have }: Planned, { pve, hard }: PlanContext): Promise<number[]> {
  if (plan.profile !== 'confined') return [];
  const fresh = freshVmids(plan, have);
  const free = await pMap(fresh, (vmid) => pve.isVmidFree(vmid, hard), { concurrency: PARALLEL_READS });
  return fresh.filter((_, at) => free[at] === false);
}

/** Plans, by `plan`, until no number is left that turns out to be used. */
async function untilUnused<P extends { readonly plan: Plan }>(
  plan: (have: Inventory) => P,
  want: DeployWant,
  context: PlanContext,
  taken: Taken,
): Promise<P & { readonly have: Inventory }> {
  const have = await readInventory(context, scopeOf(want));
  for (;;) {
    const planned = { ...plan(have), have };
    const used = await usedVmids(planned, context);
    if (used.length === 0) return planned;
    taken.vmids.push(...used);
  }
}

function planUnused(want: DeployWant, context: PlanContext, taken: Taken): Promise<Planned> {
  const plan = (have: Inventory) => planToApply(planRequest(want, have, taken), context);
  return untilUnused(plan, want, context, taken);
}

export interface DeployPreview extends Preview {
  /** How full nodes are, before and after it. */
  readonly loads: readonly PlannedLoad[];
}

/** Reads the cluster and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewDeploy(want: DeployWant, context: PlanContext): Promise<DeployPreview> {
  const taken: Taken = { vmids: [], bridges: [] };
  const plan = (have: Inventory) => preview(planRequest(want, have, taken), context);
  const { plan: shown, lacking, summary, have } = await untilUnused(plan, want, context, taken);
  return { plan: shown, lacking, summary, loads: viewPlannedLoads(shown, have) };
}

async function readAndPlanAgain(saved: Plan, want: DeployWant, context: PlanContext): Promise<Planned> {
  const have = await readInventory(context, scopeOf(want));
  const make = (): Plan => planAgain(saved, { ...want, have });
  const request = { ...planRequest(want, have, { vmids: [], bridges: [] }), make };
  const planned = planToApply(request, context);
  const used = await usedVmids(planned, context);
  if (used.length === 0) return planned;
  const taken = (vmids: string): string => `taken by guests out of the caller's sight: VMID ${vmids}`;
  throw new PlanRefusedError('PLAN_STALE', taken(nameSome(used.map(String))), {
    hint: PLAN_AGAIN,
    inFull: taken(used.join(', ')),
  });
}

/** A lock that a killed run left behind is taken over, and so removed, by the next run that changes anything. */
function needsLock(plan: Plan, have: Inventory): boolean {
  const isLeft = have.pools.some(({ pool }) => pool === LOCK_POOL);
  return plan.steps.some((step) => isLeft || hasRole(step, 'reserves'));
}

interface Planning {
  readonly look: () => Promise<Planned>;
  readonly lookAgain: () => Promise<Planned>;
}

function storyOf(want: DeployWant, context: DeployContext, planning: Planning): Story {
  const { keepPlan, credentials } = context;
  return {
    ...planning,
    takesLock: ({ plan, have }) => needsLock(plan, have),
    settle: ({ plan, have }) => settleExisting(plan, have, credentials),
    ...(keepPlan ? { keep: keepPlan } : {}),
    apply: (plan, lock) =>
      runInPhases(plan.steps, context, {
        run: (steps) =>
          runSteps(steps, context, {
            secrets: createSecrets(want.lab, want.users, credentials),
            ...(lock ? { lock } : {}),
          }),
        runLater: (steps) => runSteps(steps, context),
      }),
  };
}

function takenBy(step: Step): { vmids?: readonly number[]; bridge?: Omit<TakenBridge, 'vmids'> } {
  if (step.kind === 'vm.clone' || step.kind === 'template.clone') return { vmids: [step.vmid] };
  return makesNetwork(step) ? { bridge: { bridge: step.bridge, node: step.node } } : {};
}

/** Notes what others took and tells whose stands have to be planned again. */
function noteTaken({ plan, result }: Round, taken: Taken): Set<string> {
  const failed = new Map(result.results.map((entry) => [entry.id, entry]));
  const again = new Set<string>();
  for (const step of plan.steps) {
    const entry = failed.get(step.id);
    if (entry?.status !== 'failed') continue;
    const follows = followsFrom(entry.code);
    if (follows === 'final') continue;
    const { vmids = [], bridge } = follows === 'other-number' ? takenBy(step) : {};
    taken.vmids.push(...vmids);
    if (bridge !== undefined && step.user !== undefined) {
      const named = (entry.taken ?? []).map((one) => ({ ...one, node: bridge.node }));
      taken.bridges.push({ ...bridge, vmids: [] }, ...named);
    }
    for (const stand of plan.stands) {
      if (step.user === undefined || step.user === stand.user) again.add(stand.user);
    }
  }
  return again;
}

/** In place of a later round that came to nothing: its stands are as the one before left them, and say why. */
function givenUp(
  { plan, result }: Round,
  users: readonly User[],
  { code, message, hint }: StandError,
): Round {
  const left = new Set(users.map(({ userid }) => userid));
  const refused = { code, message, ...(hint === undefined ? {} : { hint }) };
  const stands = plan.stands.filter(({ user }) => left.has(user)).map((stand) => ({ ...stand, refused }));
  return { plan: { ...plan, stands }, result };
}

/** Makes the class as the files say, or completes it. Throws before the first write, never after. */
export async function deploy(want: DeployWant, context: DeployContext): Promise<RunOutcome> {
  const taken: Taken = { vmids: [], bridges: [] };
  const rounds: Round[] = [];
  let users = want.users;
  while (rounds.length < MAX_ROUNDS && users.length > 0) {
    if (rounds.length > 0)
      context.onPhase(
        `planning ${users.length} stands again: others took their numbers, or planned meanwhile`,
      );
    // After the first write a stand without room is left out; the plan is not refused any more.
    const options = { ...want.options, ...(rounds.length === 0 ? {} : { fit: true }) };
    // The plan that is kept is the first one. Later rounds have written already: what is missing fails its own step.
    const checks = rounds.length === 0 ? context : { ...context, keepPlan: undefined, preflight: false };
    const last = rounds.at(-1);
    let round: Round;
    try {
      const rest = { ...want, users, options };
      const look = () => readAndPlan(rest, checks, taken);
      const lookAgain = () => planUnused(rest, checks, taken);
      round = await runStoryRound(storyOf(rest, checks, { look, lookAgain }), checks);
    } catch (error) {
      if (!last || !(error instanceof StandError) || error instanceof InternalError) throw error;
      rounds.push(givenUp(last, users, error));
      break;
    }
    rounds.push(round);
    if (round.result.interrupted) break;
    const again = noteTaken(round, taken);
    users = users.filter((user) => again.has(user.userid));
  }
  return outcome(rounds);
}

/** What only the run could find out is said with what the plan says. */
function withTold(plan: Plan, rounds: readonly Round[]): Plan {
  const told = rounds.flatMap(({ result }) => result.told ?? []);
  return told.length === 0 ? plan : { ...plan, warnings: [...new Set([...plan.warnings, ...told])] };
}

function outcome(rounds: readonly Round[]): RunOutcome {
  const [first] = rounds;
  if (!first) throw new PlanRefusedError('NO_USERS', 'there is no user to deploy for');
  return { plan: withTold(first.plan, rounds), summary: summarizeRun(rounds), rounds };
}

/**
 * Applies what is left of a saved plan, iff planning again with its choices finds nothing else to do. Numbers that are
 * taken meanwhile fail their stands: nothing is planned under other ones.
 */
export async function applySavedPlan(
  saved: Plan,
  want: DeployWant,
  context: DeployContext,
): Promise<RunOutcome> {
  const rest = { ...want, users: usersOf(saved, want.users) };
  const look = () => readAndPlanAgain(saved, rest, context);
  return outcome([await runStoryRound(storyOf(rest, context, { look, lookAgain: look }), context)]);
}
