/** Arithmetic of node load: what a node carries, what a unit adds, when a node is overloaded. */
import type { BalanceMeasure, NodeLimits } from '../../../config/balance/types.ts';
import type { NodeLoad } from '../../document/balance-report.ts';
import type { Guest, Node, Policy } from './types.ts';

/** Comparisons leave this much room, so that sums in another order decide the same. */
export const EPSILON = 1e-9;

/** What guests ask of a node. Stopped ones only count. */
export interface Demand {
  /** Busy host threads. */
  readonly threads: number;
  /** Bytes in use. */
  readonly memory: number;
  /** Bytes configured. */
  readonly committed: number;
  /** Virtual CPUs. */
  readonly vcpus: number;
  readonly guests: number;
}

export const NO_DEMAND: Demand = { threads: 0, memory: 0, committed: 0, vcpus: 0, guests: 0 };

export function isRunning({ status }: Guest): boolean {
  return status === 'running';
}

/** What it asks for at this moment. */
export function presentDemandOf(guest: Guest): Demand {
  if (!isRunning(guest)) return { ...NO_DEMAND, guests: 1 };
  return {
    threads: guest.cpu * guest.cpus,
    memory: guest.memoryUsed,
    committed: guest.memory,
    vcpus: guest.cpus,
    guests: 1,
  };
}

/** What has to be reckoned with: of a lesson that is on or near the load that it brings, whoever is switched off as yet. */
export function demandOf(guest: Guest): Demand {
  const present = presentDemandOf(guest);
  if (guest.lessonCpu === undefined) return present;
  return {
    threads: Math.max(present.threads, guest.lessonCpu * guest.cpus),
    memory: Math.max(present.memory, guest.memory),
    committed: guest.memory,
    vcpus: guest.cpus,
    guests: 1,
  };
}

export function sum(demands: readonly Demand[]): Demand {
  let [threads, memory, committed, vcpus, guests] = [0, 0, 0, 0, 0];
  for (const demand of demands) {
    threads += demand.threads;
    memory += demand.memory;
    committed += demand.committed;
    vcpus += demand.vcpus;
    guests += demand.guests;
  }
  return { threads, memory, committed, vcpus, guests };
}

export function negative({ threads, memory, committed, vcpus, guests }: Demand): Demand {
  return { threads: -threads, memory: -memory, committed: -committed, vcpus: -vcpus, guests: -guests };
}

/** Present demand on a node, and the measured one that the projections start from. */
export interface NodeDemand extends Demand {
  readonly node: Node;
  readonly measured: Demand;
}

/** Loads as fractions; what is not known is 0 and never over a limit. */
export interface Loads {
  readonly cpu: number;
  readonly used: number;
  readonly committed: number;
  readonly vcpusPerCore: number;
  readonly guests: number;
  readonly loadPerCore: number;
  readonly cpuPressure: number;
  readonly memoryPressure: number;
}

function scaled(pressure: number | undefined, now: number, measured: number): number {
  if (pressure === undefined) return 0;
  return measured <= 0 ? pressure : (pressure * Math.max(now, 0)) / measured;
}

/**
 * Loads with `plus` on top (its fields may be negative). A busy thread counts as one in the load average; pressure is
 * taken as proportional to use.
 */
export function loadsOf(state: NodeDemand, plus: Demand = NO_DEMAND): Loads {
  const { node, measured } = state;
  const threads = state.threads + plus.threads;
  const memory = state.memory + plus.memory;
  const cpus = Math.max(node.cpus, 1);
  // A node without memory is one of which nothing is known.
  const total = node.memoryTotal > 0 ? node.memoryTotal : Infinity;
  return {
    cpu: Math.max(threads, 0) / cpus,
    used: Math.max(memory, 0) / total,
    committed: Math.max(state.committed + plus.committed, 0) / total,
    vcpusPerCore: Math.max(state.vcpus + plus.vcpus, 0) / cpus,
    guests: state.guests + plus.guests,
    loadPerCore:
      node.loadPerCore === undefined
        ? 0
        : Math.max(node.loadPerCore + (threads - measured.threads) / cpus, 0),
    cpuPressure: scaled(node.pressure?.cpu, threads, measured.threads),
    memoryPressure: scaled(node.pressure?.memory, memory, measured.memory),
  };
}

export interface Dimension {
  readonly code: string;
  readonly word: string;
  readonly measure: BalanceMeasure;
  /** The part of a demand in which the value is linear. */
  readonly part: (config: Policy) => keyof Demand;
  readonly value: (loads: Loads, config: Policy) => number;
  readonly limit: (limits: NodeLimits) => number;
  readonly isShare: boolean;
}

