/** Several refusals as one, and as the one error that says that nothing is left to do. */
import { PlanRefusedError } from '../../errors.ts';
import { foldSaid, wordsOfStand } from '../../said.ts';
import { wayForAll } from '../../shell.ts';
import type { PlannedStand, Refusal } from './plan.ts';
import { nameSome } from './text.ts';

// What is true of a node is told of each stand that would be there.
const messagesOf = (refusals: readonly Refusal[]): string =>
  [...new Set(refusals.map(({ message }) => message))].join('\n');

/** The code is that of the first. `all`: each by itself, where what is true of many is said once. */
export function refuse(refusals: readonly Refusal[], all = refusals): never {
  const [first] = refusals;
  const hints = [...new Set(refusals.flatMap((refusal) => refusal.hint ?? []))];
  throw new PlanRefusedError(first?.code ?? 'PLAN_REFUSED', messagesOf(refusals), {
    inFull: messagesOf(all),
    ...(hints.length === 0 ? {} : { hint: hints.join('\n') }),
  });
}

/** Reasons, and names of each, beyond these are counted. */
const MOST_TOLD = 10;

const named = ({ who, text }: { readonly who: string; readonly text: string }): string =>
  text.includes(who) ? text : `${who}: ${text}`;

/** When nothing can be done for anybody. What is true of many is said once. */
export function refuseWhereNothingRemains(
  stands: readonly Pick<PlannedStand, 'user' | 'pool' | 'vms' | 'bridges' | 'refused'>[],
): void {
  const refused = stands.flatMap((stand) => {
    const { user, refused: why } = stand;
    return why ? [{ who: user, text: why.message, hint: why.hint, own: wordsOfStand(stand), why }] : [];
  });
  const [first] = refused;
  if (!first || refused.length < stands.length) return;
  const alike = foldSaid(refused);
  const reasons = alike.slice(0, MOST_TOLD).map(({ first: { who, text, why: own }, others }): Refusal => {
    const why = { ...own, ...(own.hint === undefined ? {} : { hint: wayForAll(own.hint, who, others) }) };
    if (others.length === 0) return { ...why, message: named({ who, text }) };
    const users = [who, ...others.map((one) => one.who)];
    // Word for word the same, it is true of each; else of the first, and of the others with names of their own.
    const isShared = others.every((one) => one.text === text);
    if (isShared) return { ...why, message: `${nameSome(users, MOST_TOLD)}: ${text}` };
    const same = `the same for ${others.length} more: ${nameSome(users.slice(1), MOST_TOLD)}`;
    return { ...why, message: `${named({ who, text })}\n${same}` };
  });
  const more = alike.slice(MOST_TOLD).flatMap(({ first: one, others }) => [one, ...others]);
  const names = nameSome(
    more.map(({ who }) => who),
    MOST_TOLD,
  );
  const rest = { code: first.why.code, message: `and ${more.length} more: ${names}` };
  refuse(
    more.length === 0 ? reasons : [...reasons, rest],
    refused.map((one) => ({ ...one.why, message: named(one) })),
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

/**
 * Of two things with codes of their own. The first is told last, because whoever shows the message puts its code behind it;
 * so are its hints, which may end with the log of a task.
 */
export function bothRefusals(first: Refusal | undefined, other: Refusal | undefined): Refusal | undefined {
  if (!first || !other) return first ?? other;
  const linesOf = ({ hint }: Refusal): string[] => hint?.split('\n') ?? [];
  // Either may be several joined; lines within one are left as they are, since a log repeats itself.
  const last = linesOf(first);
  const hints = [...linesOf(other).filter((line) => !last.includes(line)), ...last];
  return {
    code: first.code,
    message: `${other.message}  [${other.code}]\n${first.message}`,
    ...(hints.length === 0 ? {} : { hint: hints.join('\n') }),
  };
}
