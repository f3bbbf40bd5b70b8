/** The story of a deploy: read, plan, reserve under the planning lock, apply, re-plan what somebody else took. */
import { hasRole } from '../plan/document/step-traits.ts';
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import type { Lab, User } from '../config/types.ts';
import { InternalError, PlanRefusedError, StandError } from '../errors.ts';
import { summarizePlan, summarizeRun, type Round } from '../execute/summary.ts';
import type { RunResult, Summary } from '../execute/types.ts';
import { readInventory, type InventoryScope } from '../inventory/read.ts';
import type { GuestInfo, Inventory, PoolInfo } from '../inventory/types.ts';
import { planDeploy, type DeployOptions } from '../plan/deploy.ts';
import { membersOf, nodesWithAdoptable } from './adoptable.ts';
import { LOCK_POOL } from '../marks/lock.ts';
import { parsePoolComment } from '../marks/pool.ts';
import { deployScope } from '../plan/privileges/scopes.ts';
import { brokenPreconditions } from '../plan/preconditions.ts';
import { foreignSteps } from '../plan/saved-plan.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import type { RunContext, RunOutcome } from './context.ts';
import { replicaVmids } from './replica-scope.ts';
import { planChecked, planPermitted, type CheckedPlan, type PlanRequest } from './preflight.ts';
import { runSteps, tidyLock, withLock } from './run.ts';
import { createSecrets, settleExisting } from './secrets.ts';
import pMap from 'p-map';

/** A deploy always has a file for its passwords. */
export type DeployContext = RunContext & { readonly credentials: CredentialsFile };

export interface DeployWant {
  readonly lab: Lab;
  readonly users: readonly User[];
  readonly options: Omit<DeployOptions, 'taken'>;
}

const MAX_ROUNDS = 3;
const PARALLEL_READS = 12;

function scopeOf({ lab, users, options }: DeployWant): InventoryScope {
  const inScope = new Set(users.map((user) => user.pool));
  return {
    templates: lab.machines.map((machine) => machine.template),
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
    ...(options.adopt ? { bridgeUse: nodesWithAdoptable } : {}),
    load: lab.placement.strategy === 'smart',
  };
}

type ReadContext = Pick<RunContext, 'pve' | 'hard' | 'caller' | 'operators' | 'preflight'>;

/** Reads the cluster and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewDeploy(
  want: DeployWant,
  context: ReadContext,
): Promise<CheckedPlan & { readonly summary: Summary }> {
  const have = await readInventory(context, scopeOf(want));
  const checked = planChecked(planRequest(want, have, { vmids: [], bridges: [] }), context);
  return { ...checked, summary: summarizePlan(checked.plan) };
}

interface Taken {
  readonly vmids: number[];
  readonly bridges: string[];
}

function planRequest(want: DeployWant, have: Inventory, taken: Taken): PlanRequest {
  return {
    have,
    make: () => planDeploy({ ...want, have, options: { ...want.options, taken } }),
    scope: (locks) => deployScope(want.lab, want.users, have, locks),
    takesLock: (plan) => needsLock(plan, have),
  };
}

async function readAndPlan(
  want: DeployWant,
  context: ReadContext,
  taken: Taken,
): Promise<{ plan: Plan; have: Inventory }> {
  const have = await readInventory(context, scopeOf(want));
  return { plan: planPermitted(planRequest(want, have, taken), context), have };
}

/**
 * A confined caller does not see the guests of others, and its claims reserve nothing in PVE: whether its new numbers are
 * free is asked one by one. Ids of former claims may have clones under way; those are waited for.
 */
async function usedVmids({ profile, preconditions }: Plan, { pve, hard }: ReadContext): Promise<number[]> {
  if (profile !== 'confined') return [];
  const fresh = preconditions.flatMap((one) => (one.kind === 'vmid-free' ? [one.vmid] : []));
  const free = await pMap(fresh, (vmid) => pve.isVmidFree(vmid, hard), { concurrency: PARALLEL_READS });
  return fresh.filter((_, at) => free[at] === false);
}

async function planUnused(
  want: DeployWant,
  context: ReadContext,
  taken: Taken,
): Promise<{ readonly plan: Plan; readonly have: Inventory }> {
  const have = await readInventory(context, scopeOf(want));
  for (;;) {
    const plan = planPermitted(planRequest(want, have, taken), context);
    const used = await usedVmids(plan, context);
    if (used.length === 0) return { plan, have };
    taken.vmids.push(...used);
  }
}

/** A lock that a killed run left behind is taken over, and so removed, by the next run that changes anything. */
function needsLock(plan: Plan, have: Inventory): boolean {
  const isLeft = have.pools.some(({ pool }) => pool === LOCK_POOL);
  return plan.steps.some((step) => isLeft || hasRole(step, 'reserves'));
}

