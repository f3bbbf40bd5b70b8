/** A saved plan of removals bounds the one that is made anew: nothing goes that nobody has looked at. */
import { PlanRefusedError, UsageError } from '../../errors.ts';
import { effectOf } from '../document/step-traits.ts';
import type { Plan } from '../document/plan.ts';
import { createFindings, messageOf, NOT_WHAT_IS_SAVED, PLAN_AGAIN } from './findings.ts';
import { changedParts, counterpart } from './same-step.ts';

export function assertOfCleanup({ command }: Plan): void {
  if (command === 'cleanup') return;
  throw new UsageError('PLAN_OTHER_COMMAND', `the plan was made by ${command}, not by cleanup`, {
    hint: PLAN_AGAIN,
  });
}

/** What is missing now is gone already. Throws PlanRefusedError where more, or something else, would be removed. */
export function assertWithinSaved(now: Plan, saved: Plan): void {
  const known = new Map(saved.steps.map((step) => [step.id, step]));
  const findings = createFindings();
  for (const step of now.steps) {
    const before = counterpart(step, known);
    if (!before) findings.add(step.kind, `${step.id} is not in the plan: ${step.reason}`);
    else if (effectOf(step) === 'removes' && changedParts(step, before).length > 0)
      findings.add(`other ${step.kind}`, `${step.id} is about something else than in the plan`);
  }
  if (findings.count === 0) return;
  const { message, inFull } = messageOf(NOT_WHAT_IS_SAVED, findings);
  throw new PlanRefusedError('PLAN_STALE', message, { hint: PLAN_AGAIN, inFull });
}
