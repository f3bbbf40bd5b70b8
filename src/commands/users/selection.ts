/** What the flags of `users` mean: who, which lab, where the passwords are. */
import { DEFAULT_PASSWORDS, DEFAULT_ROLE } from '../../lib/config/lab/normalise.ts';
import { loadLab, loadUsers, parseUserIds, poolOptions } from '../../lib/config/load.ts';
import type { Lab, PasswordPolicy, User } from '../../lib/config/types.ts';
import { UsageError } from '../../lib/errors.ts';
import { isThere } from '../../lib/files/open.ts';
import type { GlobalFlags } from '../options.ts';
import { pickUsers } from '../selection.ts';

export interface UsersFlags extends GlobalFlags {
  readonly config?: string;
  readonly labName?: string;
  readonly users?: readonly string[];
  readonly user?: readonly string[];
  readonly credentials?: string;
}

export interface Selection {
  /** Undefined: nobody was selected. */
  readonly users: readonly User[] | undefined;
  /** By --user. */
  readonly named: boolean;
  readonly lab: Lab | undefined;
}

type Warn = (text: string) => void;

/** `--user` alone names users of the cluster; with `-u` it picks from the file. */
function usersOf(
  { users: files, user: names }: UsersFlags,
  lab: Lab | undefined,
  warn: Warn,
): User[] | undefined {
  if (files && files.length > 0) {
    const { users, warnings } = loadUsers(files, poolOptions(lab));
    warnings.forEach(warn);
    return names ? pickUsers(users, names, '--user') : [...users];
  }
  if (!names) return undefined;
  const loaded = parseUserIds(names, '--user');
  loaded.warnings.forEach(warn);
  return [...loaded.users];
}

function labOf(flags: UsersFlags, warn: Warn): Lab | undefined {
  if (flags.config === undefined) return undefined;
  const { lab, warnings } = loadLab(flags.config, flags.labName === undefined ? {} : { name: flags.labName });
  warnings.forEach(warn);
  return lab;
}

export function readUsersSelection(flags: UsersFlags, warn: Warn): Selection {
  const lab = labOf(flags, warn);
  return { users: usersOf(flags, lab, warn), named: flags.user !== undefined, lab };
}

export function selectedUsers({ users }: Selection): readonly User[] {
  if (users) return users;
  throw new UsageError('NO_SELECTION', 'tell whom this is about', {
    hint: 'use -u users.yml for a class, or --user ID (which may be repeated)',
  });
}

export function passwordsOf({ lab }: Selection): PasswordPolicy {
  return lab?.passwords ?? DEFAULT_PASSWORDS;
}

export function roleOf({ lab }: Selection): string {
  return lab?.access.role ?? DEFAULT_ROLE;
}

/** Where new passwords go: the file that deploy uses for this lab. */
export function credentialsPath({ credentials }: UsersFlags, { lab }: Selection): string {
  return credentials ?? (lab ? `credentials-${lab.name}.csv` : 'credentials.csv');
}

/** The same for commands that only look into it. */
export function presentCredentials(flags: UsersFlags, selection: Selection): string | undefined {
  const file = credentialsPath(flags, selection);
  return flags.credentials !== undefined || isThere(file) ? file : undefined;
}
