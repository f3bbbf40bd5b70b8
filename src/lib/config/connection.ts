/** connections.yml and the environment → one Connection. Contacts nothing; messages never hold a secret. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import envPaths from 'env-paths';
import type { ConfigIssue } from '../errors.ts';
import { buildConnection, type Draft } from './connection-build.ts';
import { overlayOf, VARIABLES, type Env, type Overlay } from './connection-env.ts';
import { configError, Issues, nearest, type Path } from './issues.ts';
import { readTextFile } from './read-text.ts';
import { readYaml } from './read-yaml.ts';
import { checkSchema, textKeysOf } from './schema.ts';
import type { Connection } from './types.ts';
import { isMapping, mapping, text, type Written } from './written.ts';

export interface ConnectionOptions {
  /** As given by `--connections`; without it the usual places are looked at. */
  readonly file?: string;
  readonly name?: string;
  readonly env: Env;
  /** Folder of the usual places, and of relative paths in the environment. */
  readonly cwd?: string;
  /** The user's configuration folder. */
  readonly configDir?: string;
}

export interface LoadedConnection {
  readonly connection: Connection;
  readonly warnings: readonly string[];
}

/** Whatever else stands in a connections file may be a secret in the wrong place. */
const SHOWN_KEYS = new Set([
  'default',
  'user',
  'use_token',
  'verify_ssl',
  'ca_file',
  'fingerprint',
  'timeout',
]);

function isSecret(path: Path): boolean {
  const key = path.findLast((part) => typeof part === 'string');
  return key === undefined || !SHOWN_KEYS.has(key);
}

function usualPlaces(options: ConnectionOptions): string[] {
  const configDir = options.configDir ?? envPaths('deploy-stand', { suffix: '' }).config;
  const inFolder = ['connections.yml', 'connections_config.yml'].map((name) =>
    options.cwd === undefined ? name : join(options.cwd, name),
  );
  return [...inFolder, join(configDir, 'connections.yml')];
}

interface ConnectionsFile {
  readonly file: string;
  readonly mode: number;
  readonly value: Written;
  readonly issues: Issues;
}

function readConnections(file: string): ConnectionsFile {
  const { text: content, mode } = readTextFile(file);
  const yaml = readYaml(content, file, { textKeys: textKeysOf('connections') });
  const issues = new Issues(yaml, isSecret);
  if (!isMapping(yaml.value)) {
    const hint = 'a connections file is "name:" with host, user and token or password below it';
    issues.add([], 'this is no list of connections', { hint });
  } else if (yaml.value['machines'] !== undefined || yaml.value['users'] !== undefined) {
    const kind = yaml.value['machines'] === undefined ? 'users file' : 'lab';
    issues.add([], `this is a ${kind}, not a connections file`, {
      hint: 'give the right file with --connections',
    });
  }
  return { file, mode, value: mapping(yaml.value), issues };
}

function namesIn(value: Written): string[] {
  return Object.keys(value).filter((name) => name !== 'default' || isMapping(value[name]));
}

function choose({ value, issues, file }: ConnectionsFile, wanted: string | undefined): string | undefined {
  const names = namesIn(value);
  const usual = text(value['default']);
  const name = wanted ?? usual ?? (names.length === 1 ? names[0] : undefined);
  if (name !== undefined && names.includes(name)) return name;
  if (names.length === 0) {
    issues.add([], 'the file holds no connection', {
      hint: 'add one: a name, and below it host, user and token or password',
    });
  } else if (name === undefined) {
    const hint = `add "default: ${names[0] ?? ''}", or give --connection: ${names.join(', ')}`;
    issues.add([], `the file holds ${names.length} connections and names no default`, { hint });
  } else {
    const near = nearest(name, names);
    const hint = near === undefined ? `there are: ${names.join(', ')}` : `did you mean ${near}?`;
    if (wanted === undefined)
      issues.add(['default'], 'names no connection of this file', { value: name, hint });
    else issues.add([], `${file} has no connection "${name}"`, { hint });
  }
  return undefined;
}

