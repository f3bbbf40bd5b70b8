/** `--max-changes`: how much a plan may remove. */
import { PlanRefusedError } from '../errors.ts';
import type { Plan } from '../plan/document/plan.ts';
import { effectOf } from '../plan/document/step-traits.ts';

/** `instead`: what may be meant in place of removing so much. */
export function assertWithinLimit(plan: Plan, limit: number | undefined, instead?: string): void {
  const removals = plan.steps.filter((step) => effectOf(step) === 'removes');
  if (limit === undefined || removals.length <= limit) return;
  const way = `look at it with --dry-run, then allow it with --max-changes ${removals.length}`;
  throw new PlanRefusedError(
    'TOO_MANY_CHANGES',
    `the plan removes ${removals.length} objects, --max-changes allows ${limit}`,
    { hint: instead === undefined ? way : `${instead}; or ${way}` },
  );
}
