/** Steps that stands share: reserved bridges and one network reload per node. */
import { reservedBridges } from '../../config/lab/networks.ts';
import { makeNetwork, putIntoForce } from './steps.ts';
import { isInForce } from './view.ts';
import type { NetworkEdit, NetworkMake } from '../document/network-steps.ts';
import type { Step } from '../document/step.ts';
import { parseBridgeMark } from '../../marks/bridge.ts';
import { compareNatural, compareText } from '../../order.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { PlannedStand } from '../document/plan.ts';

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
  readonly bridgeSteps: readonly NetworkEdit[];
  readonly down: readonly string[];
}

interface NodeNetworkPlan {
  readonly creates: NetworkMake[];
  /** Reserved bridges of ours that are configured but not up. */
  readonly down: string[];
}

/** Reserved bridges that are to be made on a node → VLAN-aware? A vnet of the name is there already. */
export function missingReserved(
  lab: Lab,
  node: string,
  { have, index }: Pick<NetworkContext, 'have' | 'index'>,
): [string, boolean][] {
  const present = index.bridges.get(node);
  return [...reservedBridges(lab)].filter(
    ([bridge]) => present?.has(bridge) !== true && !have.vnets.includes(bridge),
  );
}

function planReserved(node: string, context: NetworkContext): NodeNetworkPlan {
  const { lab, index, since } = context;
  const network = index.hosts.networks.get(node);
  return {
    creates: missingReserved(lab, node, context).map(([iface, vlanAware]) =>
      makeNetwork(
        { node, iface, vlanAware, mark: { kind: 'reserved' }, since },
        { reason: 'reserved bridge, shared by all stands; never removed' },
      ),
    ),
    down: [...reservedBridges(lab).keys()].filter((bridge) => {
      const info = index.bridges.get(node)?.get(bridge);
      return info && !isInForce(info, network) && parseBridgeMark(bridge, info.comments);
    }),
  };
}

export interface NetworkPlan {
  readonly reserved: readonly Step[];
  readonly reloads: readonly Step[];
  /** Has starts wait for the steps that make what they are plugged into, and that put it into force. */
  finish(steps: readonly Step[]): Step[];
}

export function planNetwork(drafts: readonly NetworkDraft[], context: NetworkContext): NetworkPlan {
  const active = drafts.filter(
    (draft) => draft.stand.refused === undefined && draft.stand.node !== undefined,
  );
  const nodes = [...new Set(active.flatMap((draft) => draft.stand.vms.map((vm) => vm.node)))].sort(
    compareNatural,
  );
  const shared = new Map(nodes.map((node) => [node, planReserved(node, context)]));
  const downOn = (node: string): string[] =>
    active.flatMap((draft) => (draft.stand.node === node ? draft.down : []));
  const reserved = [...shared.values()].flatMap(({ creates }) => creates);
  const own = active.flatMap((draft) => draft.bridgeSteps).filter((step) => shared.has(step.node));
  const up = new Map([...shared].map(([node, { down }]) => [node, [...down, ...downOn(node)]]));
  const reloads = putIntoForce({ edits: [...reserved, ...own], up }, ({ node, edits }) => ({
    reason:
      edits.length > 0
        ? 'once, for all of them'
        : `bring up ${(up.get(node) ?? []).join(', ')} (configured, but down)`,
  }));
  const reloadOf = new Map(reloads.map(({ node, id }) => [node, [id]]));
  const waiting = new Map(
    active.flatMap(({ stand, bridgeSteps, down }) =>
      bridgeSteps.length + down.length > 0 ? [[stand.user, bridgeSteps] as const] : [],
    ),
  );
  return {
    reserved,
    reloads,
    finish: (steps) =>
      steps.map((step) => {
        if (step.kind !== 'vm.start') return step;
        const creates = shared.get(step.node)?.creates ?? [];
        const edits = step.user === undefined ? undefined : waiting.get(step.user);
        if (creates.length === 0 && !edits) return step;
        const more = [...creates, ...(edits ?? [])].map(({ id }) => id);
        const force = reloadOf.get(step.node) ?? [];
        return { ...step, dependsOn: [...step.dependsOn, ...more, ...force].sort(compareText) };
      }),
  };
}
