/** Reads the VM Balancer's env-file into the words of balance.yml. Judges values by form alone; contacts nothing. */
import { parseEnv } from 'node:util';
import type { ConfigIssue } from '../../errors.ts';
import type { BalanceOverlay } from './balance.ts';
import { configError, printable, type Origin, type Position } from '../input/issues.ts';
import type { Platform } from '../types.ts';
import { put, YES, type Read, type Reader } from './env-reader.ts';
import { thresholds } from './env-thresholds.ts';
import { nearest } from '../../nearest.ts';
import { readTextFile } from '../input/read-text.ts';
import { shellWord } from '../../shell.ts';
import { parseHost } from '../connections/parts.ts';
import { hasOwnKey, PLATFORMS } from '../connections/platform.ts';
import type { Connection, SshSettings } from '../types.ts';

export interface BalanceEnv {
  readonly overlay: BalanceOverlay;
  /** `CLUSTER_IDS` on Proxmox VE: names of connections; empty when the file names none. */
  readonly connections: readonly string[];
  /** `CLUSTER_IDS` on VMmanager 6: its clusters, by number or name. */
  readonly clusters: readonly string[];
  /** The installation that the file logs in to, when it is the one that is meant. */
  readonly installation?: Connection;
  /** How nodes of VMmanager 6 are reached over SSH; false: they are not. Absent: the file does not say. */
  readonly ssh?: SshSettings | false;
  /** `LOG_LEVEL`, in our words. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  /** `VM_BALANCER_LANG`, as it is written. */
  readonly language?: string;
  readonly warnings: readonly string[];
}

/** What the file is read for. */
export interface EnvUse {
  /** Chosen by the command line; absent: by what the file itself logs in to. */
  readonly platform?: Platform;
  /** The platform of the connection that is used where the file logs in to nothing. Default: Proxmox VE. */
  readonly usual?: () => Platform;
  /** Do the connections themselves say how nodes are reached over SSH? Default: no. */
  readonly hasSsh?: () => boolean;
  /** Flags that stand for variables, and win: variable → flag and value. */
  readonly flags?: Readonly<Record<string, { readonly flag: string; readonly value: string }>>;
}

/** Read with their counterparts, see `thresholds`. */
const threshold: Read = () => undefined;

