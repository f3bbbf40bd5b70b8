/** What a connection to VMmanager 6 has instead of PVE's keys. Fetches no secret, and shows none. */
import { text } from '../input/written.ts';
import { secretOf, type Account, type Draft } from './draft.ts';

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
