/** Plans users of the file: those that are missing, and for `sync` also what is to change of those that are there. */
import type { User } from '../../config/types.ts';
import type { UserInfo } from '../../inventory/types.ts';
import { formatPoolComment, frozenSince } from '../../marks/pool.ts';
import { isDisabledByUs, isUserMarked, markDisabled } from '../../marks/user.ts';
import { sortedUnique } from '../../order.ts';
import { makeStep, type Step, type StepPayloads } from '../document/step.ts';
import type { Refusal } from '../document/plan.ts';
import { createUserStep, groupRefusal, poolRefusal, realmRefusal } from '../stands/accounts.ts';
import { poolNameRefusal } from '../stands/pool-name.ts';
import { draft, type UserDraft, type UsersContext } from './context.ts';

type Change = Pick<
  StepPayloads['user.update'],
  'email' | 'firstName' | 'lastName' | 'groups' | 'expire' | 'enable' | 'newComment'
>;

/** In the words of the users file. */
const NAMES: Readonly<Record<string, string>> = {
  email: 'email',
  firstName: 'first_name',
  lastName: 'last_name',
  groups: 'groups',
  expire: 'expire',
};

function poolSteps({ userid, pool }: User, { index }: UsersContext): Step[] {
  if (index.marks.has(pool)) return [];
  // Made for the class, not for a stand: no orphan while it has none.
  const comment = formatPoolComment({ user: userid, adopted: false, kept: true, claims: [], others: [] });
  return [makeStep('pool.create', pool, { user: userid, reason: 'missing' }, { pool, comment })];
}

function sameGroups(a: readonly string[], b: readonly string[]): boolean {
  return sortedUnique(a).join(' ') === sortedUnique(b).join(' ');
}

/** What the file says and the cluster does not. What the file leaves out is left as it is. */
function differences(user: User, present: UserInfo): Change {
  const { email, firstName, lastName, groups, expire } = user;
  return {
    ...(email === undefined || email === present.email ? {} : { email }),
    ...(firstName === undefined || firstName === present.firstName ? {} : { firstName }),
    ...(lastName === undefined || lastName === present.lastName ? {} : { lastName }),
    ...(groups.length === 0 || sameGroups(groups, present.groups) ? {} : { groups }),
    ...(expire === undefined || expire === present.expire ? {} : { expire }),
  };
}

function namesOf(change: Change): string {
  return Object.keys(change)
    .flatMap((key) => NAMES[key] ?? [])
    .join(', ');
}

/** What is enabled carries our mark no more: whoever disables it next is somebody else, and that we leave. */
function comeBack({ enabled, comment }: UserInfo): Change {
  if (!isDisabledByUs(comment)) return {};
  return { ...(enabled ? {} : { enable: true }), newComment: markDisabled(comment) };
}

function changeSteps(user: User, present: UserInfo): Step[] {
  const details = differences(user, present);
  const back = comeBack(present);
  const change = { ...details, ...back };
  if (Object.keys(change).length === 0) return [];
  const reasons = [
    ...(back.newComment === undefined
      ? []
      : [back.enable ? 'back in the users file' : 'enabled by somebody else']),
    ...(Object.keys(details).length > 0 ? [`changed in the users file: ${namesOf(details)}`] : []),
  ];
  const { userid } = user;
  return [
    makeStep(
      'user.update',
      userid,
      { user: userid, reason: reasons.join('; ') },
      { userid, comment: present.comment, ...change },
    ),
  ];
}

/** A user that existed before us is used, but never changed. */
function notesOf(user: User, present: UserInfo, by: 'create' | 'sync'): string[] {
  if (isUserMarked(present.comment)) {
    const isStopped = !present.enabled && !isDisabledByUs(present.comment);
    return isStopped && by === 'sync' ? ['the user is disabled, but not by deploy-stand: left so'] : [];
  }
  if (by === 'create') return ['the user existed before deploy-stand: used as it is'];
  const names = namesOf(differences(user, present));
  return names === ''
    ? []
    : [`the user existed before deploy-stand: ${names} of the users file not carried over`];
}

/** Only `deploy` takes pools over. */
function foreignPool(user: User, { index }: UsersContext): Refusal | undefined {
  const refused = poolRefusal(user, index, false);
  if (refused?.code !== 'POOL_FOREIGN') return refused;
  return { ...refused, hint: 'set another `pool:` in the users file, or take it over with `deploy --adopt`' };
}

/** Missing user and pool. Access is what deploy grants, as the last step of a stand. */
export function planMissing(user: User, context: UsersContext): UserDraft {
  const { have, index, since } = context;
  const refused =
    poolNameRefusal(user, have, index) ?? realmRefusal(user, have, index) ?? foreignPool(user, context);
  if (refused) return draft(user, { refused });
  const present = index.users.get(user.userid);
  return draft(user, {
    poolSteps: poolSteps(user, context),
    steps: present ? [] : [createUserStep(user, have, since)],
    notes: present ? notesOf(user, present, 'create') : [],
  });
}

interface Access {
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

/** On a pool with stands access is deploy's to grant and cleanup's to take away: one of them may be under way. */
function planAccess(user: User, role: string, before: readonly Step[], { index }: UsersContext): Access {
  const { userid, pool } = user;
  const path = `/pool/${pool}`;
  const roles = (index.acls.get(`${path} ${userid}`) ?? []).map((entry) => entry.role);
  if (roles.includes(role)) return { steps: [], notes: [] };
  const frozen = frozenSince(index.marks.get(pool));
  if (frozen !== undefined)
    return { steps: [], notes: [`pool ${pool} is frozen since ${frozen}: access thaw gives access back`] };
  if (roles.length > 0)
    return { steps: [], notes: [`role ${roles.join(', ')} on pool ${pool} instead of ${role}: left so`] };
  if ((index.marks.get(pool)?.claims.length ?? 0) > 0)
    return { steps: [], notes: [`no access to pool ${pool}: deploy grants it when the stand is finished`] };
  const grant = makeStep(
    'acl.grant',
    pool,
    { user: userid, reason: 'the pool is theirs', dependsOn: before.map((step) => step.id) },
    { path, role, userid, propagate: true },
  );
  return { steps: [grant], notes: [] };
}

/** The same, plus access to the pool and what changed in the file. */
export function planSynced(user: User, role: string, context: UsersContext): UserDraft {
  const missing = planMissing(user, context);
  if (missing.stand.refused) return missing;
  const present = context.index.users.get(user.userid);
  const isOurs = present !== undefined && isUserMarked(present.comment);
  const refused = isOurs ? groupRefusal(user, context.have) : undefined;
  if (refused) return draft(user, { refused });
  const access = planAccess(user, role, [...missing.poolSteps, ...missing.steps], context);
  return draft(user, {
    poolSteps: missing.poolSteps,
    steps: [...missing.steps, ...(isOurs ? changeSteps(user, present) : []), ...access.steps],
    notes: [...(present ? notesOf(user, present, 'sync') : []), ...access.notes],
  });
}
