/** Plans users that go: those to delete, and leavers, whom the users file does not name any more. */
import type { User } from '../../config/types.ts';
import type { UserInfo } from '../../inventory/types.ts';
import type { CleanupContext } from '../cleanup/context.ts';
import { planStandRemoval, type StandRemoval } from '../cleanup/stand.ts';
import { planUserRemovals } from '../cleanup/users.ts';
import { isDisabledByUs, isUserMarked, markDisabled } from '../../marks/user.ts';
import { compareNatural } from '../../order.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { Refusal } from '../document/plan.ts';
import { protectedNote, protectedRefusals } from '../stands/protected-accounts.ts';
import { delegatedRefusal } from '../cluster/delegated.ts';
import { draft, labsOf, poolNameOf, poolsOfUser, type UserDraft, type UsersContext } from './context.ts';
import { shellCommand } from '../../shell.ts';

interface Removal {
  /** Guests that the user made stay in a pool of ours, or pools below it do, so that all stays. */
  readonly refused?: Refusal;
  readonly heldBy?: StandRemoval['heldBy'];
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

/** Access, empty pools and the user, as cleanup takes them away; there is no claim to give back. */
function planRemoval(userid: string, { have, index }: UsersContext): Removal {
  const context: CleanupContext = {
    have,
    index,
    selection: { by: 'stands', users: [{ userid }] },
    options: {
      keepUsers: false,
      adopt: false,
      includeMembers: false,
      forceProtected: false,
      lockWaitSeconds: 0,
      minAgeSeconds: 0,
    },
  };
  const pools = poolsOfUser(userid, index);
  const planned = (pools.length > 0 ? pools : [poolNameOf(userid, index)]).map((pool) => {
    const mark = index.marks.get(pool);
    const stand = {
      user: userid,
      pool,
      mark: mark?.user === userid ? mark : undefined,
      claims: [],
      labs: undefined,
      trimmed: [],
      removesUser: true,
    };
    return { stand, removal: planStandRemoval(stand, context) };
  });
  const { heldBy, refused } = planned.find(({ removal }) => removal.heldBy !== undefined)?.removal ?? {};
  if (heldBy && refused) {
    const why = heldBy === 'members' ? membersLeft(userid, refused) : refused;
    return { steps: [], notes: [], refused: why, heldBy };
  }
  return {
    steps: [
      ...planned.flatMap(({ removal }) => [...removal.vmSteps, ...removal.poolSteps]),
      ...planUserRemovals(planned, context),
    ],
    notes: planned.flatMap(({ removal }) => removal.notes),
  };
}

function membersLeft(userid: string, { code, message }: Refusal): Refusal {
  return {
    code,
    message,
    hint: `remove them first: ${shellCommand('deploy-stand', 'cleanup', '--user', userid, '--include-members')}`,
  };
}

function standsLeft(userid: string, labs: readonly string[]): Refusal {
  return {
    code: 'STANDS_LEFT',
    message: `${userid} has a stand of lab ${labs.join(', ')}`,
    hint: `remove it first: ${shellCommand('deploy-stand', 'cleanup', '--user', userid)}`,
  };
}

function foreign(userid: string): Refusal {
  return {
    code: 'NOT_OURS',
    message: `user ${userid} was not created by deploy-stand`,
    hint: 'remove the user by hand if nobody needs it',
  };
}

/** Nobody's to remove, disable or change, although it carries our mark. */
function untouchable(userid: string, { have, index }: UsersContext): UserDraft | undefined {
  const note = protectedNote(userid, have.caller);
  return note === undefined
    ? undefined
    : draft({ userid, pool: poolNameOf(userid, index) }, { notes: [note] });
}

export function planDeleted(user: User, named: boolean, context: UsersContext): UserDraft {
  const { userid } = user;
  // Of a class list the others go.
  const protectedOne = untouchable(userid, context);
  const [why] = named ? protectedRefusals([user], context.have.caller) : [];
  if (protectedOne)
    return why ? draft({ userid, pool: protectedOne.stand.pool }, { refused: why }) : protectedOne;
  const pool = poolNameOf(userid, context.index);
  const present = context.index.users.get(userid);
  const isForeign = present !== undefined && !isUserMarked(present.comment);
  if (isForeign && named) return draft({ userid, pool }, { refused: foreign(userid) });
  const delegated = context.index.pools.get(pool)?.delegated;
  if (delegated !== undefined)
    return draft({ userid, pool }, { refused: delegatedRefusal(pool, delegated, context.index) });
  const labs = labsOf(userid, context.index);
  if (labs.length > 0) return draft({ userid, pool }, { refused: standsLeft(userid, labs) });
  const { steps, notes, refused } = planRemoval(userid, context);
  if (refused) return draft({ userid, pool }, { refused });
  const stays = isForeign ? ['the user was not created by deploy-stand: it stays'] : [];
  return draft({ userid, pool }, { steps, notes: [...stays, ...notes] });
}

function disableStep(present: UserInfo, { since }: UsersContext): Step {
  const { userid, comment } = present;
  return makeStep(
    'user.update',
    userid,
    { user: userid, reason: 'not in the users file any more' },
    { userid, comment, newComment: markDisabled(comment, since), enable: false },
  );
}

interface LeaverOptions {
  readonly disable: boolean;
  readonly prune: boolean;
}

/** Disabled or enabled by somebody else: what this command did not leave behind. */
function stateOf({ enabled, comment }: UserInfo): string {
  const isMarked = isDisabledByUs(comment);
  if (enabled) return isMarked ? ', enabled by somebody else' : '';
  return isMarked ? ', disabled' : ', disabled by somebody else';
}

function planLeaver(present: UserInfo, options: LeaverOptions, context: UsersContext): UserDraft {
  const { userid, enabled } = present;
  const who = { userid, pool: poolNameOf(userid, context.index) };
  const labs = labsOf(userid, context.index);
  const delegated = options.prune ? context.index.pools.get(who.pool)?.delegated : undefined;
  const isGoing = options.prune && labs.length === 0 && delegated === undefined;
  const removal = isGoing ? planRemoval(userid, context) : undefined;
  if (removal && !removal.refused) return draft(who, removal);
  const own = removal
    ? `; ${removal.heldBy === 'subpools' ? 'there are pools below its pool' : 'has machines of its own in its pool'}`
    : '';
  const stand = labs.length === 0 ? own : `; has a stand of lab ${labs.join(', ')}`;
  const waits = options.prune ? ', which cleanup removes first' : '';
  const isNew = options.disable && enabled;
  return draft(who, {
    ...(delegated === undefined ? {} : { refused: delegatedRefusal(who.pool, delegated, context.index) }),
    steps: isNew ? [disableStep(present, context)] : [],
    notes: [`not in the users file${stateOf(present)}${stand}${waits}`],
  });
}

/** Users of ours on the whole cluster that are not among `users`. */
export function planLeavers(
  users: readonly User[],
  options: LeaverOptions,
  context: UsersContext,
): UserDraft[] {
  const known = new Set(users.map((user) => user.userid));
  return context.have.users
    .filter(({ userid, comment }) => isUserMarked(comment) && !known.has(userid))
    .sort((a, b) => compareNatural(a.userid, b.userid))
    .map((present) => untouchable(present.userid, context) ?? planLeaver(present, options, context));
}
