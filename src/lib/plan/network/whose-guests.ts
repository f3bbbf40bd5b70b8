/** On which nodes it has to be known which guest names which network, before one may be removed or taken over. */
import type { BridgeInfo, NodeNetwork } from '../../inventory/types.ts';
import { isAdoptableName } from '../../pve-values/bridge-name.ts';
import { standOf } from '../cluster/stand-networks.ts';
import { bridgeObstacle, PLANNED, type Wish } from './may-go.ts';

type Asking = Extract<Wish['to'], 'take-over' | 'remove' | 'remove-adopted'>;

function isMarked(info: BridgeInfo): boolean {
  return standOf(info) !== undefined;
}

const MAY_BE_MEANT: { readonly [W in Asking]: (network: NodeNetwork) => boolean } = {
  'take-over': ({ bridges }) =>
    bridges.some(
      (info) => bridgeObstacle({ to: 'take-over', isLedTo: PLANNED, guests: PLANNED }, info) === undefined,
    ),
  remove: ({ bridges }) => bridges.some(isMarked),
  'remove-adopted': ({ bridges, pending }) =>
    bridges.some((info) => isMarked(info) || isAdoptableName(info.iface)) ||
    // What a killed cleanup has staged is in the list no more.
    pending.some(({ iface, change }) => change === 'removed' && isAdoptableName(iface)),
};

/** `remove-adopted`: and marked ones, too. */
export function nodesToAsk(networks: readonly NodeNetwork[], to: Asking): string[] {
  return networks.filter(MAY_BE_MEANT[to]).map(({ node }) => node);
}
