/** Makes a connection from the keys of a connections file, wherever they came from. Fetches no secret, and shows none. */
import { parseUserId, tokenIn, userIn } from '../../pve-values/userid.ts';
import { resolve } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { hostTexts, parseFingerprints, parseHost, readAuthority } from './parts.ts';
import { hasOwnKey, platformIn, PLATFORMS } from './platform.ts';
import { sshOf } from './ssh.ts';
import { timeZoneOf, vmmanagerAccount } from './vmmanager.ts';
import { secretOf, type Account, type Draft } from './draft.ts';
import type { StoredConnection } from './types.ts';
import { bridgeRangeOf, bridgeRangeProblem } from '../lab/bridge-range.ts';
import type { BridgeRange, Platform } from '../types.ts';
import { integer, text } from '../input/written.ts';

/** PVE's proxy answers 596 after 30 s; the client has to be more patient than that. */
const DEFAULT_TIMEOUT_S = 60;

function hostsOf({ raw, fail }: Draft): string[] {
  const { host } = raw;
  if (host === undefined || host === null) return [];
  if (typeof host !== 'string' && !Array.isArray(host)) {
    fail('host', 'is no host, and no list of hosts', { hint: 'write host or host:port' });
    return [];
  }
  return hostTexts(host).flatMap((written) => {
    const parsed = parseHost(written, platformIn(raw));
    if ('value' in parsed) return [parsed.value];
    // It may be a URL with a password in it: the value is not shown.
    fail('host', parsed.problem, { hint: parsed.hint });
    return [];
  });
}

function userOf({ raw, fail }: Draft): string | undefined {
  const user = text(raw['user'])?.trim();
  if (user === undefined) return undefined;
  if (parseUserId(userIn(user))) return user;
  fail('user', 'is no user of PVE', { value: user, hint: 'write name@realm, for example deployer@pve' });
  return undefined;
}

const TOKEN_NAME = /^[A-Za-z][\w.-]+$/;

function isToken(account = ''): boolean {
  return tokenIn(account) !== undefined;
}

/** `user` and `token_name`, or the whole id in either of them. */
function tokenIdOf(draft: Draft): string | undefined {
  const { raw, fail } = draft;
  const name = text(raw['token_name'])?.trim();
  const whole = isToken(name) ? name : undefined;
  const user = whole === undefined ? userOf(draft) : undefined;
  if (whole === undefined && !isToken(user)) {
    if (name === undefined) {
      fail('token_name', 'is missing', { hint: 'add the name of the API token, the part after the "!"' });
    }
    if (raw['user'] === undefined && name?.includes('@')) {
      fail('token_name', 'lacks the name of the API token', {
        hint: 'the whole id looks like deployer@pve!deploy',
      });
    } else if (raw['user'] === undefined)
      fail('user', 'is missing: whose token is it?', { hint: 'add name@realm' });
    if (name === undefined || user === undefined) return undefined;
  }
  const id = [whole, user].find((account) => isToken(account)) ?? `${user ?? ''}!${name ?? ''}`;
  if (parseUserId(userIn(id)) && TOKEN_NAME.test(tokenIn(id) ?? '')) return id;
  fail('token_name', 'is no name of an API token', { hint: 'the whole id looks like deployer@pve!deploy' });
  return undefined;
}

function tokenAccount(draft: Draft): Account | undefined {
  const tokenId = tokenIdOf(draft);
  const secret = secretOf(draft, 'token_value');
  if (draft.raw['token_value'] === undefined) {
    draft.fail('token_value', 'is missing', { hint: 'add the secret of the API token' });
  }
  if (tokenId === undefined || secret === undefined) return undefined;
  return { login: { kind: 'token', id: tokenId }, secret, secretKey: 'token_value' };
}

