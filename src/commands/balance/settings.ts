/** balance.yml, the env-file and the flags of `balance`, put together. */
import { loadBalance } from '../../lib/config/balance/balance.ts';
import { loadBalanceEnv, parseBalanceEnv, type EnvUse } from '../../lib/config/balance/env-file.ts';
import type { BalanceConfig } from '../../lib/config/balance/types.ts';
import type { Origin } from '../../lib/config/input/issues.ts';
import type { Connection, SshSettings } from '../../lib/config/types.ts';
import { UsageError } from '../../lib/errors.ts';
import { languageOfLocale, type Language } from '../../lib/render/languages/codes.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { chosenPlatform, haveSsh, usualPlatform } from './chosen-platform.ts';

export interface BalanceFlags extends GlobalFlags {
  readonly config?: string;
  readonly envFile?: string;
  readonly once?: true;
  readonly interval?: number;
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
  readonly maxMigrations?: number;
  readonly excludeSource?: string[];
  readonly excludeTarget?: string[];
  readonly metricsFile?: string;
  readonly clusterIds?: string[];
  readonly stateFile?: string;
  readonly cpuOverload?: string;
  readonly cpuTarget?: string;
  readonly memoryOverload?: string;
  readonly memoryTarget?: string;
}

/** A connection: by name, the usual one, or one that the env-file describes. */
export type Target = string | undefined | Connection;

export function connectionName(target: Target): string | undefined {
  return typeof target === 'object' ? target.name : target;
}

export interface BalanceSettings {
  readonly config: BalanceConfig;
  readonly connections: readonly Target[];
  /** Clusters of VMmanager 6, by number or name; empty: all. */
  readonly clusters: readonly string[];
  /** Where what is remembered of migrations is kept. */
  readonly stateFile?: string;
  /** How nodes of VMmanager 6 are reached over SSH; false: they are not. Absent: as their connection says. */
  readonly ssh?: SshSettings | false;
  readonly logLevel: GlobalFlags['logLevel'];
  /** Of what people read. */
  readonly language: Language;
  /** Seconds between rounds; absent: one round. */
  readonly interval?: number;
  readonly warnings: readonly string[];
}

function assertFlags(flags: BalanceFlags): void {
  if (flags.detailedExitcode && !flags.dryRun) {
    throw new UsageError('DETAILED_EXITCODE', '--detailed-exitcode has no meaning without --dry-run', {
      hint: 'add --dry-run, or leave it out',
    });
  }
  if (flags.once && flags.interval !== undefined) {
    throw new UsageError('ONCE_AND_INTERVAL', '--once is one round, --interval many', {
      hint: 'leave one of them out',
    });
  }
}

const FLAGS = [
  ['interval', 'interval', '--interval', '10m'],
  ['maxMigrations', 'max_migrations', '--max-migrations', '6'],
  ['metricsFile', 'metrics_file', '--metrics-file', 'balance.prom'],
  ['excludeSource', 'exclude.source', '--exclude-source', 'pve1,pve2'],
  ['excludeTarget', 'exclude.target', '--exclude-target', 'pve1,pve2'],
] as const;

function originsOf(flags: BalanceFlags): [string, Origin][] {
  return FLAGS.flatMap(([name, key, flag, usual]) => {
    const value = flags[name];
    if (value === undefined) return [];
    return [[key, { file: 'command line', path: flag, value: String(value), hint: `e.g. ${flag} ${usual}` }]];
  });
}

/** Flags win over the env-file, which wins over balance.yml. */
function rawOf(flags: BalanceFlags, env: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const below = env['exclude'] as Record<string, unknown> | undefined; // made by env-file.ts: a mapping or nothing
  const exclude = {
    ...below,
    ...(flags.excludeSource === undefined ? {} : { source: flags.excludeSource }),
    ...(flags.excludeTarget === undefined ? {} : { target: flags.excludeTarget }),
  };
  return {
    ...env,
    ...(Object.keys(exclude).length === 0 ? {} : { exclude }),
    ...(flags.interval === undefined ? {} : { interval: flags.interval }),
    ...(flags.maxMigrations === undefined ? {} : { max_migrations: flags.maxMigrations }),
    ...(flags.metricsFile === undefined ? {} : { metrics_file: flags.metricsFile }),
  };
}

const THRESHOLDS = [
  ['CPU_OVERLOAD_THRESHOLD', 'cpuOverload', '--cpu-overload'],
  ['CPU_TARGET_THRESHOLD', 'cpuTarget', '--cpu-target'],
  ['MEMORY_OVERLOAD_THRESHOLD', 'memoryOverload', '--memory-overload'],
  ['MEMORY_TARGET_THRESHOLD', 'memoryTarget', '--memory-target'],
] as const;

/** They mean what the variables mean, and win over them. */
function envUse(io: ProgramIo, flags: BalanceFlags): EnvUse {
  const platform = chosenPlatform(io, flags);
  return {
    ...(platform === undefined ? { usual: () => usualPlatform(io, flags) } : { platform }),
    hasSsh: () => haveSsh(io, flags),
    flags: Object.fromEntries(
      THRESHOLDS.flatMap(([name, key, flag]) => {
        const value = flags[key];
        return value === undefined ? [] : [[name, { flag, value }]];
      }),
    ),
  };
}

/** Throws for everything that is wrong with files and flags, before anything is contacted. */
export function loadSettings(io: ProgramIo, flags: BalanceFlags, isEvacuation: boolean): BalanceSettings {
  assertFlags(flags);
  const use = envUse(io, flags);
  const env =
    flags.envFile === undefined
      ? parseBalanceEnv('', 'command line', use)
      : loadBalanceEnv(flags.envFile, use);
  const overlay = {
    raw: rawOf(flags, env.overlay.raw),
    file: flags.envFile ?? 'command line',
    origins: new Map([...(env.overlay.origins ?? []), ...originsOf(flags)]),
  };
  const { config, warnings } = loadBalance(flags.config, overlay);
  const named = flags.connection?.split(',').map((name) => name.trim());
  const targets: readonly Target[] = env.installation
    ? [env.installation]
    : (named ?? env.connections).filter((name) => name !== '');
  const isOnce = isEvacuation || flags.once === true || flags.dryRun === true;
  const interval = isOnce ? undefined : config.interval;
  const { logLevel: level, ssh } = env;
  return {
    config,
    connections: targets.length === 0 ? [undefined] : [...new Set(targets)],
    clusters: flags.clusterIds ?? env.clusters,
    ...(flags.stateFile === undefined ? {} : { stateFile: flags.stateFile }),
    // A rehearsal contacts nobody.
    ...(flags.simulate !== undefined ? { ssh: false } : ssh === undefined ? {} : { ssh }),
    logLevel: flags.logLevel === 'silent' && level !== undefined ? level : flags.logLevel,
    language: languageOfLocale(env.language, io.env['VM_BALANCER_LANG']),
    ...(interval === undefined ? {} : { interval }),
    warnings: [...env.warnings, ...warnings],
  };
}