function wholeNumber(key: string, usual: number): Read {
  return (reader, name, value) => {
    const hint = `e.g. ${name}=${usual}`;
    if (!/^\d{1,9}$/.test(value) || Number(value) < 1)
      reader.fail(name, 'is not a whole number of at least 1', hint);
    else put(reader, { name, path: [key], hint }, Number(value));
  };
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function nodes(side: 'source' | 'target'): Read {
  return (reader, name, value) => {
    const names = list(value);
    const { hasNodeNumbers } = PLATFORMS[reader.platform];
    const ids = hasNodeNumbers ? [] : names.filter((node) => /^\d+$/.test(node));
    if (ids.length > 0)
      reader.fail(name, `names nodes by number: ${ids.join(', ')}`, 'write the names of the nodes');
    else put(reader, { name, path: ['exclude', side], hint: `e.g. ${name}=pve1,pve2` }, names);
  };
}

const clusters: Read = (reader, _, value) => {
  (PLATFORMS[reader.platform].hasClusters ? reader.clusters : reader.connections).push(...list(value));
};

/** Telegram's own form, `123456:AA…`; the value itself is never shown. */
const token: Read = (reader, name, value) => {
  if (!/^\d+:[\w-]{20,}$/.test(value))
    reader.fail(name, 'is no bot token', 'copy it from @BotFather, or leave it empty to send nothing');
  else if (!reader.values['TELEGRAM_CHAT_ID'])
    reader.fail(name, 'has no TELEGRAM_CHAT_ID beside it', 'add TELEGRAM_CHAT_ID, or leave both empty');
  else {
    const telegram = { token: value, chat: reader.values['TELEGRAM_CHAT_ID'] };
    put(reader, { name, path: ['notify'], hint: 'copy it from @BotFather' }, { telegram });
  }
};

const chat: Read = (reader, name) => {
  if (!reader.values['TELEGRAM_BOT_TOKEN'])
    reader.fail(name, 'has no TELEGRAM_BOT_TOKEN beside it', 'add TELEGRAM_BOT_TOKEN, or leave both empty');
};

/** Means something on VMmanager 6 only. */
function ofVmmanager(instead: string, read: Read = () => undefined): Read {
  return (reader, name, value) => {
    if (reader.platform === 'vmmanager6') read(reader, name, value);
    else reader.warn(name, `has no meaning here: ${instead}`);
  };
}

const login: Read = (reader, name) => {
  if (reader.isLogin) return;
  reader.warn(name, 'has no meaning here: where a cluster is and how to log in stands in connections.yml');
};

const ssh = (read?: Read): Read =>
  ofVmmanager('load averages come from Proxmox VE itself, without SSH', read);

const sshTimeout: Read = (reader, name, value) => {
  if (!/^\d{1,4}$/.test(value) || Number(value) < 1)
    reader.fail(name, 'is not a whole number of seconds', `e.g. ${name}=10`);
};

const sshHosts: Read = (reader, name, value) => {
  if (hostsIn(value) === undefined)
    reader.fail(name, 'is no JSON of names and hosts', `e.g. ${name}={"node1": "192.0.2.11"}`);
};

function hostsIn(value: string): Readonly<Record<string, string>> | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const entries = Object.entries(parsed);
    return entries.every(([, host]) => typeof host === 'string') ? Object.fromEntries(entries) : undefined;
  } catch {
    return undefined;
  }
}

const LOG_LEVELS = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'error',
} as const;

const logLevel: Read = (reader, name, value) => {
  if (!Object.hasOwn(LOG_LEVELS, value.toUpperCase()))
    reader.fail(name, 'is no level', `one of ${Object.keys(LOG_LEVELS).join(', ')}`);
};

const yesOrNo: Read = (reader, name, value) => {
  if (!/^(?:true|1|yes|on|false|0|no|off)$/i.test(value))
    reader.fail(name, 'is neither true nor false', `e.g. ${name}=false`);
};

/** All names that the VM Balancer knows, and two of our own: a passphrase, and whose keys are known. */
const BALANCER_VARIABLES: Readonly<Record<string, Read>> = {
  BALANCE_INTERVAL: wholeNumber('interval', 600),
  CLUSTER_IDS: clusters,
  MAX_MIGRATIONS_PER_CYCLE: wholeNumber('max_migrations', 3),
  MIGRATION_TIMEOUT: wholeNumber('migration_timeout', 1800),
  CPU_OVERLOAD_THRESHOLD: threshold,
  CPU_TARGET_THRESHOLD: threshold,
  MEMORY_OVERLOAD_THRESHOLD: threshold,
  MEMORY_TARGET_THRESHOLD: threshold,
  EXCLUDE_SOURCE_NODES: nodes('source'),
  EXCLUDE_TARGET_NODES: nodes('target'),
  TELEGRAM_BOT_TOKEN: token,
  TELEGRAM_CHAT_ID: chat,
  VMMANAGER_HOST: login,
  VMMANAGER_USERNAME: login,
  VMMANAGER_PASSWORD: login,
  VERIFY_SSL: (reader, name, value) => {
    yesOrNo(reader, name, value);
    if (!reader.isLogin)
      reader.warn(
        name,
        'has no meaning here: certificates are verified unless connections.yml says verify_ssl: false',
      );
  },
  LOG_LEVEL: logLevel,
  SSH_ENABLED: yesOrNo,
  SSH_USERNAME: ssh(),
  SSH_PRIVATE_KEY_PATH: ssh(),
  SSH_PRIVATE_KEY_PASSPHRASE: ssh(),
  SSH_PASSWORD: ssh(),
  SSH_KNOWN_HOSTS: ssh(),
  SSH_TIMEOUT: ssh(sshTimeout),
  SSH_HOSTS_MAPPING: ssh(sshHosts),
  VM_BALANCER_LANG: () => undefined,
};

