/** Reads the VM Balancer's env-file into the words of balance.yml. Judges values by form alone; contacts nothing. */
import { parseEnv } from 'node:util';
import type { ConfigIssue } from '../../errors.ts';
import type { BalanceOverlay } from './balance.ts';
import { configError, printable } from '../input/issues.ts';
import { nearest } from '../../nearest.ts';
import { readTextFile } from '../input/read-text.ts';
import { shellWord } from '../../shell.ts';

export interface BalanceEnv {
  readonly overlay: BalanceOverlay;
  /** `CLUSTER_IDS`: names of connections; empty when the file names none. */
  readonly connections: readonly string[];
  readonly warnings: readonly string[];
}

type Raw = Record<string, unknown>;

interface Reader {
  readonly raw: Raw;
  readonly connections: string[];
  readonly values: Readonly<Record<string, string>>;
  fail(name: string, message: string, hint: string): void;
  warn(name: string, message: string): void;
}

function put(raw: Raw, path: readonly [string, string?], value: unknown): void {
  const [key, below] = path;
  if (below === undefined) raw[key] = value;
  else raw[key] = { ...(raw[key] as Raw | undefined), [below]: value }; // only ever written here
}

type Read = (reader: Reader, name: string, value: string) => void;

function wholeNumber(key: string, least: number): Read {
  return (reader, name, value) => {
    if (!/^\d{1,9}$/.test(value) || Number(value) < least)
      reader.fail(name, `is not a whole number of at least ${least}`, `e.g. ${name}=600`);
    else put(reader.raw, [key], Number(value));
  };
}

/** Seconds without a unit. */
const seconds = (key: string): Read => wholeNumber(key, 1);

function percent(side: 'overload' | 'target'): Read {
  return (reader, name, value) => {
    const number = Number(value.replace(/\s*%$/, ''));
    if (!(number > 0 && number <= 100))
      reader.fail(name, 'is not a percentage of 1 to 100', `e.g. ${name}=70.0`);
    else put(reader.raw, [side, 'memory'], number);
  };
}

const YES = /^(?:true|1|yes|on)$/i;

/** With SSH it was the load average per core, without it the vCPUs per core that guests are configured with. */
function cpuScore(side: 'overload' | 'target'): Read {
  return (reader, name, value) => {
    const number = Number(value);
    if (!(number > 0 && number <= 1000)) {
      reader.fail(name, 'is not a number above 0', `e.g. ${name}=1.5`);
      return;
    }
    put(reader.raw, [side, 'load_per_core'], number);
    if (side === 'target' || YES.test(reader.values['SSH_ENABLED'] ?? '')) return;
    reader.warn(
      name,
      `was counted in configured vCPUs per core; it is taken as load_per_core: ${number}, the measured load average per core. CPU use is judged too, by overload.cpu of balance.yml (default 75 %)`,
    );
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
    const ids = names.filter((node) => /^\d+$/.test(node));
    if (ids.length > 0)
      reader.fail(name, `names nodes by number: ${ids.join(', ')}`, 'write the names of the nodes');
    else put(reader.raw, ['exclude', side], names);
  };
}

const clusters: Read = (reader, _, value) => {
  reader.connections.push(...list(value));
};

/** Telegram's own form, `123456:AA…`; the value itself is never shown. */
const token: Read = (reader, name, value) => {
  if (!/^\d+:[\w-]{20,}$/.test(value))
    reader.fail(name, 'is no bot token', 'copy it from @BotFather, or leave it empty to send nothing');
  else if (!reader.values['TELEGRAM_CHAT_ID'])
    reader.fail(name, 'has no TELEGRAM_CHAT_ID beside it', 'add TELEGRAM_CHAT_ID, or leave both empty');
  else reader.raw['notify'] = { telegram: { token: value, chat: reader.values['TELEGRAM_CHAT_ID'] } };
};

const chat: Read = (reader, name) => {
  if (!reader.values['TELEGRAM_BOT_TOKEN'])
    reader.fail(name, 'has no TELEGRAM_BOT_TOKEN beside it', 'add TELEGRAM_BOT_TOKEN, or leave both empty');
};

function unused(instead: string): Read {
  return (reader, name) => {
    reader.warn(name, `has no meaning here: ${instead}`);
  };
}

const login = unused('where a cluster is and how to log in stands in connections.yml');
const ssh = unused('load averages come from Proxmox VE itself, without SSH');

