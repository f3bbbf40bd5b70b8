/**
 * A freeze that looks again. As long as its right on the pool stands, a student may give rights on the machines in it, to
 * himself and to others (PVE/API2/ACL.pm asks VM.Allocate there), and a deploy that runs beside may have given some before
 * the claim told it not to (execute/handlers/acl/frozen.ts): what came up between the look and the last right that went is
 * taken in turn, or told.
 */
import { InternalError, StandError } from '../errors.ts';
import type { Round } from '../outcome/types.ts';
import type { PlannedStand, Refusal } from '../plan/document/plan.ts';
import { bothRefusals } from '../plan/document/refuse.ts';
import { disableUserCommand } from '../pve-values/admin-commands.ts';

/** Beyond these somebody keeps giving what is taken. */
const MORE_ROUNDS = 2;

type Stand = Pick<PlannedStand, 'user' | 'pool'>;

const keyOf = ({ user, pool }: Stand): string => `${user} ${pool}`;

/** Whose rights have been taken by now, or whose claim says since then that they are. */
function takenFrom({ plan, result }: Round): PlannedStand[] {
  const done = new Set(result.results.flatMap(({ id, status }) => (status === 'done' ? [id] : [])));
  const users = new Set(
    plan.steps.flatMap(({ kind, id, user }) =>
      (kind === 'acl.revoke' || kind === 'pool.update') && done.has(id) ? [user] : [],
    ),
  );
  return plan.stands.filter(({ user }) => users.has(user));
}

function neverEnding({ user }: Stand): Refusal {
  return {
    code: 'ACCESS_LEFT',
    message: `rights on the stand came up each time those of ${user} were taken away: somebody gives them meanwhile`,
    hint: `run the same command again; \`${disableUserCommand(user)}\`, as root on a node, shuts ${user} out meanwhile`,
  };
}

/** A claim that is written twice is one step to whoever counts them. */
function lastOfEach<T extends { readonly id: string }>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [one.id, one])).values()];
}

/** The first round as it was, with what the later ones did, and what they found left. */
function joined(rounds: readonly [Round, ...Round[]], left: ReadonlyMap<string, Refusal>): Round {
  const [first] = rounds;
  const last = new Map(
    rounds.slice(1).flatMap(({ plan }) => plan.stands.map((stand) => [keyOf(stand), stand] as const)),
  );
  const stands = first.plan.stands.map((stand): PlannedStand => {
    const later = last.get(keyOf(stand));
    const rest = bothRefusals(left.get(keyOf(stand)), later?.refused ?? later?.left);
    // What the first look found open, the last one knows better.
    const before = rest?.code === stand.left?.code ? undefined : stand.left;
    const why = bothRefusals(rest, before);
    return {
      ...stand,
      notes: [...new Set([...stand.notes, ...(later?.notes ?? [])])],
      ...(why ? { left: why } : {}),
    };
  });
  return {
    plan: { ...first.plan, steps: lastOfEach(rounds.flatMap(({ plan }) => plan.steps)), stands },
    result: {
      ...first.result,
      results: lastOfEach(rounds.flatMap(({ result }) => result.results)),
      interrupted: rounds.some(({ result }) => result.interrupted),
    },
  };
}

/** `again`: takes what these stands have by now. What goes wrong in it is told of them: something was done before. */
export async function untilTaken(
  first: Round,
  again: (stands: readonly PlannedStand[]) => Promise<Round>,
): Promise<Round> {
  const rounds: [Round, ...Round[]] = [first];
  const left = new Map<string, Refusal>();
  let open = takenFrom(first);
  while (open.length > 0 && !rounds.some(({ result }) => result.interrupted)) {
    if (rounds.length > MORE_ROUNDS) {
      for (const stand of open) left.set(keyOf(stand), neverEnding(stand));
      break;
    }
    try {
      const round = await again(open);
      rounds.push(round);
      open = takenFrom(round);
    } catch (error) {
      if (!(error instanceof StandError) || error instanceof InternalError) throw error;
      const { code, message, hint } = error;
      const why = { code, message, ...(hint === undefined ? {} : { hint }) };
      for (const stand of open) left.set(keyOf(stand), why);
      break;
    }
  }
  return joined(rounds, left);
}
