/** Turns a balance.yml that passed schema and rules into the form that the rest of the program uses. Judges nothing. */
import type {
  BalanceConfig,
  BalanceMeasure,
  BalanceMode,
  GuestRule,
  GuestSelector,
  LabTimes,
  NodeLimits,
  PinRule,
  TimeSpan,
  Weekday,
} from './types.ts';
import { fractionOf, secondsOf, timeSpan, vmidsOf } from './values.ts';
import { amountOf } from '../lab/normalise.ts';
import { compact } from '../../compact.ts';
import { notifyOf, type WrittenNotify } from '../notify/normalise.ts';

type Value = number | string;

interface WrittenLimits {
  cpu?: Value;
  memory?: Value;
  load_per_core?: number;
  pressure?: Value;
  vcpus_per_core?: number;
}

interface WrittenRule {
  name?: string;
  tags?: string[];
  pools?: string[];
  vmids?: Value[];
  names?: string[];
}

interface WrittenPin extends WrittenRule {
  nodes: string[];
}

interface WrittenSpan {
  days?: Weekday[];
  from: string;
  to: string;
}

interface WrittenTimes {
  windows?: WrittenSpan[];
  blackout?: WrittenSpan[];
}

interface WrittenLab extends WrittenTimes {
  no_move?: boolean;
  lessons?: WrittenSpan[];
  prepare?: Value;
  lesson_cpu?: Value;
}

/** What the schema lets through. */
export interface WrittenBalance extends WrittenTimes {
  mode?: BalanceMode;
  spread_limit?: number;
  overload?: WrittenLimits;
  target?: WrittenLimits;
  relieve_to?: WrittenLimits;
  measures?: BalanceMeasure[];
  memory_measure?: 'used' | 'committed';
  overcommit?: Value;
  max_guests?: number;
  reserve?: { memory?: Value; cores?: Value };
  window?: Value;
  min_gain?: Value;
  hold?: number;
  cooldown?: Value;
  blacklist?: Value;
  max_migrations?: number;
  max_migrations_per_node?: number;
  max_inflow_per_node?: number;
  parallel?: number;
  migration_timeout?: Value;
  bandwidth?: number;
  guests?: 'ours' | 'all';
  local_disks?: boolean;
  storage_map?: boolean | Record<string, string | string[]>;
  containers?: 'skip' | 'restart';
  ha?: 'skip' | 'follow';
  zfs_arc?: Record<string, Value>;
  cpu_groups?: string[][];
  exclude?: { source?: string[]; target?: string[] };
  rules?: {
    ignore?: WrittenRule[];
    pin?: WrittenPin[];
    affinity?: WrittenRule[];
    anti_affinity?: WrittenRule[];
  };
  time_zone?: string;
  labs?: Record<string, WrittenLab>;
  notify?: WrittenNotify;
  metrics_file?: string;
  interval?: Value;
  jitter?: Value;
}

/** Between the extremes of the tools that exist; a target is well below what makes a node overloaded. */
const OVERLOAD = { cpu: 0.75, memory: 0.8, loadPerCore: 1.5, pressure: 0.5, vcpusPerCore: 7 };
const TARGET = { cpu: 0.6, memory: 0.7, loadPerCore: 1, pressure: 0.25, vcpusPerCore: 6 };
/** How far below the limit a relieved node goes: four points, or a twentieth of what is no percentage. */
const POINTS = 0.04;
const PART = 0.95;
/** A target for committed memory has so much less than `overcommit`, as for memory in use. */
const COMMITTED_BELOW = 0.1;

function limitsOf(written: WrittenLimits | undefined, defaults: NodeLimits): NodeLimits {
  return {
    cpu: fractionOf(written?.cpu) ?? defaults.cpu,
    memory: fractionOf(written?.memory) ?? defaults.memory,
    loadPerCore: written?.load_per_core ?? defaults.loadPerCore,
    pressure: fractionOf(written?.pressure) ?? defaults.pressure,
    vcpusPerCore: written?.vcpus_per_core ?? defaults.vcpusPerCore,
    committed: defaults.committed,
  };
}

/** Never below the target: what is relieved down to it could be one itself. */
function defaultRelief(overload: NodeLimits, target: NodeLimits): NodeLimits {
  const points = (key: keyof NodeLimits): number => Math.max(overload[key] - POINTS, target[key]);
  const part = (key: keyof NodeLimits): number => Math.max(overload[key] * PART, target[key]);
  return {
    cpu: points('cpu'),
    memory: points('memory'),
    loadPerCore: part('loadPerCore'),
    pressure: points('pressure'),
    vcpusPerCore: part('vcpusPerCore'),
    committed: points('committed'),
  };
}

type WrittenThresholds = Pick<WrittenBalance, 'overload' | 'target' | 'relieve_to' | 'overcommit'>;