function run(
  plan: Plan,
  want: DeployWant,
  context: DeployContext,
  onReserved?: () => Promise<void>,
): Promise<RunResult> {
  return runSteps(plan.steps, context, {
    secrets: createSecrets(want.lab, want.users, context.credentials),
    ...(onReserved ? { onReserved } : {}),
  });
}

async function runRound(want: DeployWant, context: DeployContext, taken: Taken): Promise<Round> {
  const first = await readAndPlan(want, context, taken);
  await settleExisting(first.plan, first.have, context.credentials);
  if (!needsLock(first.plan, first.have)) {
    await context.keepPlan?.(first.plan);
    await tidyLock(first.have, context);
    context.onPlan(first.plan);
    return { plan: first.plan, result: await run(first.plan, want, context) };
  }
  return withLock(context, {
    plan: async () => {
      const { plan, have } = await planUnused(want, context, taken);
      // What a killed run had under way may have come true since the first look.
      await settleExisting(plan, have, context.credentials);
      await context.keepPlan?.(plan);
      return plan;
    },
    apply: async (plan, release) => {
      context.onPlan(plan);
      return { plan, result: await run(plan, want, context, release) };
    },
  });
}

function takenBy(step: Step): { vmids?: readonly number[]; bridge?: string } {
  if (step.kind === 'pool.update') return { vmids: step.addVmids };
  if (step.kind === 'vm.clone' || step.kind === 'template.clone') return { vmids: [step.vmid] };
  return step.kind === 'bridge.create' ? { bridge: step.bridge } : {};
}

/** Notes what others took and tells whose stands have to be planned again. */
function noteTaken({ plan, result }: Round, taken: Taken): Set<string> {
  const failed = new Map(result.results.map((entry) => [entry.id, entry]));
  const again = new Set<string>();
  for (const step of plan.steps) {
    const entry = failed.get(step.id);
    if (entry?.status !== 'failed' || !/^(VMID|BRIDGE|POOL)_TAKEN$/.test(entry.code)) continue;
    const { vmids = [], bridge } = takenBy(step);
    taken.vmids.push(...vmids);
    if (bridge !== undefined && step.user !== undefined) taken.bridges.push(bridge, ...(entry.taken ?? []));
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
      context.onPhase(`planning ${users.length} stands again: others took their numbers`);
    // After the first write a stand without room is left out; the plan is not refused any more.
    const options = { ...want.options, ...(rounds.length === 0 ? {} : { fit: true }) };
    // Later rounds have written already: what is missing then fails its own step. The plan that is kept is the first one.
    const checks = rounds.length === 0 ? context : { ...context, keepPlan: undefined, preflight: false };
    const last = rounds.at(-1);
    let round: Round;
    try {
      round = await runRound({ ...want, users, options }, checks, taken);
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

function outcome(rounds: readonly Round[]): RunOutcome {
  const [first] = rounds;
  if (!first) throw new PlanRefusedError('NO_USERS', 'there is no user to deploy for');
  return { plan: first.plan, summary: summarizeRun(rounds), rounds };
}

/** Applies a saved plan as it is, iff everything it relied on still holds. Never re-plans. */
export async function applySavedPlan(
  plan: Plan,
  want: DeployWant,
  context: DeployContext,
): Promise<RunOutcome> {
  const adopt = want.options.adopt || plan.steps.some((step) => step.kind === 'vm.mark');
  const scope = scopeOf({ ...want, options: { ...want.options, adopt } });
  const check = async (): Promise<void> => {
    const have = await readInventory(context, scope);
    const used = await usedVmids(plan, context);
    const broken = [
      ...brokenPreconditions(plan, have),
      ...used.map((vmid) => `VMID ${vmid} is taken by a guest out of the caller's sight`),
    ];
    if (broken.length > 0) {
      throw new PlanRefusedError(
        'PLAN_STALE',
        ['the cluster changed since the plan was made:', ...broken].join('\n  '),
        {
          hint: 'make a new plan with --dry-run --out',
        },
      );
    }
    const foreign = foreignSteps(plan, { ...want, adopt: want.options.adopt }, have);
    if (foreign.length > 0) {
      throw new PlanRefusedError(
        'PLAN_FOREIGN',
        ['the plan reaches beyond this class:', ...foreign].join('\n  '),
        { hint: 'it was edited, or made from other files; make a new plan with --dry-run --out' },
      );
    }
    await settleExisting(plan, have, context.credentials);
    await context.keepPlan?.(plan);
  };
  const apply = async (release?: () => Promise<void>): Promise<RunOutcome> => {
    context.onPlan(plan);
    return outcome([{ plan, result: await run(plan, want, context, release) }]);
  };
  const before = await readInventory(context, scopeOf(want));
  planPermitted({ ...planRequest(want, before, { vmids: [], bridges: [] }), make: () => plan }, context);
  if (plan.steps.some((step) => hasRole(step, 'reserves')))
    return withLock(context, { plan: check, apply: (_, release) => apply(release) });
  await check();
  return apply();
}
