/** balance.yml, the env-file and the flags of `balance`, put together. */
import { loadBalance } from '../../lib/config/balance/balance.ts';
import { loadBalanceEnv, type BalanceEnv } from '../../lib/config/balance/env-file.ts';
import type { BalanceConfig } from '../../lib/config/balance/types.ts';
import type { Connection } from '../../lib/config/types.ts';
import { UsageError } from '../../lib/errors.ts';
import type { GlobalFlags } from '../options.ts';

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
}

/** A connection: by name, the usual one, or one that the env-file describes. */
export type Target = string | undefined | Connection;

export function nameOf(target: Target): string | undefined {
  return typeof target === 'object' ? target.name : target;
}

export interface BalanceSettings {
  readonly config: BalanceConfig;
  readonly connections: readonly Target[];
  /** Clusters of VMmanager 6, by number or name; empty: all. */
  readonly clusters: readonly string[];
  /** Where what is remembered of migrations is kept. */
  readonly stateFile?: string;
  /** Seconds between rounds; absent: one round. */
  readonly interval?: number;
  readonly warnings: readonly string[];
}

const NO_ENV: BalanceEnv = { overlay: { raw: {}, file: '' }, connections: [], warnings: [] };

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
  if (flags.interval === 0)
    throw new UsageError('INTERVAL', '--interval 0 never rests', { hint: 'give e.g. 10m' });
}

/** Flags win over the env-file, which wins over balance.yml. */
function rawOf(flags: BalanceFlags, env: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const below = env['exclude'] as Record<string, unknown> | undefined; // made by balance-env.ts: a mapping or nothing
  const exclude = {
    ...below,
    ...(flags.excludeSource === undefined ? {} : { source: flags.excludeSource }),
    ...(flags.excludeTarget === undefined ? {} : { target: flags.excludeTarget }),
  };
  return {
    ...env,
    ...(Object.keys(exclude).length === 0 ? {} : { exclude }),
    ...(flags.maxMigrations === undefined ? {} : { max_migrations: flags.maxMigrations }),
    ...(flags.metricsFile === undefined ? {} : { metrics_file: flags.metricsFile }),
  };
}

/** Throws for everything that is wrong with files and flags, before anything is contacted. */
export function loadSettings(flags: BalanceFlags, isEvacuation: boolean): BalanceSettings {
  assertFlags(flags);
  const env = flags.envFile === undefined ? NO_ENV : loadBalanceEnv(flags.envFile);
  const overlay = { raw: rawOf(flags, env.overlay.raw), file: flags.envFile ?? 'command line' };
  const { config, warnings } = loadBalance(flags.config, overlay);
  const named = flags.connection?.split(',').map((name) => name.trim());
  const connections = (named ?? env.connections).filter((name) => name !== '');
  const isOnce = isEvacuation || flags.once === true || flags.dryRun === true;
  const interval = isOnce ? undefined : (flags.interval ?? config.interval);
  return {
    config,
    connections: connections.length === 0 ? [undefined] : [...new Set(connections)],
    clusters: flags.clusterIds ?? [],
    ...(flags.stateFile === undefined ? {} : { stateFile: flags.stateFile }),
    ...(interval === undefined ? {} : { interval }),
    warnings: [...env.warnings, ...warnings],
  };
}
