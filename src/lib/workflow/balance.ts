/** The story of one round of balance: read, plan, ask for what the plan needs to know, move, say what is where. */
import type { BalanceConfig } from '../config/balance/types.ts';
import { ConnectionError, InternalError, PlanRefusedError } from '../errors.ts';
import { summarizeMoves } from '../outcome/balance-summary.ts';
import { summarizePlan, summarizeRun } from '../outcome/summary.ts';
import { TARGET_FAILED } from '../execute/handlers/vm/migrate.ts';
import type { RunResult } from '../execute/types.ts';
import type { BalanceSummary, RunOutcome } from '../outcome/types.ts';
import { readBalance, readDetails, type BalanceReading } from '../inventory/balance-read.ts';
import { readVetoes } from '../inventory/balance-vetoes.ts';
import type { ReadContext } from '../inventory/pools.ts';
import type { Rights } from '../inventory/types.ts';
import { planBalance } from '../plan/balance/pve/balance.ts';
import type { BalanceInventory, Veto, BalanceNeeds } from '../inventory/balance-types.ts';
import { balanceScope } from '../privileges/scopes.ts';
import type { BalancePlan, Plan } from '../plan/document/plan.ts';
import type { StepOf } from '../plan/document/step.ts';
import type { PlanContext, RunContext } from './context.ts';
import { planChecked, planPermitted, type CheckedPlan, type PlanRequest } from './preflight.ts';
import { runSteps, tidyLock, withBalanceLock, underPlanningLock } from './run.ts';

export interface BalanceWant {
  /** What the command line says is in it already. */
  readonly config: BalanceConfig;
  /** Nodes to be emptied, instead of balancing. */
  readonly evacuate?: readonly string[];
}

interface Decision {
  readonly plan: BalancePlan;
  readonly have: BalanceInventory;
  readonly request: PlanRequest;
}

export interface BalancePreview extends CheckedPlan {
  readonly plan: BalancePlan;
  readonly summary: BalanceSummary;
}

export type BalanceOutcome = RunOutcome & { readonly plan: BalancePlan; readonly summary: BalanceSummary };

/** A plan asks for the details of those it would like to move, finds some of them unfit, and asks for others. */
const MOST_ROUNDS = 50;

function assertHealthy({ quorate, fenced, inventory }: BalanceReading, evacuate: boolean): void {
  if (!quorate) {
    throw new PlanRefusedError('NO_QUORUM', 'the cluster has no quorum: nothing can be moved', {
      hint: 'bring the missing nodes back, then run balance again',
    });
  }
  if (fenced.length > 0) {
    throw new PlanRefusedError('NODE_FENCED', `HA is recovering the guests of ${fenced.join(', ')}`, {
      hint: 'wait until HA is done, then run balance again',
    });
  }
  const online = inventory.nodes.filter((node) => node.online).length;
  if (online >= 2) return;
  const hint = evacuate ? 'there is no node to move guests to' : 'balance needs two nodes that are online';
  throw new PlanRefusedError('NO_TARGET_NODE', `${online} of the cluster's nodes is online`, { hint });
}

/** PVE hides loads without Sys.Audit instead of refusing; "nothing is overloaded" would be said of anything. */
function assertSeen({ inventory }: BalanceReading): void {
  if (!inventory.nodes.some((node) => node.online) || inventory.nodes.some((node) => node.memoryTotal > 0))
    return;
  throw new ConnectionError('PERMISSION_DENIED', 'the load of no node may be read', {
    hint: 'grant Sys.Audit on / to the account, and to the token where its privileges are separated',
  });
}

function migrations(plan: BalancePlan): StepOf<'vm.migrate'>[] {
  return plan.steps.filter((step) => step.kind === 'vm.migrate');
}

/** What could not be read however often it is asked for. */
function withoutUnreadable(needs: BalanceNeeds, vetoes: readonly Veto[]): BalanceNeeds {
  const known = new Set(vetoes.filter(({ target }) => target === undefined).map(({ vmid }) => vmid));
  return { ...needs, configs: needs.configs.filter((vmid) => !known.has(vmid)) };
}

