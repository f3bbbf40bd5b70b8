/** Plans `bridges create`: reserved bridges where they are missing. Never changes a bridge that is not ours. */
import { isBridgeName } from '../../pve-values/bridge-name.ts';
import { PlanRefusedError } from '../../errors.ts';
import type { BridgeInfo, Inventory, NodeNetwork } from '../../inventory/types.ts';
import { changeNetwork, makeNetwork } from './steps.ts';
import { hiddenNotes, isInForce, networksOf } from './view.ts';
import {
  assertNodesExist,
  emptyDraft,
  finishNode,
  toPlan,
  unreachable,
  type NodeDraft,
} from './node-draft.ts';
import { parseBridgeMark } from '../../marks/bridge.ts';
import { bridgeObstacle } from './may-go.ts';
import { obstacleHint, obstacleText } from './may-go-text.ts';
import { markTime } from '../../marks/time.ts';
import { sortedUnique } from '../../order.ts';
import type { NodesPlan, Refusal } from '../document/plan.ts';

export interface BridgesCreateInput {
  readonly have: Inventory;
  readonly names: readonly string[];
  readonly vlanAware: boolean;
  /** Undefined: all. */
  readonly nodes: readonly string[] | undefined;
}

/** Which of these names neither every node has, nor PVE lets a bridge be given. */
export function uncreatable(
  names: Iterable<string>,
  { version, vnets, networks }: Pick<Inventory, 'version' | 'vnets' | 'networks'>,
): string[] {
  const isEverywhere = (name: string): boolean =>
    vnets.includes(name) || networks.every(({ bridges }) => bridges.some(({ iface }) => iface === name));
  return sortedUnique(names).filter((name) => !isBridgeName(name, version) && !isEverywhere(name));
}

function assertCreatable({ have, names, nodes }: BridgesCreateInput): void {
  const illegal = uncreatable(names, { ...have, networks: networksOf(have, nodes) });
  if (illegal.length === 0) return;
  throw new PlanRefusedError(
    'BRIDGE_NAME',
    `PVE ${have.version} cannot create a bridge called ${illegal.join(', ')}`,
    { hint: 'use a name vmbr0–vmbr4094; since PVE 8.2 up to 10 letters and digits do as well' },
  );
}

function taken(node: string, iface: string, message: string, hint: string): Refusal {
  return { code: 'BRIDGE_TAKEN', message: `${iface} on ${node} ${message}`, hint };
}

/** What has to be done on a bridge that is there already; a bridge of others is used as it is, or not at all. */
function useExisting(network: NodeNetwork, info: BridgeInfo, vlanAware: boolean, draft: NodeDraft): void {
  const { node } = network;
  const { iface, comments, active } = info;
  const change = vlanAware && !info.vlanAware;
  const obstacle = bridgeObstacle({ to: 'share', change }, info);
  const isOurs = parseBridgeMark(iface, comments) !== undefined;
  if (obstacle?.code === 'unmarked') {
    draft.refused = taken(
      node,
      iface,
      'exists, is not ours and is not VLAN-aware',
      `make it VLAN-aware in ${node} → System → Network, or choose another name`,
    );
  } else if (obstacle) {
    draft.refused = taken(
      node,
      iface,
      `cannot be shared: ${obstacleText(obstacle)}`,
      obstacleHint(obstacle, { node, iface }),
    );
  } else if (change) {
    draft.edits.push(
      changeNetwork({ node, info }, { vlanAware: true }, { reason: 'it is to carry VLAN tags' }),
    );
  } else if (!isInForce(info, network) && isOurs) draft.up.push(iface);
  else if (!active) draft.notes.push(`${iface} exists, is not ours and is not up`);
}

function draftCreate(network: NodeNetwork, input: BridgesCreateInput): NodeDraft {
  const { node, bridges } = network;
  const draft = emptyDraft();
  if (!network.readable) return { ...draft, refused: unreachable(network) };
  const since = markTime(input.have.now);
  for (const bridge of sortedUnique(input.names)) {
    const info = bridges.find(({ iface }) => iface === bridge);
    if (info) useExisting(network, info, input.vlanAware, draft);
    else if (input.have.vnets.includes(bridge))
      draft.notes.push(`${bridge} is an SDN vnet: nothing to create`);
    else {
      draft.edits.push(
        makeNetwork(
          { node, iface: bridge, vlanAware: input.vlanAware, mark: { kind: 'reserved' }, since },
          { reason: 'missing' },
        ),
      );
    }
  }
  return draft;
}

/** Reserved bridges where they are missing, and one reload per node. Throws PlanRefusedError when no node will do. */
export function planBridgesCreate(input: BridgesCreateInput): NodesPlan {
  const { have, nodes } = input;
  assertNodesExist(have, nodes);
  assertCreatable(input);
  const plans = networksOf(have, nodes).map((network) => finishNode(network, draftCreate(network, input)));
  return toPlan(
    plans,
    hiddenNotes({ ...have, hidden: { bridges: have.hidden?.bridges === true, guests: false } }),
  );
}
