/** What a connection to VMmanager 6 has instead of PVE's keys, and what it has not. Fetches no secret, and shows none. */
import { text, type Written } from '../input/written.ts';
import { secretOf, type Account, type Draft } from './draft.ts';

export function isVmmanager(raw: Written): boolean {
  return raw['platform'] === 'vmmanager6';
}

/** Keys that only Proxmox VE has a meaning for. */
const OF_PVE = ['user', 'use_token', 'token_name', 'token_value', 'operators', 'bridge_range'];

/** Keys that only VMmanager 6 has a meaning for. */
const OF_VMMANAGER = ['email', 'time_zone', 'ssh'];

export function pveHasNo({ raw, fail }: Draft): void {
  for (const key of OF_VMMANAGER) {
    if (raw[key] === undefined) continue;
    fail(key, 'has no meaning for Proxmox VE', {
      hint: 'add "platform: vmmanager6" if it is one, or remove it',
    });
  }
}

/** Complains of keys that mean nothing there, and of a second address. */
export function vmmanagerHasNo({ raw, fail }: Draft, hosts: readonly string[]): void {
  for (const key of OF_PVE) {
    if (raw[key] === undefined) continue;
    fail(key, 'has no meaning for VMmanager 6', {
      hint: key === 'user' ? 'the account is the e-mail address of email:' : 'remove it',
    });
  }
  if (hosts.length > 1)
    fail('host', 'names several hosts; an installation of VMmanager 6 has one address', {
      hint: 'make a connection for each installation',
    });
}

export function vmmanagerAccount(draft: Draft): Account | undefined {
  const { raw, fail } = draft;
  const email = text(raw['email'])?.trim();
  if (email === undefined || email === '') {
    fail('email', 'is missing', { hint: 'add the e-mail address that the account logs in with' });
  }
  if (raw['password'] === undefined)
    fail('password', 'is missing', { hint: 'add the password of the account, or where it is kept' });
  const secret = secretOf(draft, 'password');
  if (email === undefined || email === '' || secret === undefined) return undefined;
  return { login: { kind: 'password', id: email }, secret, secretKey: 'password' };
}

export function timeZoneOf({ raw, fail }: Draft): string | undefined {
  const zone = text(raw['time_zone'])?.trim();
  if (zone === undefined) return undefined;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch {
    fail('time_zone', 'is no time zone', { value: zone, hint: 'for example Europe/Moscow, or UTC' });
    return undefined;
  }
}
