/**
 * Plans a class again with the choices of a saved plan as wishes. What is applied is the new plan, never the text of the
 * file: whoever edits a plan can only have it refused.
 */
import { PlanRefusedError } from '../../errors.ts';
import type { DeployInput } from '../deploy/context.ts';
import { planDeploy } from '../deploy/deploy.ts';
import { resolveMachines } from '../templates/find.ts';
import type { DeployPlan, Plan } from '../document/plan.ts';
import { viewOf } from '../cluster/view.ts';
import { chooseNodes } from '../placement/nodes.ts';
import { comparePlans } from './compare.ts';
import { messageOf, NOT_WHAT_IS_SAVED, PLAN_AGAIN } from './findings.ts';
import { assertOfClass } from './of-class.ts';
import type { Pins } from '../cluster/pins.ts';
import { readPins } from './read-pins.ts';

function worldOf({ lab, have }: DeployInput) {
  const index = viewOf(have);
  return { lab, have, index, choice: chooseNodes(lab, resolveMachines(lab, have), have, index) };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/**
 * Of the users that the plan is about. Throws PlanRefusedError unless the saved plan has all of it; what more it has is done.
 * The times in marks are pinned for the comparison alone: what is made now is as old as it is, however old the file.
 */
export function planAgain(saved: Plan, want: DeployInput): DeployPlan {
  assertOfClass(saved, want);
  const { since, ...pins } = readPins(saved);
  // Who found no room then is left out by a pin; of the others the load was looked at when the plan was made.
  const planned = (pinned: Pins): DeployPlan =>
    planDeploy({ ...want, options: { ...want.options, fit: true, pins: pinned } });
  const same = planned(since === undefined ? pins : { ...pins, since });
  const differences = comparePlans(
    saved,
    same,
    once(() => worldOf(want)),
  );
  if (differences.count === 0) return planned(pins);
  const { message, inFull } = messageOf(NOT_WHAT_IS_SAVED, differences);
  throw new PlanRefusedError('PLAN_STALE', message, { hint: PLAN_AGAIN, inFull });
}
