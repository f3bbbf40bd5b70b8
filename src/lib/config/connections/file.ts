/** Finds and reads a connections file as a whole: which connections it names, and which one is meant. Fetches no secret. */
import { join } from 'node:path';
import { isAge } from '../../age.ts';
import { isThere } from '../../files/open.ts';
import { isFernet } from './parts.ts';
import { configError, Issues, type Path } from '../input/issues.ts';
import { nearest } from '../../nearest.ts';
import { readTextFile } from '../input/read-text.ts';
import { readYaml, type YamlFile } from '../input/read-yaml.ts';
import { textKeysOf } from '../input/schema.ts';
import { isMapping, mapping, text, type Written } from '../input/written.ts';
import { shellCommand } from '../../shell.ts';

export interface FileOptions {
  /** As given by `--connections`; without it the usual places are looked at. */
  readonly file?: string;
  /** Folder of the usual places, and of relative paths in the environment. */
  readonly cwd?: string;
  /** The user's configuration folder. */
  readonly configDir?: string;
}

export interface ConnectionsFile {
  readonly file: string;
  /** Permission bits. */
  readonly mode: number;
  readonly value: Written;
  readonly issues: Issues;
}

/** Where a connection may hold a secret, or say where it is kept. */
export const SECRET_PATHS: readonly (readonly string[])[] = [
  ['password'],
  ['token_value'],
  ['ssh', 'password'],
  ['ssh', 'passphrase'],
];

/** What stands there. */
export function writtenAt(raw: unknown, path: readonly string[]): unknown {
  return path.reduce((below: unknown, key) => mapping(below)[key], raw);
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
  'operators',
  'bridge_range',
  'platform',
  'email',
  'time_zone',
  'key_file',
  'known_hosts',
]);

function isSecret(path: Path): boolean {
  const key = path.findLast((part) => typeof part === 'string');
  return key === undefined || !SHOWN_KEYS.has(key);
}

export function usualPlaces(options: FileOptions): string[] {
  const inFolder = ['connections.yml', 'connections_config.yml'].map((name) =>
    options.cwd === undefined ? name : join(options.cwd, name),
  );
  const own = options.configDir === undefined ? [] : [join(options.configDir, 'connections.yml')];
  return [...inFolder, ...own];
}

/** The file that was named, or the first of the usual places that has one. */
export function presentFile(options: FileOptions): string | undefined {
  return options.file ?? usualPlaces(options).find((place) => isThere(place));
}

export function noFile(options: FileOptions): never {
  const places = usualPlaces(options);
  const message = 'no connections file was found';
  const hint = `make one with \`deploy-stand connections add NAME --host HOST --token-id 'USER@REALM!TOKEN' --trust-fingerprint\` (looked for: ${places.join(', ')}); or set PVE_HOST, PVE_FINGERPRINT, PVE_TOKEN_ID and PVE_TOKEN_SECRET, or try --simulate`;
  throw configError([{ file: places[0] ?? 'connections.yml', path: '', message, hint }]);
}

/** `007` is a password, not a number. */
export function parseConnections(content: string, file: string): YamlFile {
  const textKeys = new Set([...textKeysOf('connections'), ...SECRET_PATHS.flat()]);
  return readYaml(content, file, { textKeys });
}

export function readConnections(file: string): ConnectionsFile {
  const { text: content, mode } = readTextFile(file);
  const yaml = parseConnections(content, file);
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

/** `default` names a connection, or is one that is called so. */
export function connectionNames(value: Written): string[] {
  return Object.keys(value).filter((name) => name !== 'default' || isMapping(value[name]));
}

export function defaultName(value: Written): string | undefined {
  const names = connectionNames(value);
  const usual = text(value['default']);
  return usual ?? (names.length === 1 ? names[0] : undefined);
}

/** The connection that is meant; undefined after a complaint. */
export function choose(source: ConnectionsFile, wanted: string | undefined): string | undefined {
  const { value, issues, file } = source;
  const names = connectionNames(value);
  const name = wanted ?? defaultName(value);
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

/** The secret itself, not where it is kept. */
export function isPlainSecret(written: unknown): written is string {
  const isReference = typeof written === 'string' && /^(env|file|command):/.test(written);
  return (
    typeof written === 'string' && written !== '' && !isReference && !isAge(written) && !isFernet(written)
  );
}

/** The bits mean nothing on Windows. */
export function modeWarnings({ file, mode, value }: ConnectionsFile): string[] {
  const isOpen = process.platform !== 'win32' && (mode & 0o044) !== 0;
  const secrets = Object.values(value).flatMap((raw) => SECRET_PATHS.map((path) => writtenAt(raw, path)));
  if (!isOpen || !secrets.some(isPlainSecret)) return [];
  const octal = mode.toString(8).padStart(4, '0');
  return [
    `${file} holds secrets and others on this machine may read it (mode ${octal}): \`${shellCommand('chmod', '600', file)}\`, or \`deploy-stand connections encrypt\``,
  ];
}
