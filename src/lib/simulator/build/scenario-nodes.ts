/** The nodes of a scenario, one by one. Pure. */
import type { Scenario, ScenarioNode } from '../scenario-types.ts';

export function nodesOf(scenario: Scenario): readonly ScenarioNode[] {
  const { nodes } = scenario;
  if (!('count' in nodes)) return nodes;
  const { count, prefix = 'pve', ...rest } = nodes;
  return Array.from({ length: count }, (_, i) => ({ name: `${prefix}${i + 1}`, ...rest }));
}
