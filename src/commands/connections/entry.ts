/** The entry of a new connection, from flags and the variables of its platform (PVE_*, VMMANAGER_*). Contacts nothing; shows no secret. */
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { buildConnection } from '../../lib/config/connections/build.ts';
import type { StoredConnection } from '../../lib/config/connections/types.ts';
import { overlayOf } from '../../lib/config/connections/env.ts';
import { hostTexts, parseFingerprints, parseHost } from '../../lib/config/connections/parts.ts';
import { namedPlatform, PLATFORMS } from '../../lib/config/connections/platform.ts';
import { isPlainSecret } from '../../lib/config/connections/file.ts';
import { configError } from '../../lib/config/input/issues.ts';
import { text, type Written } from '../../lib/config/input/written.ts';
import type { Platform } from '../../lib/config/types.ts';
import type { Entry } from '../../lib/connections-edit/entries.ts';
import { UsageError, type ConfigIssue } from '../../lib/errors.ts';
import { parseUserId, tokenIn, userIn } from '../../lib/pve-values/userid.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';

export interface AddFlags extends GlobalFlags {
  readonly host?: readonly string[];
  readonly platform: Platform;
  readonly email?: string;
  readonly user?: string;
  readonly tokenId?: string;
  readonly passwordEnv?: string;
  readonly passwordFile?: string;
  readonly tokenSecretEnv?: string;
  readonly tokenSecretFile?: string;
  readonly encrypt?: true;
  readonly to?: readonly string[];
  /** True without a value. */
  readonly trustFingerprint?: string | true;
  readonly caFile?: string;
  readonly default?: true;
  readonly replace?: true;
}

const FLAGS: Readonly<Record<string, string>> = {
  host: '--host',
  email: '--email',
  user: '--user',
  token_name: '--token-id',
  ca_file: '--ca-file',
  fingerprint: '--trust-fingerprint',
};

function usage(message: string, hint: string): never {
  throw new UsageError('CONNECTION', message, { hint });
}

/** As the file will have it: relative to its folder. */
function storedPath(path: string, file: string): string {
  return isAbsolute(path) ? path : relative(dirname(resolve(file)), resolve(path)) || path;
}

interface Kind {
  readonly isToken: boolean;
  readonly id: string;
}

/** Variables of the VM Balancer, as the keys that PVE's stand for. */
function vmmanagerEnv(env: ProgramIo['env']): Written {
  const { VMMANAGER_HOST: host, VMMANAGER_USERNAME: email, VMMANAGER_PASSWORD: password } = env;
  const given = Object.entries({ host, user: email, password });
  return Object.fromEntries(given.filter(([, value]) => (value ?? '') !== ''));
}

/** All that is missing at once; the secret is another matter, which depends on the login. */
function withoutLogin({ host }: AddFlags, env: Written, ways: string): never {
  return (host ?? env['host']) === undefined
    ? usage('the host and how to log in are missing', `give --host HOST, and ${ways}`)
    : usage('how to log in is missing', `give ${ways}`);
}

function vmmanagerKind(flags: AddFlags, env: Written): Kind {
  const { email, user, tokenId } = flags;
  if (user !== undefined || tokenId !== undefined)
    usage('--user and --token-id are for Proxmox VE', 'give --email ADDRESS');
  const id = email ?? text(env['user']);
  return id === undefined ? withoutLogin(flags, env, '--email ADDRESS') : { isToken: false, id };
}

function pveKind(flags: AddFlags, env: Written): Kind {
  const { user, tokenId, email } = flags;
  if (email !== undefined) usage('--email is for VMmanager 6', 'add --platform vmmanager6');
  if (user !== undefined && tokenId !== undefined)
    usage('--user and --token-id are two ways to log in', 'leave one of them out');
  const token = tokenId ?? (user === undefined ? text(env['token_name']) : undefined);
  if (token !== undefined) {
    if (token.includes('='))
      usage('--token-id holds the secret too', 'put what follows the "=" into PVE_TOKEN_SECRET');
    if (tokenIn(token) === undefined || !parseUserId(userIn(token)))
      usage('--token-id is no whole id', 'it looks like deployer@pve!deploy');
    return { isToken: true, id: token };
  }
  const id = user ?? text(env['user']);
  if (id !== undefined) return { isToken: false, id };
  return withoutLogin(flags, env, "--token-id 'user@realm!name' or --user name@realm");
}

function pveKeys({ isToken, id }: Kind): Entry {
  const account = { user: isToken ? userIn(id) : id, use_token: isToken };
  return isToken ? { ...account, token_name: tokenIn(id) ?? '' } : account;
}

interface Login {
  /** Variables in place of flags, as keys of a connection. */
  readonly environment: (env: ProgramIo['env']) => {
    readonly raw: Written;
    readonly problems: readonly ConfigIssue[];
  };
  readonly account: (flags: AddFlags, env: Written) => Kind;
  readonly keys: (kind: Kind) => Entry;
}

const LOGIN: Readonly<Record<Platform, Login>> = {
  pve: { environment: overlayOf, account: pveKind, keys: pveKeys },
  vmmanager6: {
    environment: (env) => ({ raw: vmmanagerEnv(env), problems: [] }),
    account: vmmanagerKind,
    keys: ({ id }) => ({ email: id }),
  },
};

