/** Plans new passwords, only for users of ours unless it was asked for in so many words. */
import { realmIn } from '../../pve-values/userid.ts';
import type { User } from '../../config/types.ts';
import type { UserInfo } from '../../inventory/types.ts';
import { isUserMarked } from '../../marks/user.ts';
import { compareNatural } from '../../order.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { Refusal } from '../document/plan.ts';
import { isDirectory } from '../stands/accounts.ts';
import { draft, poolNameOf, type UserDraft, type UsersContext } from './context.ts';

export interface PasswordOptions {
  readonly named: boolean;
  readonly recreate: boolean;
  readonly forceForeign: boolean;
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
  const realm = realmIn(userid);
  if (isDirectory(realm, context.have)) {
    return {
      code: 'DIRECTORY_ACCOUNT',
      message: `the password of ${userid} is kept by the directory behind realm ${realm}`,
      hint: 'change it there',
    };
  }
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

function recreateStep(present: UserInfo, { have }: UsersContext): Step {
  const { userid, comment, groups, email, firstName, lastName, expire, enabled } = present;
  const acls = have.acls
    .filter((entry) => entry.type === 'user' && entry.subject === userid)
    .map(({ path, role, propagate }) => ({ path, role, propagate }))
    .sort((a, b) => compareNatural(a.path, b.path) || compareNatural(a.role, b.role));
  return makeStep(
    'user.recreate',
    userid,
    { user: userid, reason: 'an API token cannot set a password' },
    {
      userid,
      comment,
      groups,
      ...(email === '' ? {} : { email }),
      ...(firstName === '' ? {} : { firstName }),
      ...(lastName === '' ? {} : { lastName }),
      ...(expire === 0 ? {} : { expire }),
      enable: enabled,
      acls,
    },
  );
}

export function planPassword(user: User, options: PasswordOptions, context: UsersContext): UserDraft {
  const { userid } = user;
  const who = { userid, pool: poolNameOf(userid, context.index) };
  const present = context.index.users.get(userid);
  if (!present) return draft(who, { refused: missing(userid) });
  const refused = obstacle(present, options, context);
  if (refused) return draft(who, options.named ? { refused } : { notes: [refused.message] });
  const step = options.recreate
    ? recreateStep(present, context)
    : makeStep(
        'user.password',
        userid,
        { user: userid, reason: 'as asked' },
        { userid, comment: present.comment },
      );
  return draft(who, { steps: [step] });
}