const DIMENSIONS: readonly Dimension[] = [
  {
    ...{ code: 'cpu', word: 'CPU', measure: 'load', isShare: true },
    part: () => 'threads',
    value: ({ cpu }) => cpu,
    limit: ({ cpu }) => cpu,
  },
  {
    ...{ code: 'memory', word: 'memory', measure: 'load', isShare: true },
    part: ({ memoryMeasure }) => (memoryMeasure === 'used' ? 'memory' : 'committed'),
    value: (loads, { memoryMeasure }) => (memoryMeasure === 'used' ? loads.used : loads.committed),
    limit: ({ memory }) => memory,
  },
  {
    ...{ code: 'load', word: 'load per core', measure: 'load', isShare: false },
    part: () => 'threads',
    value: ({ loadPerCore }) => loadPerCore,
    limit: ({ loadPerCore }) => loadPerCore,
  },
  {
    ...{ code: 'pressure', word: 'CPU pressure', measure: 'load', isShare: true },
    part: () => 'threads',
    value: ({ cpuPressure }) => cpuPressure,
    limit: ({ pressure }) => pressure,
  },
  {
    ...{ code: 'pressure', word: 'memory pressure', measure: 'load', isShare: true },
    part: () => 'memory',
    value: ({ memoryPressure }) => memoryPressure,
    limit: ({ pressure }) => pressure,
  },
  {
    ...{ code: 'allocation', word: 'virtual CPUs per core', measure: 'allocation', isShare: false },
    part: () => 'vcpus',
    value: ({ vcpusPerCore }) => vcpusPerCore,
    limit: ({ vcpusPerCore }) => vcpusPerCore,
  },
  {
    ...{ code: 'overcommit', word: 'committed memory', measure: 'overcommit', isShare: true },
    part: () => 'committed',
    value: ({ committed }) => committed,
    limit: ({ committed }) => committed,
  },
];

const ASKED_FOR = new WeakMap<Policy, readonly Dimension[]>();

/** Those that this configuration judges by. */
export function dimensionsOf(config: Policy): readonly Dimension[] {
  const known = ASKED_FOR.get(config);
  if (known) return known;
  const asked = DIMENSIONS.filter(({ measure }) => config.measures.includes(measure));
  ASKED_FOR.set(config, asked);
  return asked;
}

/** The levels of load in balance.yml. */
export type Level = 'overload' | 'relieveTo' | 'target';

function spell(value: number, { isShare }: Dimension): string {
  return isShare ? `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %` : value.toFixed(2);
}

/** Largest load by its overload limit; above 1 the node is overloaded. */
export function severityOf(loads: Loads, config: Policy): number {
  let worst = 0;
  for (const { value, limit } of dimensionsOf(config))
    worst = Math.max(worst, value(loads, config) / limit(config.overload));
  return worst;
}

export function isOverloaded(loads: Loads, config: Policy): boolean {
  return severityOf(loads, config) > 1 + EPSILON;
}

/** By how much the limits are exceeded, added up; 0 when none is. */
export function excessOf(loads: Loads, config: Policy): number {
  let excess = 0;
  for (const { value, limit } of dimensionsOf(config))
    excess += Math.max(value(loads, config) / limit(config.overload) - 1 - EPSILON, 0);
  return excess;
}

/** The load that a coefficient of variation is taken of. */
export function meanLoadOf(loads: Loads, config: Policy): number {
  return (loads.cpu + (config.memoryMeasure === 'used' ? loads.used : loads.committed)) / 2;
}

export interface Breach {
  readonly code: string;
  /** E.g. `memory 91 % > 80 %`. */
  readonly text: string;
}

/** The limits that are reached, in words. `over`: only those that are exceeded. */
export function breaches(loads: Loads, config: Policy, which: Level): readonly Breach[] {
  return dimensionsOf(config).flatMap((dimension) => {
    const value = dimension.value(loads, config);
    const limit = dimension.limit(config[which]);
    const isOver = which === 'target' ? value >= limit * (1 - EPSILON) : value > limit * (1 + EPSILON);
    const sign = which === 'target' ? '≥' : '>';
    const text = `${dimension.word} ${spell(value, dimension)} ${sign} ${spell(limit, dimension)}`;
    return isOver ? [{ code: dimension.code, text }] : [];
  });
}

/** Has room left under every limit? */
export function isBelow(loads: Loads, config: Policy, which: Level): boolean {
  return dimensionsOf(config).every(
    ({ value, limit }) => value(loads, config) < limit(config[which]) * (1 - EPSILON),
  );
}

export function toNodeLoad({ node }: NodeDemand, loads: Loads, config: Policy): NodeLoad {
  return {
    cpu: loads.cpu,
    memory: loads.used,
    committed: loads.committed,
    ...(config.measures.includes('allocation') ? { vcpusPerCore: loads.vcpusPerCore } : {}),
    ...(node.loadPerCore === undefined ? {} : { loadPerCore: loads.loadPerCore }),
    ...(node.pressure === undefined
      ? {}
      : { pressure: { cpu: loads.cpuPressure, memory: loads.memoryPressure } }),
    severity: severityOf(loads, config),
  };
}
