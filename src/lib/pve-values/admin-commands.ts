/** The commands that an administrator is told to type: the one place where a hint of `pveum`, `qm` or `pct` is made. */
import { shellCommand } from '../shell.ts';
import { kindTool, USUAL_KIND, type GuestAt } from './guest-kinds.ts';

type Guest = Pick<GuestAt, 'vmid' | 'type'>;

/** Where one of these is typed, as hints have it. */
export function asRoot({ node }: Pick<GuestAt, 'node'>, command: string): string {
  return `as root on ${node}: \`${command}\``;
}

/** Of root, on the guest's node: `qm unlock 100`. */
export function guestCommand({ vmid, type = USUAL_KIND }: Guest, action: string, ...args: string[]): string {
  return shellCommand(kindTool(type), action, String(vmid), ...args);
}

export function destroyCommand(guest: Guest): string {
  return guestCommand(guest, 'destroy', '--purge');
}

/** What a failed removal or clone left. */
export function destroyLockedCommand(guest: Guest): string {
  return `${guestCommand(guest, 'unlock')} && ${destroyCommand(guest)}`;
}

/** A template by its option alone is a machine again. */
export function noTemplateCommand(guest: Guest): string {
  return guestCommand(guest, 'set', '--template', '0');
}

/** `isLive`: PVE heeds it only for a running machine. */
export function moveCommand(guest: Guest, target: string, isLive = true): string {
  return guestCommand(guest, 'migrate', target, ...(isLive ? ['--online'] : []));
}

interface Right {
  readonly path: string;
  readonly role: string;
  readonly type: 'user' | 'group' | 'token';
}

const OPTION = { user: '--users', group: '--groups', token: '--tokens' } as const;

/** One line; the subjects have the same right. */
export function takeAwayCommand({ path, role, type }: Right, ...subjects: string[]): string {
  return shellCommand('pveum', 'acl', 'delete', path, '--roles', role, OPTION[type], subjects.join(','));
}

/** The role holds just these afterwards. */
export function setRoleCommand(role: string, privileges: readonly string[]): string {
  return shellCommand('pveum', 'role', 'modify', role, '--privs', privileges.join(','));
}

/** The role holds these, too, afterwards. */
export function widenRoleCommand(role: string, privileges: readonly string[]): string {
  return shellCommand('pveum', 'role', 'modify', role, '--privs', privileges.join(','), '--append', '1');
}

export function addRoleCommand(role: string, privileges: readonly string[]): string {
  return shellCommand('pveum', 'role', 'add', role, '--privs', privileges.join(','));
}

export function giveRightCommand(
  { path, role, type, propagate }: Right & { readonly propagate: boolean },
  subject: string,
): string {
  return shellCommand(
    ...['pveum', 'acl', 'modify', path, OPTION[type], subject, '--roles', role],
    ...(propagate ? [] : ['--propagate', '0']),
  );
}

export function addUserCommand(userid: string, comment: string): string {
  return shellCommand('pveum', 'user', 'add', userid, '--comment', comment);
}

export function disableUserCommand(userid: string): string {
  return shellCommand('pveum', 'user', 'modify', userid, '--enable', '0');
}

export function enableUserCommand(userid: string): string {
  return shellCommand('pveum', 'user', 'modify', userid, '--enable', '1');
}

export function addGroupCommand(group: string): string {
  return shellCommand('pveum', 'group', 'add', group);
}

/** With all that its owner may do. */
export function addTokenCommand(userid: string, name: string): string {
  return shellCommand('pveum', 'user', 'token', 'add', userid, name, '--privsep', '0');
}
