/** What holds for users in every plan: realms, groups, passwords, pools. */
import { looksLikeAddress, nameIn, realmIn } from '../../pve-values/userid.ts';
import type { PasswordPolicy, User } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { delegatedRefusal } from '../cluster/delegated.ts';
import type { ClusterView } from '../cluster/view.ts';
import { formatUserMark } from '../../marks/user.ts';
import { compareNatural } from '../../order.ts';
import { makeStep, type Step, type StepOf } from '../document/step.ts';
import type { Refusal } from '../document/plan.ts';
import { addGroupCommand } from '../../pve-values/admin-commands.ts';
import { isAtLeast } from '../../pve-values/version.ts';

/** LDAP, AD and OpenID keep passwords themselves; PVE sets those of `pve` and `pam` only. */
export function isDirectory(realm: string, have: Inventory): boolean {
  const type = have.realms[realm];
  return type !== undefined && type !== 'pve' && type !== 'pam';
}

export function groupRefusal({ groups }: User, have: Inventory): Refusal | undefined {
  // An empty list is that of a cluster without groups, or of a caller who is shown none.
  if (have.groups.length === 0 && have.hidden?.groups !== false) return undefined;
  const missing = groups.filter((group) => !have.groups.includes(group));
  if (missing.length === 0) return undefined;
  return {
    code: 'NO_GROUP',
    message: `the cluster has no group ${missing.join(', ')}`,
    hint: `create it (on a node: ${missing.map(addGroupCommand).join(' && ')}), or remove it from the users file`,
  };
}

function addressHint({ userid }: User): string {
  if (!looksLikeAddress(userid)) return '';
  return `; this is an e-mail address: write { userid: ${nameIn(userid)}@pve, email: ${userid} }`;
}

/** Why this user cannot be made; groups count only for one that is not there yet. */
export function realmRefusal(user: User, have: Inventory, index: ClusterView): Refusal | undefined {
  const realms = Object.keys(have.realms);
  if (realms.length > 0 && !realms.includes(user.realm)) {
    return {
      code: 'NO_REALM',
      message: `the cluster has no realm "${user.realm}"`,
      hint: `realms there: ${realms.sort(compareNatural).join(', ')}${addressHint(user)}`,
    };
  }
  return index.users.has(user.userid) ? undefined : groupRefusal(user, have);
}

/** A pool that is not there yet: a claim that is written into it by somebody else's leave would prove nothing, either. */
export function poolRefusal(user: User, index: ClusterView, adopt: boolean): Refusal | undefined {
  const delegated = index.delegated(user.pool);
  if (delegated !== undefined) return delegatedRefusal(user.pool, delegated, index);
  const mark = index.marks.get(user.pool);
  if (!mark) return undefined;
  if (mark.user === undefined) {
    if (adopt) return undefined;
    return {
      code: 'POOL_FOREIGN',
      message: `pool ${user.pool} exists and was not made by deploy-stand`,
      hint: 'use it with --adopt (members called like machines of the lab become ours, the others stay foreign), or set another `pool:` in the users file',
    };
  }
  if (mark.user === user.userid) return undefined;
  return {
    code: 'POOL_OTHER_USER',
    message: `pool ${user.pool} belongs to ${mark.user}, not to ${user.userid}`,
    hint: 'set another `pool:` for one of them in the users file',
  };
}

/** `since`: the moment of the plan. */
export function createUserStep(user: User, have: Inventory, since: string): StepOf<'user.create'> {
  const { userid, groups, email, firstName, lastName, expire } = user;
  return makeStep(
    'user.create',
    userid,
    { user: userid, reason: 'missing' },
    {
      userid,
      comment: formatUserMark(since),
      groups,
      ...(email === undefined ? {} : { email }),
      ...(firstName === undefined ? {} : { firstName }),
      ...(lastName === undefined ? {} : { lastName }),
      ...(expire === undefined ? {} : { expire }),
      password: isDirectory(user.realm, have) ? 'directory' : 'generate',
    },
  );
}

function makesPassword(step: Step): boolean {
  if (step.kind === 'user.create') return step.password === 'generate';
  return step.kind === 'user.password' || step.kind === 'user.recreate';
}

/** Since pve-access-control 8.2.0, which came with 8.3, a new password has at least 8 characters; 5 before. */
function shortestPassword(version: string): number {
  return isAtLeast(version, 8, 3) ? 8 : 5;
}

/** PVE would refuse each of the passwords that this plan is going to make. */
export function passwordRefusal(
  { length }: PasswordPolicy,
  steps: readonly Step[],
  { version }: Inventory,
): Refusal | undefined {
  const least = shortestPassword(version);
  if (length >= least || !steps.some(makesPassword)) return undefined;
  return {
    code: 'PASSWORD_TOO_SHORT',
    message: `passwords of ${length} characters are asked for; PVE ${version} refuses less than ${least}`,
    hint: `set \`passwords: { length: ${least} }\` or more in the lab file`,
  };
}

/** PVE keeps no account of its own in this realm: it sets the password of one that the node's system has. */
export function pamWarnings(steps: readonly Step[], { realms }: Inventory): string[] {
  const names = steps.flatMap((step) => {
    const isPam = step.kind === 'user.create' && realms[realmIn(step.userid)] === 'pam';
    return isPam ? [step.userid] : [];
  });
  if (names.length === 0) return [];
  return [
    `${names.join(', ')}: a user of the realm pam must exist in the system of each node that students log in to; the password is set on one node only`,
  ];
}