/** VMs of which nothing came back: gone meanwhile, or hidden. */
function unreadable(asked: readonly number[], { inventory }: BalanceReading): Veto[] {
  const read = new Set(inventory.configs.map(({ vmid }) => vmid));
  return asked
    .filter((vmid) => !read.has(vmid))
    .map((vmid) => ({ vmid, reason: 'its configuration cannot be read' }));
}

/** The plan is made already: it took rounds of reading. */
function requestFor(plan: Plan, have: BalanceInventory, rights: Rights | undefined): PlanRequest {
  const known = {
    version: have.version,
    guests: have.guests,
    templates: [],
    vms: have.configs,
    vnets: have.vnets.map(({ vnet }) => vnet),
    roles: [],
    ...(rights ? { rights } : {}),
  };
  return {
    have: known,
    make: () => plan,
    scope: balanceScope,
    takesLock: ({ steps }) => steps.length > 0,
  };
}

/** What the caller lacks ends it early: PVE gives its word on a move only to those who may move the guest. */
async function decide(
  { config, evacuate }: BalanceWant,
  context: PlanContext,
  before: readonly Veto[] = [],
): Promise<Decision> {
  const { pve, hard, preflight = true } = context;
  let reading = await readBalance(context, {
    window: config.window,
    history: Math.max(config.cooldown, config.blacklist),
    migrationTimeout: config.migrationTimeout,
  });
  const rights = preflight ? reading.rights : undefined;
  assertHealthy(reading, evacuate !== undefined);
  // With the rights read, all that is missing is told at once.
  if (!rights) assertSeen(reading);
  const vetoes: Veto[] = [...before];
  const checked = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const have = reading.inventory;
    const decision = planBalance({ have, config, vetoes, ...(evacuate ? { evacuate } : {}) });
    const needs = withoutUnreadable(decision.needs, vetoes);
    if (needs.configs.length + needs.bridgeUse.length > 0) {
      reading = await readDetails(pve, reading, { needs, window: config.window, signal: hard });
      vetoes.push(...unreadable(needs.configs, reading));
      continue;
    }
    const { plan } = decision;
    const request = requestFor(plan, have, rights);
    if (planChecked(request, context).lacking.length > 0) return { plan, have, request };
    // Of containers PVE (9) says only what HA's rules are, and those of HA are left to it. HA itself asks nobody.
    const fresh = migrations(plan).filter(
      ({ vmid, target, container, awaited }) => !container && !awaited && !checked.has(`${vmid}>${target}`),
    );
    for (const { vmid, target } of fresh) checked.add(`${vmid}>${target}`);
    const found = await readVetoes(
      pve,
      fresh.map(({ node, vmid, target, online, storageMap = {} }) => ({
        ...{ node, vmid, target, online, mapped: Object.keys(storageMap) },
      })),
      hard,
    );
    if (found.length === 0) return { plan, have, request };
    vetoes.push(...found);
  }
  throw new InternalError('BALANCE_UNDECIDED', `no plan after ${MOST_ROUNDS} rounds of reading`);
}

