/** The stories of `templates`: list; make copies before a class; remove those that nobody needs. */
import { hasRole } from '../plan/document/step-traits.ts';
import type { Lab } from '../config/types.ts';
import type { PlanningLock } from '../execute/cluster-lock.ts';
import type { RunResult, StepResult } from '../execute/types.ts';
import type { RunOutcome } from '../outcome/types.ts';
import type { ReadContext } from '../inventory/pools.ts';
import { readInventory, type InventoryScope } from '../inventory/read.ts';
import type { Inventory } from '../inventory/types.ts';
import { vmidsClaimedBy } from '../marks/pool.ts';
import { planReplicate } from '../plan/templates/replicate.ts';
import { viewTemplates, type TemplateReport } from '../plan/templates/view.ts';
import { planPrune } from '../plan/templates/prune.ts';
import { templatesScope } from '../privileges/scopes.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import type { PlanContext, RunContext } from './context.ts';
import { planToApply, preview, runStory, type Preview, type Request } from './planned-run.ts';
import { replicaVmids } from './replica-scope.ts';
import { runSteps } from './run.ts';

export type TemplatesWant =
  | { readonly do: 'replicate'; readonly lab: Lab; readonly nodes?: readonly string[] }
  | { readonly do: 'prune'; readonly minAgeSeconds: number; readonly nodes?: readonly string[] };

function read(context: ReadContext, scope: Partial<InventoryScope>): Promise<Inventory> {
  return readInventory(context, { templates: [], claimed: replicaVmids, rights: true, ...scope });
}

/** What hangs on a copy is only seen in the configurations of all VMs of ours: one call each. */
function readUses(context: ReadContext): Promise<Inventory> {
  return read(context, {
    allTemplates: true,
    claimed: (pools) => [...replicaVmids(pools), ...vmidsClaimedBy(pools)],
    tasks: true,
  });
}

async function planRequest(want: TemplatesWant, context: PlanContext): Promise<Request> {
  const { nodes } = want;
  const common = { scope: templatesScope, takesLock: (plan: Plan) => plan.steps.length > 0 };
  if (want.do === 'replicate') {
    const { lab } = want;
    const have = await read(context, { templates: lab.machines.map((machine) => machine.template) });
    return { ...common, have, make: () => planReplicate({ lab, have, nodes }) };
  }
  const { minAgeSeconds } = want;
  const have = await readUses(context);
  return { ...common, have, make: () => planPrune({ have, minAgeSeconds, nodes }) };
}

/** Templates of the lab, or all. */
export async function listTemplates(lab: Lab | undefined, context: ReadContext): Promise<TemplateReport> {
  return viewTemplates(await readUses(context), lab);
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewTemplates(want: TemplatesWant, context: PlanContext): Promise<Preview> {
  return preview(await planRequest(want, context), context);
}

const isRelease = (step: Step): boolean => hasRole(step, 'gives-up');

/** Claims go with what they tell of: those of copies that could not be removed stay. */
async function removeAndRelease(
  { minAgeSeconds, nodes }: TemplatesWant & { readonly do: 'prune' },
  { plan, lock }: { readonly plan: Plan; readonly lock: PlanningLock | undefined },
  context: RunContext,
): Promise<RunResult> {
  const removed = await runSteps(
    plan.steps.filter((step) => !isRelease(step)),
    context,
  );
  const wanted = plan.steps.find(isRelease);
  if (removed.interrupted || !wanted) return removed;
  const rest = planPrune({ have: await readUses(context), minAgeSeconds, nodes, releaseOnly: true });
  const released = await runSteps(rest.steps, context, lock ? { under: lock } : {});
  const failed = released.results.find((entry) => entry.status === 'failed');
  const end: StepResult = failed
    ? { ...failed, id: wanted.id }
    : rest.steps.some(({ id }) => id === wanted.id)
      ? { id: wanted.id, status: 'done', outcome: 'done' }
      : { id: wanted.id, status: 'skipped', because: 'not all replicas could be removed' };
  return { results: [...removed.results, end], interrupted: released.interrupted };
}

/** Copies are claimed under the planning lock, made without it; removals hold it, for others plan by what they remove. */
export function changeTemplates(want: TemplatesWant, context: RunContext): Promise<RunOutcome> {
  return runStory(
    {
      look: async () => planToApply(await planRequest(want, context), context),
      takesLock: ({ plan }) => plan.steps.length > 0,
      apply: (plan, lock) =>
        want.do === 'prune'
          ? removeAndRelease(want, { plan, lock }, context)
          : runSteps(plan.steps, context, lock ? { lock } : {}),
    },
    context,
  );
}
