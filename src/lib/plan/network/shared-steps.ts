/** Steps that stands share: reserved bridges and one network reload per node. */
import { reservedBridges } from '../../config/lab/networks.ts';
import { isPending } from './view.ts';
import { stepId, makeStep, type Step, type StepOf } from '../document/step.ts';
import { formatBridgeMark, parseBridgeMark } from '../../marks/bridge.ts';
import { compareNatural, compareText } from '../../order.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { PlannedStand } from '../document/plan.ts';
import type { BridgeStep } from './stand-bridges.ts';

/** What is wanted and what is there. */
interface NetworkContext {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly since: string;
}

/** What a planned stand brings to the networks of its nodes. */
interface NetworkDraft {
  readonly stand: PlannedStand;
  readonly bridgeSteps: readonly BridgeStep[];
  readonly down: readonly string[];
}

interface NodeNetworkPlan {
  readonly creates: StepOf<'bridge.create'>[];
  /** Reserved bridges of ours that are configured but not up. */
  readonly down: string[];
}

function planReserved(node: string, context: NetworkContext): NodeNetworkPlan {
  const present = context.index.bridges.get(node);
  const network = context.have.networks.find((one) => one.node === node);
  const plan: NodeNetworkPlan = { creates: [], down: [] };
  for (const [bridge, vlanAware] of reservedBridges(context.lab)) {
    const info = present?.get(bridge);
    if (info) {
      const isWaiting = !info.active || isPending(network, bridge);
      if (isWaiting && parseBridgeMark(bridge, info.comments)) plan.down.push(bridge);
      continue;
    }
    if (context.have.vnets.includes(bridge)) continue;
    plan.creates.push(
      makeStep(
        'bridge.create',
        `${node}/${bridge}`,
        { reason: 'reserved bridge, shared by all stands; never removed' },
        { node, bridge, vlanAware, comment: formatBridgeMark(bridge, { kind: 'reserved' }, context.since) },
      ),
    );
  }
  return plan;
}

export interface NetworkPlan {
  readonly reserved: readonly Step[];
  readonly reloads: readonly Step[];
  /** Adds the edges from starts to the reload and the reserved bridges of their node. */
  finish(steps: readonly Step[]): Step[];
}

export function planNetwork(drafts: readonly NetworkDraft[], context: NetworkContext): NetworkPlan {
  const active = drafts.filter(
    (draft) => draft.stand.refused === undefined && draft.stand.node !== undefined,
  );
  const nodes = [...new Set(active.flatMap((draft) => draft.stand.vms.map((vm) => vm.node)))].sort(
    compareNatural,
  );
  const reserved: Step[] = [];
  const reloads: StepOf<'network.reload'>[] = [];
  const reservedOf = new Map<string, string[]>();
  for (const node of nodes) {
    const shared = planReserved(node, context);
    const edits = active.flatMap((draft) => draft.bridgeSteps).filter((step) => step.node === node);
    const down = active.filter((draft) => draft.stand.node === node).flatMap((draft) => draft.down);
    const bridges = [...shared.creates, ...edits].map((step) => step.bridge).concat(shared.down, down);
    reserved.push(...shared.creates);
    reservedOf.set(
      node,
      shared.creates.map((step) => step.id),
    );
    if (bridges.length === 0) continue;
    const staged = shared.creates.length + edits.length;
    const why = staged > 0 ? 'once, for all of them' : `bring up ${down.join(', ')} (configured, but down)`;
    reloads.push(
      makeStep(
        'network.reload',
        node,
        { reason: why, after: [...shared.creates, ...edits].map((step) => step.id) },
        { node, bridges: [...new Set(bridges)].sort(compareNatural) },
      ),
    );
  }
  const reloaded = new Set(reloads.map((step) => step.node));
  const waiting = new Set(
    active
      .filter((draft) => draft.bridgeSteps.length + draft.down.length > 0)
      .map((draft) => draft.stand.user),
  );
  return {
    reserved,
    reloads,
    finish: (steps) =>
      steps.map((step) => {
        if (step.kind !== 'vm.start') return step;
        const more = [...(reservedOf.get(step.node) ?? [])];
        const needsReload = more.length > 0 || (step.user !== undefined && waiting.has(step.user));
        if (needsReload && reloaded.has(step.node)) more.push(stepId('network.reload', step.node));
        return more.length === 0
          ? step
          : { ...step, dependsOn: [...step.dependsOn, ...more].sort(compareText) };
      }),
  };
}