/** The three levels of a node's load, with their defaults. */
export function thresholdsOf(
  written: WrittenThresholds,
): Pick<BalanceConfig, 'overload' | 'target' | 'relieveTo' | 'overcommit'> {
  const overcommit = fractionOf(written.overcommit) ?? 1;
  const overload = limitsOf(written.overload, { ...OVERLOAD, committed: overcommit });
  const below = Math.max(overcommit - COMMITTED_BELOW, 0);
  const target = limitsOf(written.target, { ...TARGET, committed: below });
  return {
    overload,
    target,
    relieveTo: limitsOf(written.relieve_to, defaultRelief(overload, target)),
    overcommit,
  };
}

const HOUR = 3600;

function lower(texts: readonly string[] | undefined): string[] {
  return (texts ?? []).map((entry) => entry.toLowerCase());
}

function selectorOf(written: WrittenRule): GuestSelector {
  return {
    tags: lower(written.tags),
    pools: written.pools ?? [],
    vmids: (written.vmids ?? []).flatMap((entry) => vmidsOf(entry) ?? []),
    names: lower(written.names),
  };
}

function rulesOf(written: readonly WrittenRule[] | undefined, kind: string): GuestRule[] {
  return (written ?? []).map((rule, index) => ({
    name: rule.name ?? `${kind}[${index}]`,
    guests: selectorOf(rule),
  }));
}

function pinsOf(written: readonly WrittenPin[] | undefined): PinRule[] {
  return (written ?? []).map((rule, index) => ({
    name: rule.name ?? `pin[${index}]`,
    guests: selectorOf(rule),
    nodes: rule.nodes,
  }));
}

function spansOf(written: readonly WrittenSpan[] | undefined): TimeSpan[] {
  return (written ?? []).flatMap((span) => timeSpan(span) ?? []);
}

function labsOf(written: WrittenBalance['labs']): Record<string, LabTimes> {
  return Object.fromEntries(
    Object.entries(written ?? {}).map(([lab, times]) => [
      lab,
      {
        noMove: times.no_move ?? false,
        windows: spansOf(times.windows),
        blackout: spansOf(times.blackout),
        lessons: spansOf(times.lessons),
        prepare: secondsOf(times.prepare) ?? HOUR,
        lessonCpu: fractionOf(times.lesson_cpu) ?? 0.5,
      },
    ]),
  );
}

function storageMapOf(written: WrittenBalance['storage_map'] = true): BalanceConfig['storageMap'] {
  if (typeof written === 'boolean') return { written: {}, automatic: written };
  const lists = Object.entries(written).map(
    ([from, to]) => [from, typeof to === 'string' ? [to] : [...new Set(to)]] as const,
  );
  return { written: Object.fromEntries(lists), automatic: true };
}

export function normaliseBalance(written: WrittenBalance, file: string): BalanceConfig {
  const { rules = {}, reserve = {}, exclude = {}, bandwidth } = written;
  return compact({
    file,
    mode: written.mode ?? 'threshold',
    spreadLimit: written.spread_limit ?? 0.3,
    ...thresholdsOf(written),
    measures: written.measures ?? (['load'] as const),
    memoryMeasure: written.memory_measure ?? 'used',
    maxGuests: written.max_guests,
    reserve: compact({ memory: amountOf(reserve.memory ?? '5%'), cores: amountOf(reserve.cores) }),
    window: secondsOf(written.window) ?? HOUR / 4,
    minGain: fractionOf(written.min_gain) ?? 0.1,
    hold: written.hold ?? 1,
    cooldown: secondsOf(written.cooldown) ?? HOUR,
    blacklist: secondsOf(written.blacklist) ?? 24 * HOUR,
    maxMigrations: written.max_migrations ?? 6,
    maxMigrationsPerNode: written.max_migrations_per_node ?? 4,
    maxInflowPerNode: written.max_inflow_per_node ?? 4,
    parallel: written.parallel ?? 1,
    migrationTimeout: secondsOf(written.migration_timeout) ?? HOUR / 2,
    bandwidth: bandwidth === undefined ? undefined : Math.round(bandwidth * 1024),
    guests: written.guests ?? 'ours',
    localDisks: written.local_disks ?? true,
    storageMap: storageMapOf(written.storage_map),
    containers: written.containers ?? 'skip',
    ha: written.ha ?? 'skip',
    zfsArc: Object.fromEntries(
      Object.entries(written.zfs_arc ?? {}).flatMap(([node, value]) => {
        const amount = amountOf(value);
        return amount ? [[node, amount] as const] : [];
      }),
    ),
    cpuGroups: written.cpu_groups ?? [],
    excludeSource: [...new Set(exclude.source ?? [])],
    excludeTarget: [...new Set(exclude.target ?? [])],
    ignore: rulesOf(rules.ignore, 'ignore'),
    pin: pinsOf(rules.pin),
    affinity: rulesOf(rules.affinity, 'affinity'),
    antiAffinity: rulesOf(rules.anti_affinity, 'anti_affinity'),
    timeZone: written.time_zone ?? 'UTC',
    windows: spansOf(written.windows),
    blackout: spansOf(written.blackout),
    labs: labsOf(written.labs),
    notify: notifyOf(written.notify ?? {}),
    metricsFile: written.metrics_file,
    interval: secondsOf(written.interval),
    jitter: secondsOf(written.jitter) ?? 0,
  });
}
