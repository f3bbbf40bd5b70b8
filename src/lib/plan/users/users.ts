/** Plans what `users` changes: want the class, have the inventory. As pure as the plan of a deploy. */
import { assertSound } from '../document/graph.ts';
import { viewOf } from '../cluster/view.ts';
import { compareNatural } from '../../order.ts';
import { refuse, refuseWhereNothingRemains } from '../document/refuse.ts';
import { markTime } from '../../marks/time.ts';
import type { Plan } from '../document/plan.ts';
import { gapTexts } from '../document/text.ts';
import { roleRefusals, roleWarnings, withStudentRole } from '../stands/roles.ts';
import { emptyParents, withParentPools } from '../stands/parent-pools.ts';
import { protectedRefusals } from '../stands/protected-accounts.ts';
import { userConfigWarnings } from '../stands/user-config-size.ts';
import { accountWarnings, labWarnings } from '../stands/expiry.ts';
import { pamWarnings, passwordRefusal } from '../stands/accounts.ts';
import type { UserDraft, UsersContext, UsersInput, UsersWork } from './context.ts';
import { planDeleted, planLeavers } from './leaving.ts';
import { planPassword } from './passwords.ts';
import { planMissing, planSynced } from './present.ts';

function planWork(work: UsersWork, context: UsersContext): UserDraft[] {
  const users = [...work.users].sort((a, b) => compareNatural(a.userid, b.userid));
  switch (work.by) {
    case 'create':
      return users.map((user) => planMissing(user, context));
    case 'sync':
      return [
        ...users.map((user) => planSynced(user, work.role, context)),
        ...planLeavers(users, work, context),
      ];
    case 'delete':
      return users.map((user) => planDeleted(user, work.named, context));
    case 'passwd':
      return users.map((user) => planPassword(user, work, context));
  }
}

/** When nobody is left for whom anything can be done. */
function assertSomebody(drafts: readonly UserDraft[]): void {
  refuseWhereNothingRemains(drafts.map(({ stand }) => stand));
}

/** `create` leaves accounts that are there as they are; `sync` changes what the file says. */
function expiryWarnings(work: UsersWork, { have, index }: UsersContext): string[] {
  if (work.by !== 'create' && work.by !== 'sync') return [];
  const ofAccounts = accountWarnings(work.users, have.now, ({ userid, expire }) => {
    const present = index.users.get(userid)?.expire;
    return work.by === 'sync' ? (expire ?? present) : (present ?? expire);
  });
  return work.by === 'sync' && work.lab ? [...labWarnings(work.lab, have.now), ...ofAccounts] : ofAccounts;
}

/** Throws PlanRefusedError when nothing can be done; a user that alone cannot be dealt with is in the plan as refused. */
export function planUsers({ work, passwords, have }: UsersInput): Plan {
  const index = viewOf(have);
  if (work.by === 'sync') {
    const unknown = roleRefusals([work.role], have, 'access.role');
    if (unknown.length > 0) refuse(unknown);
  }
  // Who is to go stays, and the others go.
  const notStudents = work.by === 'delete' ? [] : protectedRefusals(work.users, have.caller);
  if (notStudents.length > 0) refuse(notStudents);
  const context: UsersContext = { have, index, since: markTime(have.now) };
  const drafts = planWork(work, context);
  assertSomebody(drafts);
  const planned = [
    ...withParentPools(
      drafts.flatMap((entry) => entry.poolSteps),
      index,
    ),
    ...drafts.flatMap((entry) => entry.steps),
  ];
  const parents = emptyParents(planned, index);
  const steps = withStudentRole([...planned, ...parents.removals], have);
  assertSound(steps);
  const tooShort = passwordRefusal(passwords, steps, have);
  if (tooShort) refuse([tooShort]);
  return {
    version: 2,
    command: 'users',
    lab: '',
    steps,
    stands: drafts.map(({ stand }) => stand),
    warnings: [
      ...gapTexts(have),
      ...(work.by === 'sync' ? roleWarnings([work.role], have) : []),
      ...expiryWarnings(work, context),
      ...pamWarnings(steps, have),
      ...parents.warnings,
      ...userConfigWarnings(have, steps),
    ],
  };
}
