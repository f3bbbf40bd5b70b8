/** The story of `extend`: read the selected stands and their accounts, plan a later expiry, apply it; claims under the lock. */
import type { RunOutcome } from '../outcome/types.ts';
import { planExtend, type ExtendOptions } from '../plan/day-two/extend.ts';
import type { StandsPlan } from '../plan/document/plan.ts';
import { hasRole } from '../plan/document/step-traits.ts';
import type { StandSelection } from '../plan/stands/selection.ts';
import { dayTwoScope } from '../privileges/scopes.ts';
import type { PlanContext, RunContext } from './context.ts';
import { planToApply, preview, runStory, type Preview, type Request } from './planned-run.ts';
import { runSteps } from './run.ts';
import { readStands } from './stands.ts';

export interface ExtendWant {
  readonly selection: StandSelection;
  readonly options: ExtendOptions;
}

const takesLock = ({ steps }: Pick<StandsPlan, 'steps'>): boolean =>
  steps.some((step) => hasRole(step, 'reserves'));

async function requestOf({ selection, options }: ExtendWant, context: PlanContext): Promise<Request> {
  const { have, index } = await readStands(selection, context);
  return {
    have,
    make: () => planExtend({ selection, have, index, options }),
    scope: (locks) => dayTwoScope('extend', selection, have, { sees: true, locks }),
    takesLock,
  };
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewExtend(want: ExtendWant, context: PlanContext): Promise<Preview> {
  return preview(await requestOf(want, context), context);
}

export function extend(want: ExtendWant, context: RunContext): Promise<RunOutcome> {
  return runStory(
    {
      look: async () => planToApply(await requestOf(want, context), context),
      takesLock: ({ plan }) => takesLock(plan),
      apply: (plan, lock) => runSteps(plan.steps, context, lock ? { lock } : {}),
    },
    context,
  );
}