function passwordAccount(draft: Draft): Account | undefined {
  const user = userOf(draft);
  const secret = secretOf(draft, 'password');
  if (draft.raw['user'] === undefined) draft.fail('user', 'is missing', { hint: 'add name@realm' });
  if (draft.raw['password'] === undefined) {
    draft.fail('password', 'is missing', {
      hint: 'add the password, or the name and secret of an API token',
    });
  }
  if (user === undefined || secret === undefined) return undefined;
  return { login: { kind: 'password', id: user }, secret, secretKey: 'password' };
}

function pveAccount(draft: Draft): Account | undefined {
  const { raw } = draft;
  const isToken = raw['use_token'] ?? (raw['token_value'] !== undefined || raw['token_name'] !== undefined);
  return isToken === true ? tokenAccount(draft) : passwordAccount(draft);
}

const ACCOUNT: Readonly<Record<Platform, (draft: Draft) => Account | undefined>> = {
  pve: pveAccount,
  vmmanager6: vmmanagerAccount,
};

/** Complains of keys that mean nothing on this platform, and of a second address where it has one. */
function hasNo({ raw, fail }: Draft, platform: Platform, hosts: readonly string[]): void {
  const { name, foreignKeyHint, hasManyHosts } = PLATFORMS[platform];
  const others = Object.values(PLATFORMS).flatMap((other) => other.ownKeys);
  for (const key of others) {
    if (hasOwnKey(platform, key) || raw[key] === undefined) continue;
    fail(key, `has no meaning for ${name}`, { hint: foreignKeyHint(key) });
  }
  if (!hasManyHosts && hosts.length > 1)
    fail('host', `names several hosts; an installation of ${name} has one address`, {
      hint: 'make a connection for each installation',
    });
}

function caOf({ raw, folderOf, fail }: Draft): string | undefined {
  const file = text(raw['ca_file']);
  if (file === undefined) return undefined;
  const hint = 'copy /etc/pve/pve-root-ca.pem from a node of the cluster';
  try {
    const ca = readAuthority(resolve(folderOf('ca_file'), file));
    if (ca !== undefined) return ca;
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

const GROUP = /^@[A-Za-z0-9._-]+$/;

function operatorsOf({ raw, fail }: Draft): string[] {
  const written = raw['operators'];
  if (!Array.isArray(written)) return [];
  const names = written.map((name) => String(name).trim());
  for (const name of names) {
    if (GROUP.test(name) || parseUserId(userIn(name))) continue;
    fail('operators', 'is no account of PVE', {
      value: name,
      hint: 'write name@realm, name@realm!token, or @group',
    });
  }
  return names;
}

function rangeOf({ raw, fail }: Draft): BridgeRange | undefined {
  const value = raw['bridge_range'];
  const problem = bridgeRangeProblem(value);
  if (!problem) return bridgeRangeOf(value);
  const { message, ...details } = problem;
  fail('bridge_range', message, details);
  return undefined;
}

/** Undefined iff `fail` was called. */
export function buildConnection(name: string, draft: Draft): StoredConnection | undefined {
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
  const platform = platformIn(draft.raw);
  hasNo(watched, platform, hosts);
  const account = ACCOUNT[platform](watched);
  const timeZone = hasOwnKey(platform, 'time_zone') ? timeZoneOf(watched) : undefined;
  const ssh = hasOwnKey(platform, 'ssh') ? sshOf(watched) : undefined;
  const ca = caOf(watched);
  const fingerprint = fingerprintOf(watched);
  const operators = operatorsOf(watched);
  const bridgeRange = rangeOf(watched);
  if (failed.size > 0 || !account) return undefined;
  return {
    name,
    platform,
    hosts,
    ...account,
    tls: {
      verify: draft.raw['verify_ssl'] !== false,
      ...(ca === undefined ? {} : { ca }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    },
    timeout: (integer(draft.raw['timeout']) ?? DEFAULT_TIMEOUT_S) * 1000,
    operators,
    ...(bridgeRange ? { bridgeRange } : {}),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(ssh ? { ssh } : {}),
  };
}
