/** Turns refusals that leave nothing to do into the one error that says so. */
import { PlanRefusedError } from '../../errors.ts';
import type { Refusal } from './plan.ts';

/** The code is that of the first. */
export function refuse(refusals: readonly Refusal[]): never {
  const [first] = refusals;
  const hints = [...new Set(refusals.flatMap((refusal) => refusal.hint ?? []))];
  throw new PlanRefusedError(
    first?.code ?? 'PLAN_REFUSED',
    // What is true of a node is told of each stand that would be there.
    [...new Set(refusals.map((refusal) => refusal.message))].join('\n'),
    hints.length === 0 ? {} : { hint: hints.join('\n') },
  );
}