/** Guests that the caller does not see are not balanced, so also a plan without moves is checked. */
async function decidePermitted(
  want: BalanceWant,
  context: PlanContext,
  vetoes?: readonly Veto[],
): Promise<Decision> {
  const decision = await decide(want, context, vetoes);
  planPermitted(decision.request, context);
  return decision;
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewBalance(want: BalanceWant, context: PlanContext): Promise<BalancePreview> {
  const { plan, request } = await decide(want, context);
  const { lacking } = planChecked(request, context);
  return { plan, lacking, summary: { ...summarizePlan(plan), ...summarizeMoves(plan) } };
}

const NOTHING: RunResult = { results: [], interrupted: false };

/** Where the guests of moves that did not go through are now; one call, and only when there are such. */
async function placesAfter(
  results: readonly RunResult[],
  { pve }: ReadContext,
): Promise<Map<number, string>> {
  if (results.every((one) => one.results.every((entry) => entry.status === 'done'))) return new Map();
  try {
    const rows = await pve.resources();
    return new Map(
      rows.flatMap(({ vmid, node }) => (vmid === undefined || node === undefined ? [] : [[vmid, node]])),
    );
  } catch {
    return new Map(); // the report then says "not known"
  }
}

/** `tries`: the plan, and what was planned anew because of targets that failed. */
async function conclude(tries: readonly [Try, ...Try[]], context: ReadContext): Promise<BalanceOutcome> {
  const [{ plan }] = tries;
  const results = tries.map(({ result }) => result);
  const places = await placesAfter(results, context);
  const moves = tries.flatMap((one) => summarizeMoves(one.plan, { result: one.result, places }).moves);
  const summary: BalanceSummary = { ...summarizeRun(tries), moves };
  const left = tries.at(-1)?.plan.balance.remaining ?? [];
  const isLeft = left.length > 0 && !results.some(({ interrupted }) => interrupted);
  const isPartial = isLeft && (summary.status === 'done' || summary.status === 'nothing-to-do');
  return { plan, summary: isPartial ? { ...summary, status: 'partial' } : summary, rounds: tries };
}

/** Nothing is done with this plan yet; it still shows what would be. */
export function holdBack(plan: BalancePlan, reason: string): BalanceOutcome {
  const held: BalancePlan = { ...plan, steps: [], balance: { ...plan.balance, verdict: 'holding', reason } };
  const rounds = [{ plan: held, result: NOTHING }];
  return { plan: held, summary: { ...summarizeRun(rounds), ...summarizeMoves(plan) }, rounds };
}

/**
 * One round. `hold` sees the first plan and may say why it has to wait. Under the planning lock the plan is made anew,
 * and its bridges are taken; another balancer is kept away until the last guest has arrived.
 */
export async function balance(
  want: BalanceWant,
  context: RunContext,
  hold: (plan: BalancePlan) => string | undefined = () => undefined,
): Promise<BalanceOutcome> {
  const first = await decidePermitted(want, context);
  const waiting = hold(first.plan);
  if (first.plan.steps.length === 0) {
    await tidyLock(first.have, context);
    return conclude([{ plan: first.plan, result: NOTHING }], context);
  }
  if (waiting !== undefined) return holdBack(first.plan, waiting);
  return withBalanceLock(context, async () => {
    const first = await attempt(want, context, []);
    const tries: [Try, ...Try[]] = [first];
    const vetoes: Veto[] = [];
    for (let last: Try = first; tries.length < MOST_TRIES && failedTargets(last).length > 0;) {
      vetoes.push(...failedTargets(last));
      const left = want.config.maxMigrations - movedBy(tries);
      if (left <= 0 && want.evacuate === undefined) break;
      const config = { ...want.config, maxMigrations: Math.max(left, 1) };
      last = await attempt({ ...want, config }, context, vetoes);
      if (last.plan.steps.length === 0) break;
      tries.push(last);
    }
    return conclude(tries, context);
  });
}

/** How often a run plans because targets failed. */
const MOST_TRIES = 3;

interface Try {
  readonly plan: BalancePlan;
  readonly result: RunResult;
}

function attempt(want: BalanceWant, context: RunContext, vetoes: readonly Veto[]): Promise<Try> {
  return underPlanningLock(context, {
    plan: () => decidePermitted(want, context, vetoes),
    apply: async ({ plan }, lock) => {
      if (plan.steps.length > 0 || vetoes.length === 0) context.onPlan(plan);
      const result = await runSteps(plan.steps, context, { lock, migrations: want.config.parallel });
      return { plan, result };
    },
  });
}

/** Targets that are to blame for a failure: within this run their guests go elsewhere. None after an interruption. */
function failedTargets({ plan, result }: Try): Veto[] {
  if (result.interrupted) return [];
  const failed = new Map(
    result.results.flatMap((entry) =>
      entry.status === 'failed' && entry.code === TARGET_FAILED ? [[entry.id, entry.message] as const] : [],
    ),
  );
  return migrations(plan).flatMap(({ id, vmid, target }) => {
    const reason = failed.get(id);
    return reason === undefined ? [] : [{ vmid, target, reason }];
  });
}

function movedBy(tries: readonly Try[]): number {
  return tries.flatMap(({ plan, result }) => {
    const done = new Set(result.results.filter(({ status }) => status === 'done').map(({ id }) => id));
    return migrations(plan).filter(({ id }) => done.has(id));
  }).length;
}
