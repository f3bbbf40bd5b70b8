/** Plans `balance` on VMmanager 6: what core decides for each cluster, as steps. Pure; asks for what it has to know. */
import type { BalanceConfig } from '../../../config/balance/types.ts';
import { PlanRefusedError } from '../../../errors.ts';
import { addTo } from '../../../group.ts';
import { sortedUnique } from '../../../order.ts';
import type { VmmanagerInventory, VmmanagerNeeds } from '../../../inventory/vmmanager-types.ts';
import { assertSound } from '../../document/graph.ts';
import type { BalancePlan } from '../../document/plan.ts';
import { makeStep, stepId, type StepOf } from '../../document/step.ts';
import { contradictionNotes } from '../core/verdict.ts';
import { decide, type Decision } from '../core/decide.ts';
import type { ChosenMove } from '../core/draft.ts';
import type { Veto } from '../core/types.ts';
import { constraintsOn } from './constraints.ts';
import { mergeReports, type Part } from './merge.ts';
import { createWorld, type World } from './world.ts';

export interface VmmanagerInput {
  readonly have: VmmanagerInventory;
  /** What the command line says is in it already. */
  readonly config: BalanceConfig;
  /** Numbers or names; empty: all clusters. */
  readonly clusters?: readonly string[];
  /** Nodes to be emptied, instead of balancing. */
  readonly evacuate?: readonly string[];
  readonly vetoes?: readonly Veto[];
}

/** While `needs` names something the plan is provisional: read it, plan again. */
export interface VmmanagerDecision {
  readonly plan: BalancePlan;
  readonly needs: VmmanagerNeeds;
}

/** So many more histories are read with those that are needed, so that a refusal does not cost a round. */
const AHEAD = 8;

/** In the order of their numbers, however VMmanager lists them. */
export function chosenClusters({
  have,
  clusters: wanted = [],
}: Pick<VmmanagerInput, 'have' | 'clusters'>): VmmanagerInventory['clusters'] {
  const all = [...have.clusters].sort((a, b) => a.id - b.id);
  if (wanted.length === 0) return all;
  const isMeant = (id: number, name: string): boolean => wanted.includes(String(id)) || wanted.includes(name);
  const known = all.flatMap(({ id, name }) => [String(id), name]);
  const missing = wanted.filter((word) => !known.includes(word));
  if (missing.length > 0)
    throw new PlanRefusedError('NO_SUCH_CLUSTER', `there is no cluster ${missing.join(', ')}`, {
      hint: `clusters there: ${all.map(({ id, name }) => `${id} (${name})`).join(', ')}`,
    });
  return all.filter(({ id, name }) => isMeant(id, name));
}

function assertNodes(names: readonly string[], nodes: readonly { readonly name: string }[]): void {
  const known = new Set(nodes.map(({ name }) => name));
  const missing = sortedUnique(names).filter((name) => !known.has(name));
  if (missing.length === 0) return;
  throw new PlanRefusedError('NO_SUCH_NODE', `the installation has no node ${missing.join(', ')}`, {
    hint: `nodes there: ${sortedUnique(known).join(', ')}`,
  });
}

/** The guests of a unit go one after another; what goes onto a node waits for what leaves it by an earlier move. */
function stepsOf(moves: readonly ChosenMove[], config: BalanceConfig): StepOf<'vm.migrate'>[] {
  const leaving = new Map<string, string[]>();
  return moves.flatMap(({ unit, to, reason }) => {
    const waits = leaving.get(to) ?? [];
    const steps = unit.guests.map(({ vmid, node }, at) => {
      const before = unit.guests[at - 1];
      const dependsOn = [...waits, ...(before ? [stepId('vm.migrate', before.vmid)] : [])];
      return makeStep(
        'vm.migrate',
        String(vmid),
        { reason, dependsOn },
        {
          ...{ node, target: to, vmid },
          ...{ online: true, withLocalDisks: false, ha: false, conntrack: false },
          timeoutSeconds: config.migrationTimeout,
        },
      );
    });
    for (const step of steps) addTo(leaving, step.node, step.id);
    return steps;
  });
}

function needsOf(decisions: readonly Decision[], have: VmmanagerInventory): VmmanagerNeeds {
  const isKnown = new Set(have.historyOf);
  const isAsked = new Set(have.targetsOf);
  const chosen = decisions.flatMap(({ moves }) => moves.flatMap(({ unit }) => unit.vmids));
  const missing = chosen.filter((vmid) => !isKnown.has(vmid));
  const next = decisions
    .flatMap(({ interesting }) => [...interesting])
    .filter((vmid) => !isKnown.has(vmid) && !missing.includes(vmid))
    .slice(0, AHEAD);
  const histories = missing.length === 0 ? [] : [...new Set([...missing, ...next])];
  return {
    histories: histories.sort((a, b) => a - b),
    // Whoever may not move by its history need not be asked for.
    targets: missing.length > 0 ? [] : chosen.filter((vmid) => !isAsked.has(vmid)),
  };
}

function warningsOf(worlds: readonly World[], have: VmmanagerInventory): string[] {
  const known = new Set(have.nodes.flatMap(({ id, name }) => [name, String(id)]));
  const named = worlds.flatMap(({ config }) => [
    ...config.excludeSource,
    ...config.excludeTarget,
    ...config.pin.flatMap(({ nodes }) => nodes),
  ]);
  const unknown = sortedUnique(named).filter((name) => !known.has(name));
  return [
    ...(unknown.length === 0
      ? []
      : [`the configuration names nodes that the installation does not have: ${unknown.join(', ')}`]),
    ...worlds.flatMap(contradictionNotes),
  ];
}

export function planVmmanager(input: VmmanagerInput): VmmanagerDecision {
  const { have, config, evacuate = [], vetoes = [] } = input;
  const clusters = chosenClusters(input);
  const ids = new Set(clusters.map(({ id }) => id));
  assertNodes(
    evacuate,
    have.nodes.filter(({ cluster }) => ids.has(cluster)),
  );
  const concerned = clusters.filter(
    ({ id }) =>
      evacuate.length === 0 ||
      have.nodes.some(({ cluster, name }) => cluster === id && evacuate.includes(name)),
  );
  const planned = concerned.map(({ id, name }) => {
    const world = createWorld({ have, cluster: id, config, evacuate, vetoes });
    return { name, world, decision: decide(world, constraintsOn(world)) };
  });
  const decisions = planned.map(({ decision }) => decision);
  const [first, ...others] = planned.map(({ name, decision: { report } }): Part => ({ name, report }));
  if (!first)
    throw new PlanRefusedError('NO_CLUSTER', 'the installation has no cluster', {
      hint: 'is this account an administrator?',
    });
  const steps = stepsOf(
    decisions.flatMap(({ moves }) => moves),
    config,
  );
  assertSound(steps);
  const plan: BalancePlan = {
    ...{ version: 2, command: 'balance', lab: '', steps, stands: [] },
    balance: {
      ...mergeReports([first, ...others]),
      platform: 'vmmanager6',
      ...(have.gaps.length === 0 ? {} : { gaps: have.gaps }),
    },
    warnings: warningsOf(
      planned.map(({ world }) => world),
      have,
    ),
  };
  return { plan, needs: needsOf(decisions, have) };
}