/** All names that the VM Balancer knows. */
const VARIABLES: Readonly<Record<string, Read>> = {
  BALANCE_INTERVAL: seconds('interval'),
  CLUSTER_IDS: clusters,
  MAX_MIGRATIONS_PER_CYCLE: wholeNumber('max_migrations', 1),
  MIGRATION_TIMEOUT: seconds('migration_timeout'),
  CPU_OVERLOAD_THRESHOLD: cpuScore('overload'),
  CPU_TARGET_THRESHOLD: cpuScore('target'),
  MEMORY_OVERLOAD_THRESHOLD: percent('overload'),
  MEMORY_TARGET_THRESHOLD: percent('target'),
  EXCLUDE_SOURCE_NODES: nodes('source'),
  EXCLUDE_TARGET_NODES: nodes('target'),
  TELEGRAM_BOT_TOKEN: token,
  TELEGRAM_CHAT_ID: chat,
  VMMANAGER_HOST: login,
  VMMANAGER_USERNAME: login,
  VMMANAGER_PASSWORD: login,
  VERIFY_SSL: unused('certificates are verified unless connections.yml says verify_ssl: false'),
  LOG_LEVEL: unused('use --log-level and --log-file'),
  SSH_ENABLED: () => undefined,
  SSH_USERNAME: ssh,
  SSH_PRIVATE_KEY_PATH: ssh,
  SSH_PASSWORD: ssh,
  SSH_TIMEOUT: ssh,
  SSH_HOSTS_MAPPING: ssh,
  VM_BALANCER_LANG: unused('messages are in English'),
};

const SECRET = /TOKEN|PASSWORD|CHAT|KEY/;

/** The line that counts is the last one, as for parseEnv. */
function lineOf(text: string, name: string): number | undefined {
  const nameIn = (line: string): string =>
    line
      .slice(0, line.indexOf('='))
      .replace(/^\s*export\s/, '')
      .trim();
  const at = text.split('\n').findLastIndex((line) => line.includes('=') && nameIn(line) === name);
  return at < 0 ? undefined : at + 1;
}

/** A target has to be below what makes a node overloaded, or guests would go to and fro. */
function checkOrder(reader: Reader): void {
  const { values } = reader;
  for (const what of ['CPU', 'MEMORY']) {
    const [overload, target] = [values[`${what}_OVERLOAD_THRESHOLD`], values[`${what}_TARGET_THRESHOLD`]];
    if (!overload || !target || !(Number(target) >= Number(overload))) continue;
    reader.fail(
      `${what}_TARGET_THRESHOLD`,
      `is not below ${what}_OVERLOAD_THRESHOLD=${printable(overload)}: a node could be a target and overloaded at once`,
      `make it smaller, e.g. ${Math.round(Number(overload) * 8.5) / 10}`,
    );
  }
}

function byLine(warnings: readonly { readonly line: number; readonly text: string }[]): string[] {
  return [...warnings].sort((a, b) => a.line - b.line).map(({ text }) => text);
}

/** Throws a ConfigError with all problems. */
export function parseBalanceEnv(text: string, file: string): BalanceEnv {
  const issues: ConfigIssue[] = [];
  const warnings: { readonly line: number; readonly text: string }[] = [];
  const place = (name: string): Pick<ConfigIssue, 'file' | 'line'> => {
    const line = lineOf(text, name);
    return line === undefined ? { file } : { file, line };
  };
  const parsed = Object.entries(parseEnv(text)).map(([name, value]) => [name, value?.trim() ?? ''] as const);
  const values = Object.fromEntries(parsed.filter(([, value]) => value !== ''));
  const reader: Reader = {
    raw: {},
    connections: [],
    values,
    fail: (name, message, hint) => {
      const shown = SECRET.test(name) ? {} : { value: printable(values[name] ?? '') };
      issues.push({ ...place(name), path: name, message, ...shown, hint });
    },
    warn: (name, message) => {
      const { line } = place(name);
      const where = line === undefined ? file : `${file}:${line}`;
      warnings.push({ line: line ?? 0, text: `${where} ${name}: ${message}` });
    },
  };
  for (const [name, value] of Object.entries(values)) {
    const read = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
    if (read) {
      read(reader, name, value);
      continue;
    }
    const near = nearest(name, Object.keys(VARIABLES));
    reader.warn(
      name,
      near === undefined ? 'is not known and ignored' : `is not known and ignored; did you mean ${near}?`,
    );
  }
  checkOrder(reader);
  if (issues.length > 0) throw configError(issues);
  return { overlay: { raw: reader.raw, file }, connections: reader.connections, warnings: byLine(warnings) };
}

/** Reads an env-file of the VM Balancer. Throws a ConfigError with all problems. */
export function loadBalanceEnv(file: string): BalanceEnv {
  const { text, mode } = readTextFile(file);
  const env = parseBalanceEnv(text, file);
  const isOpen =
    process.platform !== 'win32' && (mode & 0o044) !== 0 && env.overlay.raw['notify'] !== undefined;
  const warning = `${file} holds a secret and others on this machine may read it: chmod 600 ${shellWord(file)}`;
  return isOpen ? { ...env, warnings: [...env.warnings, warning] } : env;
}
