/** Plans new passwords, only for users of ours unless it was asked for in so many words. */
import { vmidIn } from '../../pve-values/acl-path.ts';
import type { User } from '../../config/types.ts';
import type { UserInfo } from '../../inventory/types.ts';
import { isUserMarked } from '../../marks/user.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { KeptAccount } from '../document/steps/users.ts';
import { poolRightOf, poolRightRefusal } from '../stands/protected-accounts.ts';
import type { Refusal } from '../document/plan.ts';
import { directoryRefusal, newPasswordStep } from '../stands/new-password.ts';
import { draft, poolNameOf, type UserDraft, type UsersContext } from './context.ts';

export interface PasswordOptions {
  readonly named: boolean;
  readonly recreate: boolean;
  readonly forceForeign: boolean;
  readonly kept?: ReadonlyMap<string, KeptAccount>;
}

function missing(userid: string): Refusal {
  return {
    code: 'NO_USER',
    message: `there is no user ${userid}`,
    hint: 'users create, users sync or deploy make the user; a password that waits in the credentials file is used',
  };
}

/** Not ours to change. */
function obstacle(present: UserInfo, options: PasswordOptions, context: UsersContext): Refusal | undefined {
  const { userid, comment } = present;
  const elsewhere = directoryRefusal(userid, context.have);
  if (elsewhere) return elsewhere;
  if (isUserMarked(comment)) return undefined;
  if (options.recreate) {
    return {
      code: 'NOT_OURS',
      message: `user ${userid} was not created by deploy-stand, and so is not made anew`,
      hint: 'log in with a password instead of an API token, and use --force-foreign without --recreate',
    };
  }
  if (options.forceForeign) return undefined;
  return {
    code: 'NOT_OURS',
    message: `user ${userid} was not created by deploy-stand`,
    hint: 'add --force-foreign to give the user a new password all the same',
  };
}

/** Undefined: no machine is there; null: one in no pool. */
function poolAt(vmid: number, { index }: UsersContext): string | null | undefined {
  const guest = index.guests.get(vmid);
  return guest && (guest.pool ?? null);
}

function accountOf(present: UserInfo, context: UsersContext): KeptAccount {
  const { userid, comment, groups, email, firstName, lastName, expire, enabled } = present;
  return {
    comment,
    groups,
    ...(email === '' ? {} : { email }),
    ...(firstName === '' ? {} : { firstName }),
    ...(lastName === '' ? {} : { lastName }),
    ...(expire === 0 ? {} : { expire }),
    enable: enabled,
    acls: context.have.acls
      .filter((entry) => entry.type === 'user' && entry.subject === userid)
      .map(({ path, role, propagate }) => {
        const vmid = vmidIn(path);
        const pool = vmid === undefined ? undefined : poolAt(vmid, context);
        return { path, role, propagate, ...(pool === undefined ? {} : { pool }) };
      }),
  };
}

/** A run that was cut short may have made the user already, and given back a part of its rights, or none. */
function complete(present: KeptAccount, kept: KeptAccount | undefined): KeptAccount {
  const acls = new Map(
    [...(kept?.acls ?? []), ...present.acls].map((acl) => [`${acl.path} ${acl.role}`, acl]),
  );
  return {
    ...present,
    groups: sortedUnique([...present.groups, ...(kept?.groups ?? [])]),
    acls: [...acls.values()].sort((a, b) => compareNatural(a.path, b.path) || compareNatural(a.role, b.role)),
  };
}

/**
 * What waited in a file may be old by now: the number of a machine that is gone is somebody else's some day. PVE moves
 * no machine to another pool by itself, and lets nobody make one in a pool that is not theirs.
 */
function stillTheirs(userid: string, kept: KeptAccount, context: UsersContext): KeptAccount {
  const acls = kept.acls.flatMap((acl): KeptAccount['acls'] => {
    const vmid = vmidIn(acl.path);
    if (vmid === undefined) return [acl];
    const pool = poolAt(vmid, context);
    if (pool === undefined) return [];
    const isOwn = pool !== null && context.index.marks.get(pool)?.user === userid;
    const isTheirs = pool === acl.pool || isOwn;
    return isTheirs ? [{ ...acl, pool }] : [];
  });
  return { ...kept, acls };
}

function recreateStep(userid: string, account: KeptAccount): Step {
  const frame = { user: userid, reason: 'an API token cannot set a password' };
  return makeStep('user.recreate', userid, frame, { userid, ...account });
}

/** What PVE takes away with the user is given back a moment later; for that moment nothing else may hang on it. */
function planRecreated(userid: string, kept: KeptAccount | undefined, context: UsersContext): Step | Refusal {
  const present = context.index.users.get(userid);
  const right = present && poolRightOf(present, context.have.poolWriters);
  if (right) return poolRightRefusal(userid, right);
  const account = present ? complete(accountOf(present, context), kept) : kept;
  return account ? recreateStep(userid, account) : missing(userid);
}

export function planPassword(user: User, options: PasswordOptions, context: UsersContext): UserDraft {
  const { userid } = user;
  const who = { userid, pool: poolNameOf(userid, context.index) };
  const present = context.index.users.get(userid);
  const written = options.kept?.get(userid);
  const kept = written && stillTheirs(userid, written, context);
  if (!present && !(options.recreate && kept)) return draft(who, { refused: missing(userid) });
  const refused = present && obstacle(present, options, context);
  if (refused) return draft(who, options.named ? { refused } : { notes: [refused.message] });
  if (options.recreate || !present) {
    const step = planRecreated(userid, kept, context);
    return draft(who, 'code' in step ? { refused: step } : { steps: [step] });
  }
  return draft(who, { steps: [newPasswordStep(present)] });
}
