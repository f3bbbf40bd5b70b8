/**
 * Plans a class again with the choices of a saved plan as wishes. What is applied is the new plan, never the text of the
 * file: whoever edits a plan can only have it refused.
 */
import { PlanRefusedError } from '../../errors.ts';
import { planDeploy, resolveMachines, type DeployInput } from '../deploy.ts';
import type { Plan } from '../document/plan.ts';
import { indexHave } from '../have-index.ts';
import { chooseNodes } from '../placement.ts';
import { comparePlans } from './compare.ts';
import { assertOfClass, PLAN_AGAIN } from './of-class.ts';
import { readPins } from './read-pins.ts';

function worldOf({ lab, have }: DeployInput) {
  const index = indexHave(have);
  return { lab, have, index, choice: chooseNodes(lab, resolveMachines(lab, have, index), have, index) };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Of the users that the plan is about. Throws PlanRefusedError unless the saved plan has all of it; what more it has is done. */
export function planAgain(saved: Plan, want: DeployInput): Plan {
  assertOfClass(saved, want);
  // Who found no room then is left out by a pin; of the others the load was looked at when the plan was made.
  const plan = planDeploy({ ...want, options: { ...want.options, fit: true, pins: readPins(saved) } });
  const differences = comparePlans(
    saved,
    plan,
    once(() => worldOf(want)),
  );
  if (differences.length === 0) return plan;
  throw new PlanRefusedError(
    'PLAN_STALE',
    ['the saved plan is not what would be done now:', ...differences].join('\n  '),
    { hint: PLAN_AGAIN },
  );
}
