/** What balance.yml means on VMmanager 6, which measures neither CPU use nor pressure, and load averages over SSH only. Decides nothing. */
import type { BalanceConfig, NodeLimits } from '../../../config/balance/types.ts';
import type { SeenNode } from '../../../inventory/vmmanager-types.ts';
import type { Policy } from '../core/types.ts';

/** Limits that nobody can hold anything against. */
function withoutUnmeasured(limits: NodeLimits): NodeLimits {
  return { ...limits, cpu: Infinity, pressure: Infinity };
}

/** The VM Balancer took names and numbers. */
function namesOf(written: readonly string[], nodes: readonly SeenNode[]): string[] {
  const byNumber = new Map(nodes.map(({ id, name }) => [String(id), name]));
  const names = new Set(nodes.map(({ name }) => name));
  return written.map((word) => (names.has(word) ? word : (byNumber.get(word) ?? word)));
}

/**
 * One measure for all nodes of a cluster: load averages where all are known, else virtual CPUs per thread, of all (and
 * load averages besides, where they are known). That of one node and this of another cannot be compared.
 */
function limitsFor(limits: NodeLimits, config: BalanceConfig, nodes: readonly SeenNode[]): NodeLimits {
  const isKnown = nodes.every(({ online, loadAverage }) => !online || loadAverage !== undefined);
  const isAsked = config.measures.includes('allocation');
  const known = withoutUnmeasured(limits);
  return isKnown && !isAsked ? { ...known, vcpusPerCore: Infinity } : known;
}

export function policyFor(config: BalanceConfig, nodes: readonly SeenNode[]): Policy {
  // Told in any case; judged as the limits say.
  const measures = [...new Set([...config.measures, 'allocation' as const])];
  return {
    ...config,
    measures,
    overload: limitsFor(config.overload, config, nodes),
    target: limitsFor(config.target, config, nodes),
    relieveTo: limitsFor(config.relieveTo, config, nodes),
    excludeSource: namesOf(config.excludeSource, nodes),
    excludeTarget: namesOf(config.excludeTarget, nodes),
    pin: config.pin.map((pin) => ({ ...pin, nodes: namesOf(pin.nodes, nodes) })),
  };
}
