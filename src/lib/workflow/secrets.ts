/** Passwords for the executor: from the credentials file and the lab, by reference. Never prints one. */
import type { Lab, User } from '../config/types.ts';
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import { generatePassword } from '../credentials/password.ts';
import type { Secrets } from '../execute/types.ts';
import type { Inventory } from '../inventory/types.ts';
import { isUserMarked } from '../plan/marks.ts';
import type { Plan } from '../plan/types.ts';

export function createSecrets(lab: Lab, users: readonly User[], file: CredentialsFile): Secrets {
  const pools = new Map(users.map((user) => [user.userid, user.pool]));
  const passwords = new Map(lab.machines.map((machine) => [machine.name, machine.cloudInit?.password]));
  return {
    passwordFor: (userid) =>
      file.pending(userid, pools.get(userid) ?? '', () => generatePassword(lab.passwords)),
    settle: (userid, state) => file.settle(userid, state, pools.get(userid) ?? ''),
    cloudInitPassword: (machine) => passwords.get(machine),
  };
}

/**
 * Says in the file what is known of users that exist already. A row left `pending` by a run that was killed: a user
 * with our mark was created with that password, one without was there before.
 */
export async function settleExisting(plan: Plan, have: Inventory, file: CredentialsFile): Promise<void> {
  const existing = new Map(have.users.map((user) => [user.userid, user]));
  const changes: Promise<void>[] = [];
  for (const stand of plan.stands) {
    const user = existing.get(stand.user);
    if (!user || stand.refused) continue;
    const state = file.row(stand.user)?.state;
    if (state === 'pending') {
      changes.push(file.settle(stand.user, isUserMarked(user.comment) ? 'set' : 'unchanged', stand.pool));
    } else if (state === undefined || state === 'removed') {
      changes.push(file.settle(stand.user, 'unchanged', stand.pool));
    }
  }
  await Promise.all(changes);
}
