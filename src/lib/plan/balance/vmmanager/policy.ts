/** What balance.yml means on VMmanager 6, which measures neither CPU use nor pressure. Decides nothing. */
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

/** Virtual CPUs per thread are what is left to judge by: no node's load average is known. */
export function policyFor(config: BalanceConfig, nodes: readonly SeenNode[]): Policy {
  const measures = [...new Set([...config.measures, 'allocation' as const])];
  return {
    ...config,
    measures,
    overload: withoutUnmeasured(config.overload),
    target: withoutUnmeasured(config.target),
    relieveTo: withoutUnmeasured(config.relieveTo),
    excludeSource: namesOf(config.excludeSource, nodes),
    excludeTarget: namesOf(config.excludeTarget, nodes),
    pin: config.pin.map((pin) => ({ ...pin, nodes: namesOf(pin.nodes, nodes) })),
  };
}