/** `env:…`, `file:…`, or the value that the environment holds. */
function secretOf(
  flags: AddFlags,
  { isToken }: Kind,
  { env, file, kept }: { readonly env: Written; readonly file: string; readonly kept: string | undefined },
): string {
  const { passwordEnv, passwordFile, tokenSecretEnv, tokenSecretFile } = flags;
  const [own, other] = isToken
    ? [[tokenSecretEnv, tokenSecretFile] as const, [passwordEnv, passwordFile] as const]
    : [[passwordEnv, passwordFile] as const, [tokenSecretEnv, tokenSecretFile] as const];
  const flag = isToken ? '--token-secret' : '--password';
  if (other.some((one) => one !== undefined))
    usage(
      `${isToken ? '--password-…' : '--token-secret-…'} does not fit this login`,
      `use ${flag}-env or ${flag}-file`,
    );
  const [variable, path] = own;
  if (variable !== undefined && path !== undefined)
    usage(`${flag}-env and ${flag}-file are two places`, 'leave one of them out');
  if (variable !== undefined) return `env:${variable}`;
  if (path !== undefined) return `file:${storedPath(path, file)}`;
  const name = isToken ? 'PVE_TOKEN_SECRET' : PLATFORMS[flags.platform].variables.password;
  const value = text(env[isToken ? 'token_value' : 'password']);
  if (value === undefined && kept !== undefined) return kept;
  if (value === undefined)
    usage('the secret is missing', `set ${name}, or give ${flag}-env NAME or ${flag}-file FILE`);
  if (!isPlainSecret(value) || /\p{Cc}/u.test(value))
    usage(
      `${name} holds what a connections file would take for something else`,
      `keep it outside: ${flag}-env or ${flag}-file`,
    );
  return value;
}

/** Without a flag of their own. They are about this cluster, and one of them may hold secrets for its nodes. */
const KEPT = ['timeout', 'time_zone', 'ssh', 'bridge_range', 'operators'] as const;

interface Kept {
  readonly secret: string | undefined;
  readonly keys: Entry;
  /** What the replaced entry has, and the new one has not. */
  readonly dropped: readonly string[];
}

/** Of the replaced entry, where it is of the same login at the same hosts: no other host may ever be sent its secrets. */
function keptOf(former: Written = {}, entry: Entry): Kept {
  const isSame = ['platform', 'host', 'email', 'user', 'use_token', 'token_name'].every((key) =>
    isDeepStrictEqual(former[key], entry[key]),
  );
  const present = KEPT.filter((key) => former[key] !== undefined);
  if (!isSame) return { secret: undefined, keys: {}, dropped: present };
  return {
    secret: text(former[entry['use_token'] === true ? 'token_value' : 'password']),
    keys: Object.fromEntries(present.map((key) => [key, former[key]])),
    dropped: [],
  };
}

function hostsOf(flags: AddFlags, env: Written): string[] {
  const written = hostTexts(flags.host?.join(',') ?? env['host'] ?? '');
  const { platform } = flags;
  if (written.length === 0)
    usage('the host is missing', `give --host HOST, or set ${PLATFORMS[platform].variables.host}`);
  return written.map((host) => {
    const parsed = parseHost(host, platform);
    // It may be a URL with a password in it: the value is not shown.
    return 'value' in parsed
      ? parsed.value
      : usage(`--host: ${parsed.problem}`, parsed.hint ?? 'write host:port');
  });
}

export interface NewConnection {
  readonly entry: Entry;
  readonly stored: StoredConnection;
  /** Fingerprints that were compared already. */
  readonly wanted: readonly string[] | undefined;
  /** Keys of the replaced entry that are gone with it. */
  readonly dropped: readonly string[];
}

/** `where`: where it is written, as a message names it. */
export function fingerprintsIn(written: string, where: string): string[] {
  const parsed = parseFingerprints([written]);
  return 'value' in parsed ? parsed.value.split(',') : usage(`${where} ${parsed.problem}`, parsed.hint ?? '');
}

function wantedFingerprints({ trustFingerprint }: AddFlags, env: Written): string[] | undefined {
  const written = trustFingerprint === true ? text(env['fingerprint']) : trustFingerprint;
  return written === undefined ? undefined : fingerprintsIn(written, '--trust-fingerprint:');
}

export function newConnection(
  io: ProgramIo,
  flags: AddFlags,
  {
    name,
    file,
    former,
  }: {
    readonly name: string;
    readonly file: string;
    /** What the file has under this name. */
    readonly former: Written | undefined;
  },
): NewConnection {
  const { environment, account, keys } = LOGIN[flags.platform];
  const { raw: env, problems } = environment(io.env);
  if (problems.length > 0) throw configError(problems);
  const kind = account(flags, env);
  const hosts = hostsOf(flags, env);
  const caFile = flags.caFile ?? text(env['ca_file']);
  const login: Entry = {
    ...namedPlatform(flags.platform),
    host: hosts.length === 1 ? (hosts[0] ?? '') : hosts,
    ...keys(kind),
  };
  const kept = keptOf(former, login);
  const secret = secretOf(flags, kind, { env, file, kept: kept.secret });
  const entry: Entry = {
    ...login,
    ...(kind.isToken ? { token_value: secret } : { password: secret }),
    ...(caFile === undefined ? {} : { ca_file: storedPath(caFile, file) }),
    ...(env['verify_ssl'] === false ? { verify_ssl: false } : {}),
    ...kept.keys,
  };
  const wanted = wantedFingerprints(flags, env);
  const issues: ConfigIssue[] = [];
  const stored = buildConnection(name, {
    raw: entry,
    folderOf: () => dirname(resolve(file)),
    isLiteral: () => false,
    fail: (key, message, { hint } = {}) =>
      issues.push({
        file: 'command line',
        path: kind.isToken && key === 'user' ? '--token-id' : (FLAGS[key] ?? key),
        message,
        ...(hint === undefined ? {} : { hint }),
      }),
  });
  if (!stored) throw configError(issues);
  return { entry, stored, wanted, dropped: kept.dropped };
}