const SECRET = /TOKEN|PASSWORD|PASSPHRASE|CHAT|KEY/;

/** Where its value begins. The line that counts is the last one, as for parseEnv. */
function positionOf(text: string, name: string): Position | undefined {
  const nameIn = (line: string): string =>
    line
      .slice(0, line.indexOf('='))
      .replace(/^\s*export\s/, '')
      .trim();
  const lines = text.split('\n');
  const at = lines.findLastIndex((line) => line.includes('=') && nameIn(line) === name);
  const before = /^[^=]*=\s*/.exec(lines[at] ?? '')?.[0];
  return before === undefined ? undefined : { line: at + 1, column: before.length + 1 };
}

function byLine(warnings: readonly { readonly line: number; readonly text: string }[]): string[] {
  return [...warnings].sort((a, b) => a.line - b.line).map(({ text }) => text);
}

const LOGIN = ['VMMANAGER_HOST', 'VMMANAGER_USERNAME', 'VMMANAGER_PASSWORD'] as const;

/** The file's own login, as a connection. */
function installationOf(reader: Reader): Connection | undefined {
  const { values } = reader;
  const {
    VMMANAGER_HOST: host = '',
    VMMANAGER_USERNAME: user = '',
    VMMANAGER_PASSWORD: password = '',
  } = values;
  const parsed = parseHost(host, 'vmmanager6');
  if (!('value' in parsed)) {
    reader.fail('VMMANAGER_HOST', parsed.problem, parsed.hint ?? 'e.g. https://vmmanager.example.com');
    return undefined;
  }
  return {
    ...{ name: 'vmmanager', platform: 'vmmanager6', hosts: [parsed.value], operators: [] },
    auth: { kind: 'password', user, password },
    tls: { verify: YES.test(values['VERIFY_SSL'] ?? 'true') },
    timeout: 60_000,
  };
}

function sshOf({ values, platform }: Reader): SshSettings | false | undefined {
  const enabled = values['SSH_ENABLED'];
  if (!hasOwnKey(platform, 'ssh') || enabled === undefined) return undefined;
  if (!YES.test(enabled)) return false;
  const given = <K extends keyof SshSettings>(key: K, name: string): { readonly [P in K]?: string } =>
    (values[name] === undefined ? {} : { [key]: values[name] }) as { readonly [P in K]?: string }; // one key, or none
  return {
    ...given('user', 'SSH_USERNAME'),
    ...given('keyFile', 'SSH_PRIVATE_KEY_PATH'),
    ...given('passphrase', 'SSH_PRIVATE_KEY_PASSPHRASE'),
    ...given('password', 'SSH_PASSWORD'),
    ...given('knownHostsFile', 'SSH_KNOWN_HOSTS'),
    timeout: Number(values['SSH_TIMEOUT'] ?? 10),
    hosts: hostsIn(values['SSH_HOSTS_MAPPING'] ?? '{}') ?? {},
  };
}

type Values = Readonly<Record<string, string>>;

function valuesIn(text: string, { flags = {} }: EnvUse): Values {
  const parsed = Object.entries(parseEnv(text)).map(([name, value]) => [name, value?.trim() ?? ''] as const);
  const given = Object.entries(flags).map(([name, { value }]) => [name, value] as const);
  return Object.fromEntries([...parsed, ...given].filter(([, value]) => value !== ''));
}

/** By the command line, else by what the file logs in to, else the usual connection's. */
function platformOf(values: Values, { platform, usual }: EnvUse): { platform: Platform; isLogin: boolean } {
  if (platform !== undefined) return { platform, isLogin: false };
  const isLogin = LOGIN.every((name) => values[name] !== undefined);
  return { platform: isLogin ? 'vmmanager6' : (usual?.() ?? 'pve'), isLogin };
}

