/** Which users go: those that we created, once none of their stands is left. */
import type { AclEntry } from '../../inventory/types.ts';
import type { CleanupContext } from './context.ts';
import type { SelectedStand } from './selection.ts';
import type { StandRemoval } from './stand.ts';
import { isUserMarked } from '../../marks/user.ts';
import { protectedBecause } from '../stands/protected-accounts.ts';
import { makeStep, type StepOf } from '../document/step.ts';

/** A stand with what is done to it. */
export interface PlannedRemoval {
  readonly stand: SelectedStand;
  readonly removal: StandRemoval;
}

/** A pool of this user that the cleanup does not touch: without its user it would belong to nobody. */
function hasPoolElsewhere(userid: string, pools: ReadonlySet<string>, { index }: CleanupContext): boolean {
  return [...index.marks].some(([pool, mark]) => mark.user === userid && !pools.has(pool));
}

/**
 * May this user write a pool whose marks do not count for that? With the user the right would go, and from then on what
 * stands there would be believed.
 */
function delegates(userid: string, { have, index }: CleanupContext): boolean {
  const groups = new Set(index.users.get(userid)?.groups);
  const isTheirs = ({ type, subject }: AclEntry): boolean =>
    type === 'group' ? groups.has(subject) : subject === userid || subject.startsWith(`${userid}!`);
  const paths = have.acls.filter(isTheirs).map(({ path }) => path);
  return have.pools.some(
    ({ pool, delegated }) =>
      delegated !== undefined && paths.some((path) => `/pool/${pool}/`.startsWith(`${path}/`)),
  );
}

function removeUser(
  userid: string,
  own: readonly PlannedRemoval[],
  context: CleanupContext,
): StepOf<'user.delete'>[] {
  const user = context.index.users.get(userid);
  if (!user || !isUserMarked(user.comment)) return [];
  if (protectedBecause(userid, context.have.caller) !== undefined) return [];
  if (
    own.some(
      ({ stand, removal }) => !stand.removesUser || removal.heldBy !== undefined || removal.left.length > 0,
    )
  )
    return [];
  const pools = new Set(own.flatMap(({ stand }) => (stand.mark ? [stand.pool] : [])));
  if (hasPoolElsewhere(userid, pools, context) || delegates(userid, context)) return [];
  // Whose it is, its comment cannot prove; that it is nobody's, neither.
  if (own.some(({ stand }) => context.index.pools.get(stand.pool)?.delegated !== undefined)) return [];
  const dependsOn = own.flatMap(({ removal }) => [
    ...removal.poolSteps.map((step) => step.id),
    ...removal.vmSteps.filter((step) => step.kind === 'vm.delete').map((step) => step.id),
  ]);
  return [
    makeStep(
      'user.delete',
      userid,
      { user: userid, reason: 'created by deploy-stand, no stand is left', dependsOn },
      { userid, comment: user.comment },
    ),
  ];
}

export function planUserRemovals(
  planned: readonly PlannedRemoval[],
  context: CleanupContext,
): StepOf<'user.delete'>[] {
  if (context.options.keepUsers) return [];
  const users = [...new Set(planned.map(({ stand }) => stand.user))];
  return users.flatMap((userid) =>
    removeUser(
      userid,
      planned.filter(({ stand }) => stand.user === userid),
      context,
    ),
  );
}
