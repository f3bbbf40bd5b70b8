/** The story of one round of balance on VMmanager 6: read, plan, ask for what the plan needs to know, move, say what is where. */
import { InternalError, PlanRefusedError } from '../errors.ts';
import { createLimits } from '../execute/limits.ts';
import { runSteps } from '../execute/scheduler.ts';
import type { RunResult } from '../execute/types.ts';
import { migrateGuest, type MigrationWitness } from '../execute/vmmanager-migrate.ts';
import { readInstallation, readVmmanagerDetails, type ReadOptions } from '../inventory/vmmanager-read.ts';
import type { VmmanagerInventory } from '../inventory/vmmanager-types.ts';
import { summarizeMoves } from '../outcome/balance-summary.ts';
import { summarizePlan, summarizeRun } from '../outcome/summary.ts';
import type { BalanceSummary } from '../outcome/types.ts';
import { chosenClusters, planVmmanager } from '../plan/balance/vmmanager/balance.ts';
import type { BalancePlan } from '../plan/document/plan.ts';
import type { VmmanagerApi } from '../vmmanager/types.ts';
import { holdBack, type BalanceOutcome, type BalanceWant } from './balance.ts';
import type { RunContext } from './context.ts';
import type { MigrationMemory } from './migration-memory.ts';
import { withLoads, type NodeMonitor } from './node-monitor.ts';

export interface VmmanagerWant extends BalanceWant {
  /** Numbers or names; empty: all clusters. */
  readonly clusters: readonly string[];
}

export interface VmmanagerContext extends Pick<
  RunContext,
  'clock' | 'soft' | 'hard' | 'onPhase' | 'onPlan' | 'onEvent'
> {
  readonly vmmanager: VmmanagerApi;
  readonly timeZone: string;
  readonly memory: MigrationMemory;
  /** How nodes are asked over SSH; absent: they are not. */
  readonly monitor?: NodeMonitor;
}

/** A plan asks for the histories of those it would like to move, finds some unfit, and asks for others. */
const MOST_ROUNDS = 50;

interface Decision {
  readonly plan: BalancePlan;
  readonly have: VmmanagerInventory;
}

function assertTargets({ nodes }: VmmanagerInventory): void {
  const online = nodes.filter((node) => node.online).length;
  if (online >= 2) return;
  throw new PlanRefusedError('NO_TARGET_NODE', `${online} of the installation's nodes is active`, {
    hint: 'balance needs two nodes that are active',
  });
}

/** An order is a row of the guest's history a moment later. */
const UNTIL_SEEN_MS = 5_000;

function optionsFor({ config }: VmmanagerWant, { memory, timeZone, hard }: VmmanagerContext): ReadOptions {
  return {
    ...{ timeZone, signal: hard, migrationTimeout: config.migrationTimeout },
    ...{ remembered: memory.records, isComplete: memory.isKept },
  };
}

/** Plans until nothing has to be read any more. */
async function settle(
  want: VmmanagerWant,
  context: VmmanagerContext,
  before: VmmanagerInventory,
): Promise<Decision> {
  const { config, clusters, evacuate } = want;
  let have = before;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const { plan, needs } = planVmmanager({ have, config, clusters, ...(evacuate ? { evacuate } : {}) });
    if (needs.histories.length + needs.targets.length === 0) return { plan, have };
    have = await readVmmanagerDetails(context.vmmanager, have, { needs, options: optionsFor(want, context) });
  }
  throw new InternalError('BALANCE_UNDECIDED', `no plan after ${MOST_ROUNDS} rounds of reading`);
}

/** What runs ordered and nobody saw to its end: only they know where to, so that it is asked for whoever else moves. */
function unfinished(
  { guests, now }: VmmanagerInventory,
  want: VmmanagerWant,
  context: VmmanagerContext,
): number[] {
  const there = new Set(guests.map(({ id }) => id));
  const since = Date.parse(now) - want.config.blacklist * 1000;
  const open = context.memory.records.filter(
    ({ vmid, status, start }) =>
      (status === 'running' || status === 'timeout') && there.has(vmid) && Date.parse(start) > since,
  );
  return [...new Set(open.map(({ vmid }) => vmid))];
}

