/** connections.yml and the environment → one Connection. Contacts nothing; messages never hold a secret. */
import { dirname } from 'node:path';
import type { AgeKeys } from '../../age.ts';
import { ConfigError, type ConfigIssue } from '../../errors.ts';
import { isThere } from '../../files/open.ts';
import { readAgeKeys, type KeyOptions } from './age-keys.ts';
import { bridgeRangeOf, bridgeRangeProblem } from '../lab/bridge-range.ts';
import type { OuterBridges } from '../lab/written-lab.ts';
import { buildConnection } from './build.ts';
import type { Draft } from './draft.ts';
import type { StoredConnection, StoredSsh } from './types.ts';
import { decidesTrust, overlayOf, CONNECTION_VARIABLES, type Overlay } from './env.ts';
import {
  choose,
  defaultName,
  modeWarnings,
  connectionNames,
  noFile,
  presentFile,
  readConnections,
  type ConnectionsFile,
  type FileOptions,
} from './file.ts';
import { configError, printable } from '../input/issues.ts';
import { checkSchema } from '../input/schema.ts';
import { resolveSecret, type ResolveContext } from './secret-resolve.ts';
import { platformIn, PLATFORMS } from './platform.ts';
import type { Connection, SshSettings } from '../types.ts';
import { mapping } from '../input/written.ts';

export interface ConnectionOptions extends FileOptions, KeyOptions {
  readonly name?: string;
  /** false: PVE_* variables do not replace what the file says. Default: true. */
  readonly overrides?: boolean;
}

export interface LoadedConnection {
  readonly connection: Connection;
  readonly warnings: readonly string[];
}

export interface ConnectionList {
  readonly file: string;
  readonly connections: readonly StoredConnection[];
  readonly default?: string;
  readonly warnings: readonly string[];
}

const NO_OVERLAY: Overlay = { raw: {}, replaces: new Set(), isComplete: false, problems: [] };

/** Where complaints about the environment go; its values are never shown. */
function complainTo(problems: ConfigIssue[]): Draft['fail'] {
  return (key, message, { hint } = {}) => {
    const path = CONNECTION_VARIABLES[key] ?? key;
    problems.push({ file: 'environment', path, message, ...(hint === undefined ? {} : { hint }) });
  };
}

function toConnection(
  stored: StoredConnection,
  { secret, ssh }: { readonly secret: string; readonly ssh: SshSettings | undefined },
): Connection {
  const { name, file, platform, hosts, tls, timeout, operators, bridgeRange, timeZone, login } = stored;
  const auth: Connection['auth'] =
    login.kind === 'token'
      ? { kind: 'token', tokenId: login.id, secret }
      : { kind: 'password', user: login.id, password: secret };
  return {
    ...{ name, platform, hosts, auth, tls, timeout, operators },
    ...(file === undefined ? {} : { file }),
    ...(bridgeRange ? { bridgeRange } : {}),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(ssh ? { ssh } : {}),
  };
}

/** Undefined after a complaint. */
async function resolveSsh(
  { password, passphrase, ...rest }: StoredSsh,
  context: ResolveContext,
  complain: Draft['fail'],
): Promise<SshSettings | undefined> {
  const found: { password?: string; passphrase?: string } = {};
  for (const [key, source] of Object.entries({ passphrase, password })) {
    const secret = source && (await resolveSecret(source, context));
    if (secret && 'problem' in secret) {
      complain(`ssh.${key}`, secret.problem, { hint: secret.hint });
      return undefined;
    }
    if (secret) found[key as keyof typeof found] = secret.value; // one of the two above
  }
  return { ...rest, ...found };
}

/** The secrets of this one connection only; `complain` hears why there is none. */
async function resolve(
  stored: StoredConnection,
  { options, warn }: { readonly options: ConnectionOptions; readonly warn: (text: string) => void },
  complain: Draft['fail'],
): Promise<Connection | undefined> {
  const keys = (): AgeKeys => readAgeKeys(options, warn);
  const context = { env: options.env, keys, warn };
  const secret = await resolveSecret(stored.secret, context);
  if ('problem' in secret) {
    complain(stored.secretKey, secret.problem, { hint: secret.hint });
    return undefined;
  }
  const ssh = stored.ssh && (await resolveSsh(stored.ssh, context, complain));
  return stored.ssh && !ssh ? undefined : toConnection(stored, { secret: secret.value, ssh });
}

async function loadFromEnv({ raw }: Overlay, options: ConnectionOptions): Promise<LoadedConnection> {
  const problems: ConfigIssue[] = [];
  const fail = complainTo(problems);
  const draft: Draft = { raw, folderOf: () => options.cwd ?? '.', isLiteral: () => true, fail };
  const stored = buildConnection('environment', draft);
  const warnings: string[] = [];
  const connection =
    stored && (await resolve(stored, { options, warn: (text) => warnings.push(text) }, fail));
  if (!connection) throw configError(problems);
  return { connection, warnings };
}

