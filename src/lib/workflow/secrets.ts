/** Passwords for the executor: from the credentials file and the lab, by reference. Never prints one. */
import type { Lab, PasswordPolicy, User } from '../config/types.ts';
import { ConfigError, InternalError } from '../errors.ts';
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import { generatePassword } from '../credentials/password.ts';
import type { Secrets } from '../execute/types.ts';
import type { Inventory } from '../inventory/types.ts';
import { isUserMarked } from '../marks/user.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { KeptAccount } from '../plan/document/steps/users.ts';

const noPassword = (userid: string): Promise<never> =>
  Promise.reject(new InternalError('NO_SECRETS', `no password was provided for ${userid}`));

/** For runs whose steps need no password. */
export const NO_SECRETS: Secrets = {
  passwordFor: noPassword,
  replacementFor: noPassword,
  settle: () => Promise.resolve(),
  cloudInitPassword: () => undefined,
};

/** For commands that concern users alone. */
export function createUserSecrets(
  policy: PasswordPolicy,
  users: readonly Pick<User, 'userid' | 'pool'>[],
  file: CredentialsFile,
): Secrets {
  file.inOrderOf(users);
  const pools = new Map(users.map((user) => [user.userid, user.pool]));
  const poolOf = (userid: string): string => pools.get(userid) ?? '';
  const make = (): string => generatePassword(policy);
  return {
    passwordFor: (userid) => file.pending({ userid, pool: poolOf(userid) }, make),
    replacementFor: (userid, account) => file.replacement({ userid, pool: poolOf(userid) }, make, account),
    settle: (userid, state) => file.settle(userid, state, poolOf(userid)),
    cloudInitPassword: () => undefined,
  };
}

function machinePasswords(lab: Lab): Secrets['cloudInitPassword'] {
  const passwords = new Map(lab.machines.map((machine) => [machine.name, machine.cloudInit?.password]));
  return (machine) => passwords.get(machine);
}

/** For commands that make machines, and no users. */
export function createMachineSecrets(lab: Lab): Secrets {
  return { ...NO_SECRETS, cloudInitPassword: machinePasswords(lab) };
}

export function createSecrets(lab: Lab, users: readonly User[], file: CredentialsFile): Secrets {
  return { ...createUserSecrets(lab.passwords, users, file), cloudInitPassword: machinePasswords(lab) };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isAbsentOr = (kind: 'string' | 'number', value: unknown): boolean =>
  value === undefined || typeof value === kind;

function isAcl(value: unknown): boolean {
  const { path, role, propagate, pool } = Object(value) as Record<string, unknown>;
  const isSaid = isText(path) && isText(role) && typeof propagate === 'boolean';
  return isSaid && (pool === null || isAbsentOr('string', pool));
}

/** As the handler that makes a user anew wrote it down; the file may have been edited. */
function isKeptAccount(value: unknown): value is KeptAccount {
  const { comment, groups, acls, enable, expire, ...names } = Object(value) as Record<string, unknown>;
  const isNamed = ['email', 'firstName', 'lastName'].every((key) => isAbsentOr('string', names[key]));
  const isListed = Array.isArray(groups) && groups.every(isText) && Array.isArray(acls) && acls.every(isAcl);
  return (
    isText(comment) && isListed && typeof enable === 'boolean' && isNamed && isAbsentOr('number', expire)
  );
}

/** Userid → what a run that was cut short was to give back to a user that it made anew. */
export function keptAccounts(file: CredentialsFile): ReadonlyMap<string, KeptAccount> {
  return new Map(
    file.rows().flatMap(({ userid, account }): [string, KeptAccount][] => {
      if (account === undefined) return [];
      let value: unknown;
      try {
        value = JSON.parse(account);
      } catch {
        value = undefined;
      }
      if (isKeptAccount(value)) return [[userid, value]];
      throw new ConfigError(
        'CREDENTIALS_FILE',
        `${file.path}: what is kept of the account of ${userid} (column "account") cannot be read`,
        {
          hint: 'bring the cell back from a copy of the file; or empty it, and give the user its details and rights by hand',
        },
      );
    }),
  );
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
