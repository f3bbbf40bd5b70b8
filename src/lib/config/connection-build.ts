/** Makes a Connection from the keys of a connections file, wherever they came from. Messages never hold a secret. */
import { resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { hostTexts, isFernet, isPem, parseFingerprints, parseHost } from './connection-parts.ts';
import { parseUserId } from './names.ts';
import { readTextFile } from './read-text.ts';
import type { Connection } from './types.ts';
import { integer, text, type Written } from './written.ts';

export interface Draft {
  /** Not validated yet. */
  readonly raw: Written;
  /** Where relative paths of this key start. */
  readonly folderOf: (key: string) => string;
  readonly fail: (
    key: string,
    message: string,
    details?: { readonly value?: unknown; readonly hint?: string | undefined },
  ) => void;
}

/** PVE's proxy answers 596 after 30 s; the client has to be more patient than that. */
const DEFAULT_TIMEOUT_S = 60;

function hostsOf({ raw, fail }: Draft): string[] {
  const { host } = raw;
  if (typeof host !== 'string' && !Array.isArray(host)) return [];
  return hostTexts(host).flatMap((written) => {
    const parsed = parseHost(written);
    if ('value' in parsed) return [parsed.value];
    // It may be a URL with a password in it: the value is not shown.
    fail('host', parsed.problem, { hint: parsed.hint });
    return [];
  });
}

function userOf({ raw, fail }: Draft): string | undefined {
  const user = text(raw['user'])?.trim();
  if (user === undefined) return undefined;
  if (parseUserId(user.replace(/![^!]*$/, ''))) return user;
  fail('user', 'is no user of PVE', { value: user, hint: 'write name@realm, for example deployer@pve' });
  return undefined;
}

function secretOf({ raw, fail }: Draft, key: 'password' | 'token_value'): string | undefined {
  const secret = text(raw[key]);
  if (secret === undefined || secret === '') return undefined;
  if (!isFernet(secret)) return secret;
  fail(key, 'this secret was encrypted by the older Python deploy-stand and cannot be read', {
    hint: 're-enter this secret: write the password or token secret itself',
  });
  return undefined;
}

/** `user` and `token_name`, or the whole id in either of them. */
function tokenIdOf(draft: Draft): string | undefined {
  const { raw, fail } = draft;
  const name = text(raw['token_name'])?.trim();
  const whole = name?.includes('!') ? name : undefined;
  const user = whole === undefined ? userOf(draft) : undefined;
  if (whole === undefined && !user?.includes('!')) {
    if (name === undefined) {
      fail('token_name', 'is missing', { hint: 'add the name of the API token, the part after the "!"' });
    }
    if (raw['user'] === undefined) fail('user', 'is missing: whose token is it?', { hint: 'add name@realm' });
    if (name === undefined || user === undefined) return undefined;
  }
  const id = whole ?? (user?.includes('!') ? user : `${user ?? ''}!${name ?? ''}`);
  if (/^[^\s!]+@[A-Za-z][\w.-]+![A-Za-z][\w.-]+$/.test(id)) return id;
  fail('token_name', 'is no name of an API token', { hint: 'the whole id looks like deployer@pve!deploy' });
  return undefined;
}

function tokenAuth(draft: Draft): Connection['auth'] | undefined {
  const tokenId = tokenIdOf(draft);
  const secret = secretOf(draft, 'token_value');
  if (draft.raw['token_value'] === undefined) {
    draft.fail('token_value', 'is missing', { hint: 'add the secret of the API token' });
  }
  return tokenId === undefined || secret === undefined ? undefined : { kind: 'token', tokenId, secret };
}

function passwordAuth(draft: Draft): Connection['auth'] | undefined {
  const user = userOf(draft);
  const password = secretOf(draft, 'password');
  if (draft.raw['user'] === undefined) draft.fail('user', 'is missing', { hint: 'add name@realm' });
  if (draft.raw['password'] === undefined) {
    draft.fail('password', 'is missing', {
      hint: 'add the password, or the name and secret of an API token',
    });
  }
  return user === undefined || password === undefined ? undefined : { kind: 'password', user, password };
}

function authOf(draft: Draft): Connection['auth'] | undefined {
  const { raw } = draft;
  const isToken = raw['use_token'] ?? (raw['token_value'] !== undefined || raw['token_name'] !== undefined);
  return isToken === true ? tokenAuth(draft) : passwordAuth(draft);
}

function caOf({ raw, folderOf, fail }: Draft): string | undefined {
  const file = text(raw['ca_file']);
  if (file === undefined) return undefined;
  const hint = 'copy /etc/pve/pve-root-ca.pem from a node of the cluster';
  try {
    const pem = readTextFile(resolve(folderOf('ca_file'), file)).text;
    if (isPem(pem)) return pem;
    fail('ca_file', 'the file holds no PEM certificate', { value: file, hint });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    fail('ca_file', error.issues[0]?.message ?? error.message, { value: file, hint });
  }
  return undefined;
}

function fingerprintOf({ raw, fail }: Draft): string | undefined {
  const { fingerprint } = raw;
  if (typeof fingerprint !== 'string' && !Array.isArray(fingerprint)) return undefined;
  const parsed = parseFingerprints([fingerprint].flat().map(String));
  if ('value' in parsed) return parsed.value;
  fail('fingerprint', parsed.problem, { value: fingerprint, hint: parsed.hint });
  return undefined;
}

/** Undefined iff `fail` was called. */
export function buildConnection(name: string, draft: Draft): Connection | undefined {
  const failed = new Set<string>();
  const watched: Draft = {
    ...draft,
    fail: (key, message, details) => {
      failed.add(key);
      draft.fail(key, message, details);
    },
  };
  const hosts = hostsOf(watched);
  if (hosts.length === 0 && !failed.has('host'))
    watched.fail('host', 'is missing', { hint: 'add host or host:port' });
  const auth = authOf(watched);
  const ca = caOf(watched);
  const fingerprint = fingerprintOf(watched);
  if (failed.size > 0 || !auth) return undefined;
  return {
    name,
    hosts,
    auth,
    tls: {
      verify: draft.raw['verify_ssl'] !== false,
      ...(ca === undefined ? {} : { ca }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    },
    timeout: (integer(draft.raw['timeout']) ?? DEFAULT_TIMEOUT_S) * 1000,
  };
}
