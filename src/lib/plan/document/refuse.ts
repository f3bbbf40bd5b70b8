/** Several refusals as one, and as the one error that says that nothing is left to do. */
import { PlanRefusedError } from '../../errors.ts';
import { groupBy } from '../../group.ts';
import type { PlannedStand, Refusal } from './plan.ts';
import { nameSome } from './text.ts';

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

/** Reasons, and names of each, beyond these are counted. */
const MOST_TOLD = 10;

/** When nothing can be done for anybody. What is true of many is said once. */
export function refuseWhereNothingRemains(stands: readonly Pick<PlannedStand, 'user' | 'refused'>[]): void {
  const refused = stands.flatMap(({ user, refused: why }) => (why ? [{ ...why, user }] : []));
  const [first] = refused;
  if (!first || refused.length < stands.length) return;
  const alike = [...groupBy(refused, ({ message }) => message).values()];
  const reasons = alike.slice(0, MOST_TOLD).flatMap((group): Refusal[] => {
    const [{ user, message, ...why } = first] = group;
    const isNamed = group.length === 1 && message.includes(user);
    const users = group.map((one) => one.user);
    return [{ ...why, message: isNamed ? message : `${nameSome(users, MOST_TOLD)}: ${message}` }];
  });
  const others = alike.slice(MOST_TOLD).flatMap((group) => group.map(({ user }) => user));
  const rest = { code: first.code, message: `and ${others.length} more: ${nameSome(others, MOST_TOLD)}` };
  refuse(others.length === 0 ? reasons : [...reasons, rest]);
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

/** Of two things with codes of their own. The first is told last, because whoever shows the message puts its code behind it. */
export function bothRefusals(first: Refusal | undefined, other: Refusal | undefined): Refusal | undefined {
  if (!first || !other) return first ?? other;
  const hints = [...new Set([first, other].flatMap(({ hint }) => hint ?? []))];
  return {
    code: first.code,
    message: `${other.message}  [${other.code}]\n${first.message}`,
    ...(hints.length === 0 ? {} : { hint: hints.join('\n') }),
  };
}
