/** Several refusals as one, and as the one error that says that nothing is left to do. */
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

/** The code is that of the first. `between`: its hints. */
export function joinRefusals(refusals: readonly Refusal[], between: '\n' | '; '): Refusal | undefined {
  const [first] = refusals;
  if (!first) return undefined;
  const hints = [...new Set(refusals.flatMap(({ hint }) => hint ?? []))];
  return {
    code: first.code,
    message: refusals.map(({ message }) => message).join('; '),
    ...(hints.length === 0 ? {} : { hint: hints.join(between) }),
  };
}
