/** Passwords for the executor: from the credentials file and the lab, by reference. Never prints one. */
import type { Lab, PasswordPolicy, User } from '../config/types.ts';
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import { generatePassword } from '../credentials/password.ts';
import type { Secrets } from '../execute/types.ts';
import type { Inventory } from '../inventory/types.ts';
import { isUserMarked } from '../marks/user.ts';
import type { Plan } from '../plan/document/plan.ts';

/** For commands that concern users alone. */
export function createUserSecrets(
  policy: PasswordPolicy,
  users: readonly Pick<User, 'userid' | 'pool'>[],
  file: CredentialsFile,
): Secrets {
  const pools = new Map(users.map((user) => [user.userid, user.pool]));
  const poolOf = (userid: string): string => pools.get(userid) ?? '';
  const make = (): string => generatePassword(policy);
  return {
    passwordFor: (userid) => file.pending(userid, poolOf(userid), make),
    replacementFor: (userid) => file.replacement(userid, poolOf(userid), make),
    settle: (userid, state) => file.settle(userid, state, poolOf(userid)),
    cloudInitPassword: () => undefined,
  };
}

export function createSecrets(lab: Lab, users: readonly User[], file: CredentialsFile): Secrets {
  const passwords = new Map(lab.machines.map((machine) => [machine.name, machine.cloudInit?.password]));
  return {
    ...createUserSecrets(lab.passwords, users, file),
    cloudInitPassword: (machine) => passwords.get(machine),
  };
}

/**
 * Says in the file what is known of users that exist already. A row left `pending` by a run that was killed: a user
 * with our mark was created with that password, one without was there before.
 */
export async function settleExisting(
  plan: Pick<Plan, 'stands'>,
  have: Inventory,
  file: CredentialsFile,
): Promise<void> {
  const existing = new Map(have.users.map((user) => [user.userid, user]));
  const changes: Promise<void>[] = [];
  for (const stand of plan.stands) {
    const user = existing.get(stand.user);
    // A change that was cut short may or may not have happened: only `users passwd` can bring it to an end.
    if (!user || stand.refused || file.isChanging(stand.user)) continue;
    const state = file.row(stand.user)?.state;
    if (state === 'pending') {
      changes.push(file.settle(stand.user, isUserMarked(user.comment) ? 'set' : 'unchanged', stand.pool));
    } else if (state === undefined || state === 'removed') {
      changes.push(file.settle(stand.user, 'unchanged', stand.pool));
    }
  }
  await Promise.all(changes);
}
