/** What became of each node of a plan that is about nodes instead of stands. Pure. */
import { hasRole, nodeOfStep } from '../plan/document/step-traits.ts';
import { appliesNetwork, editsNetwork, networkDeed } from '../plan/document/network-steps.ts';
import type { NodesPlan, PlannedNode } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import { errorOfSteps } from './step-failures.ts';
import type { StepResult } from '../execute/types.ts';
import type { NodeSummary, ReplicaSummary } from './types.ts';

type BridgeSummary = NodeSummary['bridges'][number];
type Results = ReadonlyMap<string, StepResult>;

/** A staged edit counts when it is in force: what is not applied is not done. */
function bridgeSummaries(steps: readonly Step[], results: Results | undefined): BridgeSummary[] {
  const statusOf = (step: Step): BridgeSummary['status'] => results?.get(step.id)?.status ?? 'planned';
  const reload = steps.find(appliesNetwork);
  const applied = reload ? statusOf(reload) : undefined;
  const bridges = new Map<string, BridgeSummary>();
  for (const step of steps) {
    if (!editsNetwork(step)) continue;
    const change = networkDeed(step);
    const own = statusOf(step);
    const status = own === 'done' && applied !== undefined ? applied : own;
    bridges.set(step.bridge, { iface: step.bridge, change, status });
  }
  for (const iface of reload?.bridges ?? []) {
    if (!bridges.has(iface)) bridges.set(iface, { iface, change: 'apply', status: applied ?? 'planned' });
  }
  for (const iface of reload?.gone ?? []) {
    if (!bridges.has(iface)) bridges.set(iface, { iface, change: 'remove', status: applied ?? 'planned' });
  }
  return [...bridges.values()];
}

/** A copy is made when its last step is done. */
function replicasOf(steps: readonly Step[], results: Results | undefined): ReplicaSummary[] {
  const replicas = new Map<number, ReplicaSummary>();
  for (const step of steps) {
    if (!hasRole(step, 'makes-replica') && step.kind !== 'vm.delete') continue;
    if (!('vmid' in step)) continue;
    const change = step.kind === 'vm.delete' ? 'remove' : 'create';
    const status = results?.get(step.id)?.status ?? 'planned';
    const before = replicas.get(step.vmid)?.status;
    replicas.set(step.vmid, { vmid: step.vmid, change, status: before === 'failed' ? before : status });
  }
  return [...replicas.values()];
}

function summarizeNode(
  planned: PlannedNode,
  steps: readonly Step[],
  results: Results | undefined,
): NodeSummary {
  const error = planned.refused ?? errorOfSteps(steps, results ?? new Map());
  const status = planned.refused
    ? 'refused'
    : error
      ? 'incomplete'
      : steps.length === 0
        ? 'unchanged'
        : results
          ? 'done'
          : 'planned';
  const { node, notes } = planned;
  const replicas = replicasOf(steps, results);
  return {
    node,
    status,
    bridges: bridgeSummaries(steps, results),
    ...(replicas.length === 0 ? {} : { replicas }),
    notes,
    ...(error ? { error } : {}),
  };
}

/** Without `results`: a dry run. */
export function summarizeNodes(
  { nodes, steps }: Pick<NodesPlan, 'nodes' | 'steps'>,
  results?: readonly StepResult[],
): readonly NodeSummary[] {
  const byId = results && new Map(results.map((entry) => [entry.id, entry]));
  return nodes.map((planned) =>
    summarizeNode(
      planned,
      steps.filter((step) => nodeOfStep(step) === planned.node),
      byId,
    ),
  );
}
