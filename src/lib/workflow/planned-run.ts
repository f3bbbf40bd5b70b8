/**
 * The one frame of stories that plan: show the plan; or plan, take the planning lock where the plan needs it, plan again
 * under it, and apply. What is refused is refused before the first write.
 */
import type { PlanningLock } from '../execute/cluster-lock.ts';
import type { RunResult } from '../execute/types.ts';
import type { Inventory } from '../inventory/types.ts';
import { summarizePlan, summarizeRun } from '../outcome/summary.ts';
import type { Round, RunOutcome, Summary } from '../outcome/types.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { PlanContext, RunContext } from './context.ts';
import { planChecked, planPermitted, type CheckedPlan, type PlanRequest } from './preflight.ts';
import { tidyLock, underPlanningLock } from './run.ts';

/** A plan, and the cluster that it was made from. */
export interface Planned {
  readonly plan: Plan;
  readonly have: Inventory;
}

export interface Preview extends CheckedPlan {
  readonly summary: Summary;
}

/** How a plan is made from what is there. */
export type Request = PlanRequest & { readonly have: Inventory };

export interface Story {
  /** Before the lock is taken, so that what is refused writes nothing. */
  readonly look: () => Promise<Planned>;
  /** Under the lock; default: as before it. */
  readonly lookAgain?: () => Promise<Planned>;
  readonly takesLock: (planned: Planned) => boolean;
  /** Once planned, each time: what is to be written down before anything is applied. */
  readonly settle?: (planned: Planned) => Promise<void>;
  /** The plan is final: kept where the user asked for it. */
  readonly keep?: (plan: Plan) => Promise<void>;
  /** `lock`: the planning lock, which it may give back before it ends. */
  readonly apply: (plan: Plan, lock?: PlanningLock) => Promise<RunResult>;
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export function preview(request: Request, context: PlanContext): Preview {
  const checked = planChecked(request, context);
  return { ...checked, summary: summarizePlan(checked.plan) };
}

/** For runs that are going to write: throws before they do. */
export function planToApply(request: Request, context: PlanContext): Planned {
  return { plan: planPermitted(request, context), have: request.have };
}

export async function runStoryRound(story: Story, context: RunContext): Promise<Round> {
  const { look, lookAgain = look, takesLock, settle, keep, apply } = story;
  const first = await look();
  await settle?.(first);
  if (!takesLock(first)) {
    const { plan, have } = first;
    await keep?.(plan);
    await tidyLock(have, context);
    context.onPlan(plan);
    return { plan, result: await apply(plan) };
  }
  return underPlanningLock(context, {
    plan: async () => {
      const planned = await lookAgain();
      // What a killed run had under way may have come true since the first look.
      await settle?.(planned);
      await keep?.(planned.plan);
      return planned.plan;
    },
    apply: async (plan, lock) => {
      context.onPlan(plan);
      return { plan, result: await apply(plan, lock) };
    },
  });
}

export function outcomeOf(round: Round): RunOutcome {
  return { plan: round.plan, summary: summarizeRun([round]), rounds: [round] };
}

/** One round, and what came of it. */
export async function runStory(story: Story, context: RunContext): Promise<RunOutcome> {
  return outcomeOf(await runStoryRound(story, context));
}
