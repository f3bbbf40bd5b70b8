/** The stories of `templates`: list; make copies before a class; remove those that nobody needs. */
import type { Lab } from '../config/types.ts';
import { summarizePlan, summarizeRun } from '../execute/summary.ts';
import type { RunResult, StepResult, Summary } from '../execute/types.ts';
import { readInventory, type InventoryScope } from '../inventory/read.ts';
import type { Inventory, PoolInfo } from '../inventory/types.ts';
import { parsePoolComment } from '../plan/marks.ts';
import { planReplicate } from '../plan/replicate.ts';
import { viewTemplates, type TemplateReport } from '../plan/template-view.ts';
import { planPrune } from '../plan/templates-prune.ts';
import type { Plan, Step } from '../plan/types.ts';
import type { RunContext, RunOutcome } from './context.ts';
import { replicaVmids } from './replica-scope.ts';
import { runSteps, withLock } from './run.ts';

export type TemplatesWant =
  | { readonly do: 'replicate'; readonly lab: Lab; readonly nodes?: readonly string[] }
  | { readonly do: 'prune'; readonly minAgeSeconds: number; readonly nodes?: readonly string[] };

type Reader = Pick<RunContext, 'pve' | 'hard'>;

function claimedVmids(pools: readonly PoolInfo[]): number[] {
  return pools.flatMap(({ comment }) => parsePoolComment(comment).claims.flatMap(({ vmids }) => vmids));
}

function read({ pve, hard }: Reader, scope: Partial<InventoryScope>): Promise<Inventory> {
  return readInventory(pve, { templates: [], claimed: replicaVmids, ...scope }, hard);
}

/** What hangs on a copy is only seen in the configurations of all VMs of ours: one call each. */
function readUses(context: Reader): Promise<Inventory> {
  return read(context, {
    allTemplates: true,
    claimed: (pools) => [...replicaVmids(pools), ...claimedVmids(pools)],
    tasks: true,
    rights: true,
  });
}

async function readAndPlan(want: TemplatesWant, context: Reader, releaseOnly = false): Promise<Plan> {
  const { nodes } = want;
  if (want.do === 'replicate') {
    const templates = want.lab.machines.map((machine) => machine.template);
    return planReplicate({ lab: want.lab, have: await read(context, { templates, rights: true }), nodes });
  }
  const { minAgeSeconds } = want;
  return planPrune({ have: await readUses(context), minAgeSeconds, nodes, releaseOnly });
}

/** Templates of the lab, or all. */
export async function listTemplates(lab: Lab | undefined, context: Reader): Promise<TemplateReport> {
  return viewTemplates(await readUses(context), lab);
}

/** Reads and plans; changes nothing. */
export async function previewTemplates(
  want: TemplatesWant,
  context: Reader,
): Promise<{ readonly plan: Plan; readonly summary: Summary }> {
  const plan = await readAndPlan(want, context);
  return { plan, summary: summarizePlan(plan) };
}

const isRelease = ({ kind }: Step): boolean => kind === 'pool.release' || kind === 'pool.delete';

/** Claims go with what they tell of: those of copies that could not be removed stay. */
async function removeAndRelease(want: TemplatesWant, plan: Plan, context: RunContext): Promise<RunResult> {
  const removed = await runSteps(
    plan.steps.filter((step) => !isRelease(step)),
    context,
  );
  const wanted = plan.steps.find(isRelease);
  if (removed.interrupted || !wanted) return removed;
  const rest = await readAndPlan(want, context, true);
  const released = await runSteps(rest.steps, context);
  const failed = released.results.find((entry) => entry.status === 'failed');
  const end: StepResult = failed
    ? { ...failed, id: wanted.id }
    : rest.steps.some(({ id }) => id === wanted.id)
      ? { id: wanted.id, status: 'done', outcome: 'done' }
      : { id: wanted.id, status: 'skipped', because: 'not all replicas could be removed' };
  return { results: [...removed.results, end], interrupted: released.interrupted };
}

function outcomeOf(plan: Plan, result: RunResult): RunOutcome {
  const rounds = [{ plan, result }];
  return { plan, summary: summarizeRun(rounds), rounds };
}

/** Copies are claimed under the planning lock, made without it; removals hold it, for others plan by what they remove. */
export async function changeTemplates(want: TemplatesWant, context: RunContext): Promise<RunOutcome> {
  const first = await readAndPlan(want, context);
  if (first.steps.length === 0) return outcomeOf(first, { results: [], interrupted: false });
  return withLock(context, async (release, assertHeld) => {
    const plan = await readAndPlan(want, context);
    assertHeld();
    context.onPlan(plan);
    const result =
      want.do === 'prune'
        ? await removeAndRelease(want, plan, context)
        : await runSteps(plan.steps, context, { onReserved: release });
    return outcomeOf(plan, result);
  });
}