/** Where complaints about the environment go; its values are never shown. */
function complainTo(problems: ConfigIssue[]): Draft['fail'] {
  return (key, message, { hint } = {}) => {
    const path = VARIABLES[key] ?? key;
    problems.push({ file: 'environment', path, message, ...(hint === undefined ? {} : { hint }) });
  };
}

function loadFromEnv({ raw }: Overlay, cwd: string): LoadedConnection {
  const problems: ConfigIssue[] = [];
  const draft: Draft = { raw, folderOf: () => cwd, fail: complainTo(problems) };
  const connection = buildConnection('environment', draft);
  if (!connection) throw configError(problems);
  return { connection, warnings: [] };
}

function hasSecret(raw: Written): boolean {
  return raw['password'] !== undefined || raw['token_value'] !== undefined;
}

/** The bits mean nothing on Windows. */
function modeWarnings({ file, mode, value }: ConnectionsFile): string[] {
  const isOpen = process.platform !== 'win32' && (mode & 0o044) !== 0;
  if (!isOpen || !Object.values(value).some((raw) => hasSecret(mapping(raw)))) return [];
  const octal = mode.toString(8).padStart(4, '0');
  return [`${file} holds secrets and others on this machine may read it (mode ${octal}): chmod 600 ${file}`];
}

function overrideWarnings(overlay: Overlay, options: ConnectionOptions, name: string): string[] {
  if (options.name === undefined || overlay.raw['host'] === undefined) return [];
  return [`PVE_HOST replaces the host of connection "${name}"`];
}

function loadFromFile(file: string, overlay: Overlay, options: ConnectionOptions): LoadedConnection {
  const source = readConnections(file);
  const { issues } = source;
  const name = issues.errors.length > 0 ? undefined : choose(source, options.name);
  const problems: ConfigIssue[] = [];
  let connection: Connection | undefined;
  if (name !== undefined) {
    const complain = complainTo(problems);
    const isFromEnv = (key: string): boolean => overlay.replaces.has(key);
    const written = Object.entries(mapping(source.value[name])).filter(([key]) => !isFromEnv(key));
    connection = buildConnection(name, {
      raw: { ...Object.fromEntries(written), ...overlay.raw },
      folderOf: (key) => (isFromEnv(key) ? (options.cwd ?? '.') : dirname(file)),
      fail: (key, message, details) =>
        isFromEnv(key) ? complain(key, message, details) : issues.add([name, key], message, details),
    });
    checkSchema('connections', source.value, issues);
  }
  if (!connection || issues.errors.length + problems.length > 0) throw configError(issues.errors, problems);
  return {
    connection,
    warnings: [...modeWarnings(source), ...overrideWarnings(overlay, options, connection.name)],
  };
}

/**
 * One cluster and how to log in. What the environment says replaces what the file says; a host and an account there
 * need no file. Throws a ConfigError with all problems.
 */
export function loadConnection(options: ConnectionOptions): LoadedConnection {
  const overlay = overlayOf(options.env);
  if (overlay.problems.length > 0) throw configError(overlay.problems);
  const isNamed = options.file !== undefined || options.name !== undefined;
  if (overlay.isComplete && !isNamed) return loadFromEnv(overlay, options.cwd ?? '.');

  const places = usualPlaces(options);
  const file = options.file ?? places.find((place) => existsSync(place));
  if (file !== undefined) return loadFromFile(file, overlay, options);
  const message = 'no connections file was found';
  const hint = `write ${places[0] ?? 'connections.yml'} (looked for: ${places.join(', ')}), set PVE_HOST with PVE_TOKEN_ID and PVE_TOKEN_SECRET, or try --simulate`;
  throw configError([{ file: places[0] ?? 'connections.yml', path: '', message, hint }]);
}