async function decide(want: VmmanagerWant, context: VmmanagerContext): Promise<Decision> {
  const { vmmanager, hard, monitor, clock } = context;
  const seen = await readInstallation(vmmanager, hard);
  assertTargets(seen);
  const ids = new Set(chosenClusters({ have: seen, clusters: want.clusters }).map(({ id }) => id));
  const loaded = await withLoads(seen, ids, { monitor, clock, signal: hard });
  const needs = { histories: unfinished(loaded, want, context), targets: [] };
  const options = optionsFor(want, context);
  return settle(want, context, await readVmmanagerDetails(vmmanager, loaded, { needs, options }));
}

/**
 * Before the first order: a run that was killed a moment ago, or one beside this, may have ordered what no history had
 * yet. It would order the same guests, so these are looked at again.
 */
async function lookAgain(
  { plan, have }: Decision,
  want: VmmanagerWant,
  context: VmmanagerContext,
): Promise<Decision> {
  await context.clock.sleep(UNTIL_SEEN_MS, context.hard);
  const chosen = new Set(plan.balance.moves.flatMap(({ guests }) => guests.map(({ vmid }) => vmid)));
  return settle(want, context, {
    ...have,
    migrations: have.migrations.filter(({ vmid }) => !chosen.has(vmid)),
    historyOf: have.historyOf.filter((vmid) => !chosen.has(vmid)),
  });
}

/** Reads and plans; changes nothing. */
export async function previewVmmanager(
  want: VmmanagerWant,
  context: VmmanagerContext,
): Promise<{ readonly plan: BalancePlan; readonly summary: BalanceSummary }> {
  const { plan } = await decide(want, context);
  return { plan, summary: { ...summarizePlan(plan), ...summarizeMoves(plan) } };
}

function witnessOf({ memory, vmmanager }: VmmanagerContext): MigrationWitness {
  const now = (): number => vmmanager.serverTime().getTime();
  return {
    begun: (move) => memory.begun(move, now()),
    ended: (vmid, status, error) =>
      memory.ended(vmid, now(), { status, ...(error === undefined ? {} : { error }) }),
  };
}

/** Where the guests of moves that did not go through are now; one call, and only when there are such. */
async function placesAfter(
  { results }: RunResult,
  { vmmanager, hard }: VmmanagerContext,
  nodes: VmmanagerInventory['nodes'],
): Promise<Map<number, string>> {
  if (results.every(({ status }) => status === 'done')) return new Map();
  const names = new Map(nodes.map(({ id, name }) => [id, name]));
  try {
    const { rows } = await vmmanager.guests(hard);
    return new Map(rows.map(({ id, node }) => [id, names.get(node) ?? `node ${node}`]));
  } catch {
    return new Map(); // the report then says "not known"
  }
}

/** One round. `hold` sees the plan and may say why it has to wait. */
export async function balanceVmmanager(
  want: VmmanagerWant,
  context: VmmanagerContext,
  hold: (plan: BalancePlan) => string | undefined = () => undefined,
): Promise<BalanceOutcome> {
  const first = await decide(want, context);
  const waiting = hold(first.plan);
  if (waiting !== undefined) return holdBack(first.plan, waiting);
  const { plan, have } = first.plan.steps.length === 0 ? first : await lookAgain(first, want, context);
  if (plan.steps.length > 0) context.onPlan(plan);
  const { vmmanager, clock, hard } = context;
  const nodes = new Map(have.nodes.map(({ id, name }) => [name, id]));
  const io = { vmmanager, clock, signal: hard, nodes, witness: witnessOf(context) };
  const result = await runSteps(plan.steps, {
    carryOut: (step) => migrateGuest(step, io),
    ...{ clock, hard, signal: context.soft, onEvent: context.onEvent },
    limits: createLimits({ migrations: want.config.parallel }),
  });
  const places = await placesAfter(result, context, have.nodes);
  const rounds = [{ plan, result }];
  const summary: BalanceSummary = {
    ...summarizeRun(rounds),
    ...summarizeMoves(plan, { result, places }),
  };
  const isLeft = (plan.balance.remaining ?? []).length > 0 && !result.interrupted;
  const isPartial = isLeft && (summary.status === 'done' || summary.status === 'nothing-to-do');
  return { plan, summary: isPartial ? { ...summary, status: 'partial' } : summary, rounds };
}
