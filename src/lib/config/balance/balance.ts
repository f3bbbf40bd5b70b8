/** balance.yml → BalanceConfig: validates and normalises, with all problems at once. Contacts nothing. */
import type { BalanceConfig } from './types.ts';
import { normaliseBalance, type WrittenBalance } from './normalise.ts';
import { balanceRules } from './rules.ts';
import { configError, Issues, type Origin, type Path } from '../input/issues.ts';
import { readTextFile } from '../input/read-text.ts';
import { readYaml } from '../input/read-yaml.ts';
import { checkSchema, textKeysOf } from '../input/schema.ts';
import { isMapping, mapping, type Written } from '../input/written.ts';
import { holdsSecrets, mayBeSecret } from '../notify/sinks.ts';
import { shellWord } from '../../shell.ts';

export interface LoadedBalance {
  readonly config: BalanceConfig;
  readonly warnings: readonly string[];
}

/** What wins over the file, with the keys of balance.yml: the command line, or an env-file. Mappings are merged. */
export interface BalanceOverlay {
  readonly raw: Written;
  /** Named in messages when there is no balance.yml. */
  readonly file: string;
  /** What each of its keys came from, e.g. `overload.memory`. */
  readonly origins?: ReadonlyMap<string, Origin>;
}

/** Of the key, or of what it is part of. */
function originIn({ origins }: BalanceOverlay, path: Path): Origin | undefined {
  return path.map((_, index) => origins?.get(path.slice(0, index + 1).join('.'))).find((one) => one);
}

function isSecret([top, ...below]: Path): boolean {
  return top === 'notify' && mayBeSecret(below);
}

function merge(base: Written, over: Written): Written {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = base[key];
    merged[key] = isMapping(below) && isMapping(value) ? merge(below, value) : value;
  }
  return merged;
}

function checkKind(value: unknown, issues: Issues): void {
  if (value === null || value === undefined) return;
  if (!isMapping(value)) {
    const hint = 'it is made of lines such as "max_migrations: 6"; see examples/balance.yml';
    issues.add([], 'this is no balance file: a mapping is expected', { hint });
  } else if (value['machines'] !== undefined || Array.isArray(value['users'])) {
    const kind = value['machines'] === undefined ? 'a users file' : 'a lab';
    issues.add([], `this is ${kind}, not a balance file`, { hint: 'give balance.yml with -c' });
  }
}

/** The bits mean nothing on Windows. A token of the env-file is no secret of this file. */
function modeWarnings(config: BalanceConfig, mode: number | undefined, over: Written): string[] {
  const isOpen = process.platform !== 'win32' && mode !== undefined && (mode & 0o044) !== 0;
  if (!isOpen || !holdsSecrets(config.notify, over['notify'])) return [];
  return [
    `${config.file} holds secrets and others on this machine may read it: chmod 600 ${shellWord(config.file)}, or write env:NAME instead`,
  ];
}

/** Reads a balance.yml from text. Throws a ConfigError with all problems. */
export function parseBalance(
  content: string,
  file: string,
  overlay: BalanceOverlay = { raw: {}, file },
): LoadedBalance {
  const yaml = readYaml(content, file, { textKeys: textKeysOf('balance') });
  const issues = new Issues({ ...yaml, origin: (path) => originIn(overlay, path) }, isSecret);
  checkKind(yaml.value, issues);
  if (issues.errors.length > 0) throw configError(issues.errors);
  const value = merge(mapping(yaml.value), overlay.raw);
  for (const rule of balanceRules) rule(value, issues);
  checkSchema('balance', value, issues);
  if (issues.errors.length > 0) throw configError(issues.errors);
  const written = value as unknown as WrittenBalance; // the schema has just said so
  return { config: normaliseBalance(written, file), warnings: issues.warnings };
}

/** Without a file: the defaults, with the overlay on top. */
export function loadBalance(file: string | undefined, overlay?: BalanceOverlay): LoadedBalance {
  if (file === undefined) return parseBalance('{}', overlay?.file ?? '', overlay);
  const { text, mode } = readTextFile(file);
  const loaded = parseBalance(text, file, overlay);
  return {
    ...loaded,
    warnings: [...loaded.warnings, ...modeWarnings(loaded.config, mode, overlay?.raw ?? {})],
  };
}