function overrideWarnings(overlay: Overlay, options: ConnectionOptions, name: string): string[] {
  if (options.name === undefined || overlay.raw['host'] === undefined) return [];
  return [`PVE_HOST replaces the host of connection "${printable(name)}"`];
}

/** One connection of the file, with what the environment replaces. */
function draftOf(
  source: ConnectionsFile,
  name: string,
  {
    overlay,
    cwd,
    problems,
  }: { readonly overlay: Overlay; readonly cwd: string; readonly problems: ConfigIssue[] },
): Draft {
  const { file, value, issues } = source;
  const complain = complainTo(problems);
  const isFromEnv = (key: string): boolean => overlay.replaces.has(key);
  const written = Object.entries(mapping(value[name])).filter(([key]) => !isFromEnv(key));
  return {
    raw: { ...Object.fromEntries(written), ...overlay.raw },
    folderOf: (key) => (isFromEnv(key) ? cwd : dirname(file)),
    isLiteral: isFromEnv,
    fail: (key, message, details) =>
      isFromEnv(key)
        ? complain(key, message, details)
        : issues.add([name, ...key.split('.')], message, details),
  };
}

async function loadFromFile(
  file: string,
  overlay: Overlay,
  options: ConnectionOptions,
): Promise<LoadedConnection> {
  const source = readConnections(file);
  const { issues } = source;
  const name = issues.errors.length > 0 ? undefined : choose(source, options.name);
  const problems: ConfigIssue[] = [];
  const warnings: string[] = [...modeWarnings(source)];
  let connection: Connection | undefined;
  if (name !== undefined) {
    const platform = platformIn(mapping(source.value[name]));
    const own = PLATFORMS[platform].isInEnvironment ? overlay : NO_OVERLAY;
    const draft = draftOf(source, name, { overlay: own, cwd: options.cwd ?? '.', problems });
    const stored = buildConnection(name, draft);
    checkSchema('connections', source.value, issues);
    const isSound = issues.errors.length + problems.length === 0;
    const warn = (text: string): void => void warnings.push(text);
    const home = decidesTrust(own) ? {} : { file };
    if (stored && isSound) connection = await resolve({ ...stored, ...home }, { options, warn }, draft.fail);
    warnings.push(...overrideWarnings(own, options, name));
  }
  if (!connection || issues.errors.length + problems.length > 0) throw configError(issues.errors, problems);
  return { connection, warnings };
}

/**
 * One cluster and how to log in, its secret fetched from where it is kept. What the environment says replaces what the
 * file says; a host and an account there need no file. Throws a ConfigError with all problems.
 */
export async function loadConnection(options: ConnectionOptions): Promise<LoadedConnection> {
  const overlay = options.overrides === false ? NO_OVERLAY : overlayOf(options.env);
  if (overlay.problems.length > 0) throw configError(overlay.problems);
  const isNamed = options.file !== undefined || options.name !== undefined;
  if (overlay.isComplete && !isNamed) return loadFromEnv(overlay, options);
  return loadFromFile(presentFile(options) ?? noFile(options), overlay, options);
}

/**
 * The numbers of bridges that the connection which is meant leaves to labs; undefined: it says nothing about them, or
 * there is none. What is wrong with the file is told when the connection is used.
 */
export function outerBridgesOf(options: ConnectionOptions): OuterBridges | undefined {
  const isNamed = options.file !== undefined || options.name !== undefined;
  if (!isNamed && overlayOf(options.env).isComplete) return undefined;
  const file = presentFile(options);
  if (file === undefined || !isThere(file)) return undefined;
  try {
    const { value } = readConnections(file);
    const connection = options.name ?? defaultName(value);
    const written = connection === undefined ? undefined : mapping(value[connection])['bridge_range'];
    const range = bridgeRangeProblem(written) ? undefined : bridgeRangeOf(written);
    return connection === undefined || !range ? undefined : { connection, range };
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** All connections of the file as they are written there. No secret is fetched, no variable looked at. */
export function listConnections(options: FileOptions): ConnectionList {
  const source = readConnections(presentFile(options) ?? noFile(options));
  const { file, value, issues } = source;
  const names = issues.errors.length > 0 ? [] : connectionNames(value);
  const connections = names.flatMap(
    (name) =>
      buildConnection(name, draftOf(source, name, { overlay: NO_OVERLAY, cwd: '.', problems: [] })) ?? [],
  );
  if (issues.errors.length === 0) checkSchema('connections', value, issues);
  if (issues.errors.length > 0) throw configError(issues.errors);
  const usual = defaultName(value);
  return {
    file,
    connections,
    warnings: modeWarnings(source),
    ...(usual === undefined ? {} : { default: usual }),
  };
}