function readVariables(reader: Reader): void {
  for (const [name, value] of Object.entries(reader.values)) {
    const read = Object.hasOwn(BALANCER_VARIABLES, name) ? BALANCER_VARIABLES[name] : undefined;
    if (read) {
      read(reader, name, value);
      continue;
    }
    const near = nearest(name, Object.keys(BALANCER_VARIABLES));
    reader.warn(
      name,
      near === undefined ? 'is not known and ignored' : `is not known and ignored; did you mean ${near}?`,
    );
  }
  thresholds(reader);
}

/** Is the load average what CPU is judged by? */
function isMeasured({ values, isLogin }: Pick<Reader, 'values' | 'isLogin'>, { hasSsh }: EnvUse): boolean {
  const enabled = values['SSH_ENABLED'];
  return enabled === undefined ? !isLogin && hasSsh?.() === true : YES.test(enabled);
}

/** Throws a ConfigError with all problems. */
export function parseBalanceEnv(text: string, file: string, use: EnvUse = {}): BalanceEnv {
  const issues: ConfigIssue[] = [];
  const warnings: { readonly line: number; readonly text: string }[] = [];
  const values = valuesIn(text, use);
  const place = (name: string): Pick<ConfigIssue, 'file' | 'line' | 'column' | 'path'> => {
    const flag = use.flags?.[name]?.flag;
    if (flag !== undefined) return { file: 'command line', path: flag };
    return { file, path: name, ...positionOf(text, name) };
  };
  const origins = new Map<string, Origin>();
  const meant = platformOf(values, use);
  const reader: Reader = {
    ...{ raw: {}, connections: [], clusters: [], values, ...meant },
    isMeasured: isMeasured({ values, ...meant }, use),
    note: (key, name, hint) => {
      origins.set(key, { ...place(name), value: values[name] ?? '', hint });
    },
    fail: (name, message, hint) => {
      const shown = SECRET.test(name) ? {} : { value: printable(values[name] ?? '') };
      issues.push({ ...place(name), message, ...shown, hint });
    },
    warn: (name, message) => {
      const { line, path, file: where } = place(name);
      const at = line === undefined ? where : `${where}:${line}`;
      warnings.push({ line: line ?? 0, text: `${at} ${path}: ${message}` });
    },
  };
  readVariables(reader);
  const installation = reader.isLogin ? installationOf(reader) : undefined;
  if (issues.length > 0) throw configError(issues);
  const ssh = sshOf(reader);
  const level = LOG_LEVELS[(values['LOG_LEVEL'] ?? '').toUpperCase() as keyof typeof LOG_LEVELS]; // or none
  const language = values['VM_BALANCER_LANG'];
  return {
    overlay: { raw: reader.raw, file, origins },
    ...{ connections: reader.connections, clusters: reader.clusters },
    ...(installation ? { installation } : {}),
    ...(ssh === undefined ? {} : { ssh }),
    ...(values['LOG_LEVEL'] === undefined ? {} : { logLevel: level }),
    ...(language === undefined ? {} : { language }),
    warnings: byLine(warnings),
  };
}

/** Reads an env-file of the VM Balancer. Throws a ConfigError with all problems. */
export function loadBalanceEnv(file: string, use: EnvUse = {}): BalanceEnv {
  const { text, mode } = readTextFile(file);
  const env = parseBalanceEnv(text, file, use);
  const hasSecret =
    env.overlay.raw['notify'] !== undefined ||
    env.installation !== undefined ||
    (env.ssh && (env.ssh.password ?? env.ssh.passphrase) !== undefined);
  const isOpen = process.platform !== 'win32' && (mode & 0o044) !== 0 && hasSecret;
  const warning = `${file} holds a secret and others on this machine may read it: chmod 600 ${shellWord(file)}`;
  return isOpen ? { ...env, warnings: [...env.warnings, warning] } : env;
}
