/** Endpoints about users, realms, roles and ACLs. Must not decide anything. */
import { isRecord, plainEntries } from './answer.ts';
import { isNotFound } from './words.ts';
import { path } from './form.ts';
import type { Requests } from './http.ts';
import { rowOf, rowsOf, unexpected, valuesOf, type Row } from './rows.ts';
import type { ConnectionSettings, PveApi } from './types.ts';
import { ROOT } from '../pve-values/userid.ts';

type AccessApi = Pick<
  PveApi,
  | 'users'
  | 'user'
  | 'createUser'
  | 'updateUser'
  | 'setPassword'
  | 'deleteUser'
  | 'realms'
  | 'groups'
  | 'roles'
  | 'createRole'
  | 'permissions'
  | 'acls'
  | 'grant'
  | 'revoke'
>;

export function accessApi(
  http: Requests,
  auth: ConnectionSettings['auth'],
  /** Is it at least 8.2? */
  wantsConfirmation: (signal?: AbortSignal) => Promise<boolean>,
): AccessApi {
  return {
    // Only the full form tells the groups.
    users: async (signal) => rowsOf(await http.get('/access/users', { full: true }, signal)).map(userOf),
    user: async (userid, signal) => {
      try {
        const row = rowOf(await http.get(path`/access/users/${userid}`, {}, signal));
        return { comment: row.comment('comment'), enabled: row.flag('enable', true) };
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    createUser: async (user, signal) => {
      const params = {
        userid: user.userid,
        password: user.password,
        comment: unlessEmpty(user.comment),
        groups: unlessEmpty(user.groups.join(',')),
        email: user.email,
        firstname: user.firstName,
        lastname: user.lastName,
        expire: user.expire,
        enable: user.enable,
      };
      await http.post('/access/users', params, signal);
    },
    updateUser: async (userid, change, signal) => {
      const params = {
        comment: change.comment,
        groups: change.groups?.join(','),
        email: change.email,
        firstname: change.firstName,
        lastname: change.lastName,
        expire: change.expire,
        enable: change.enable,
      };
      await http.put(path`/access/users/${userid}`, params, signal);
    },
    setPassword: async (userid, password, signal) => {
      // Before 8.2 the parameter is unknown, and refused as such (pve-access-control 8.1.3).
      const confirms = auth.kind === 'password' && auth.user !== ROOT && (await wantsConfirmation(signal));
      const confirmation = confirms ? { 'confirmation-password': auth.password } : {};
      await http.put('/access/password', { userid, password, ...confirmation }, signal);
    },
    deleteUser: async (userid, signal) => {
      await http.delete(path`/access/users/${userid}`, {}, signal);
    },
    realms: async (signal) =>
      rowsOf(await http.get('/access/domains', {}, signal)).map((row) => ({
        realm: row.text('realm'),
        type: row.text('type'),
      })),
    groups: async (signal) =>
      rowsOf(await http.get('/access/groups', {}, signal)).map((row) => row.text('groupid')),
    roles: async (signal) =>
      rowsOf(await http.get('/access/roles', {}, signal)).map((row) => ({
        role: row.text('roleid'),
        privileges: row.list('privs'),
      })),
    createRole: async (roleid, privileges, signal) => {
      await http.post('/access/roles', { roleid, privs: privileges.join(',') }, signal);
    },
    permissions: async (signal) => {
      const answer = await http.get('/access/permissions', {}, signal);
      if (!isRecord(answer.data)) throw unexpected(answer, 'data is not an object');
      return Object.fromEntries(plainEntries(answer.data).map(([at, held]) => [at, flagsOf(held)]));
    },
    acls: async (signal) => rowsOf(await http.get('/access/acl', {}, signal)).flatMap(aclOf),
    grant: async ({ role, userid, propagate, ...at }, signal) => {
      await http.put('/access/acl', { path: at.path, roles: role, users: userid, propagate }, signal);
    },
    revoke: async ({ role, userid, ...at }, signal) => {
      await http.put('/access/acl', { path: at.path, roles: role, users: userid, delete: true }, signal);
    },
  };
}

function flagsOf(held: unknown): Readonly<Record<string, boolean>> {
  const flags: Record<string, boolean> = {};
  for (const [name, value] of Object.entries(valuesOf(held))) flags[name] = value === '1';
  return flags;
}

function unlessEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function userOf(row: Row): Awaited<ReturnType<PveApi['users']>>[number] {
  return {
    userid: row.text('userid'),
    comment: row.comment('comment'),
    enabled: row.flag('enable', true),
    expire: row.maybeNumber('expire') ?? 0,
    email: row.maybeText('email') ?? '',
    firstName: row.maybeText('firstname') ?? '',
    lastName: row.maybeText('lastname') ?? '',
    groups: row.list('groups'),
  };
}

function aclOf(row: Row): Awaited<ReturnType<PveApi['acls']>> {
  const type = row.text('type');
  if (type !== 'user' && type !== 'group' && type !== 'token') return [];
  return [
    {
      path: row.text('path'),
      role: row.text('roleid'),
      subject: row.text('ugid'),
      type,
      propagate: row.flag('propagate', true),
    },
  ];
}
