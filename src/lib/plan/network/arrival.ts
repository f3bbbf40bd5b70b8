/** What a network of a stand takes on the node to which the stand goes, and why it cannot come there. Moves no machine. */
import type { BridgeInfo, NodeNetwork } from '../../inventory/types.ts';
import { markTime } from '../../marks/time.ts';
import type { Hosts } from '../cluster/hosts.ts';
import type { MarkedNetwork, StandName } from '../cluster/stand-networks.ts';
import type { NetworkEdit } from '../document/network-steps.ts';
import { stagedByOthers } from './foreign-pending.ts';
import { bridgeObstacle } from './may-go.ts';
import { obstacleText } from './may-go-text.ts';
import { changeNetwork, makeNetwork, upAfter } from './steps.ts';
import { isInForce } from './view.ts';

type Seen = Pick<Hosts, 'bridges' | 'networks' | 'vnets'>;

function thereOn(to: string, { info }: MarkedNetwork, { bridges }: Seen): BridgeInfo | undefined {
  return bridges.get(to)?.get(info.iface);
}

/** Why it cannot be made or used there, in words. */
export function arrivalObstacle(
  network: MarkedNetwork,
  to: string,
  { lab, user }: StandName,
  seen: Seen,
): string | undefined {
  const { info, node, net } = network;
  if (node === to) return undefined;
  if (seen.vnets.has(info.iface)) return `${info.iface} is a vnet there`;
  const taken = thereOn(to, network, seen);
  const obstacle = taken && bridgeObstacle({ to: 'use', stand: { lab, user, net } }, taken);
  return obstacle && `${info.iface} there cannot be used: ${obstacleText(obstacle)}`;
}

/** Nothing that comes there can be put into force. */
export function stagedThere(network: NodeNetwork | undefined): string | undefined {
  const staged = stagedByOthers(network);
  return staged && `network changes that are not ours are staged there (${staged.ifaces[0] ?? ''})`;
}

export interface Arrival {
  readonly edit?: NetworkEdit | undefined;
  /** What the stand's machines wait for; none where it is up already. */
  readonly waits: readonly string[];
}

interface Coming {
  readonly to: string;
  readonly stand: StandName;
  /** The stand's machines: they may name it before it is made. */
  readonly own: readonly number[];
  readonly now: string;
}

/** Under the same name: numbers are given out cluster-wide, and the NICs name them. */
function editFor(
  network: MarkedNetwork,
  there: BridgeInfo | undefined,
  { to, stand: { lab, user }, own, now }: Coming,
): NetworkEdit | undefined {
  const { net } = network;
  const { iface, vlanAware } = network.info;
  const frame = { user, reason: `for network ${net} of the stand that comes from ${network.node}` };
  if (!there) {
    const mark = { kind: 'stand', lab, user, net } as const;
    return makeNetwork({ node: to, iface, vlanAware, mark, since: markTime(now), own }, frame);
  }
  if (!vlanAware || there.vlanAware) return undefined;
  return changeNetwork({ node: to, info: there }, { vlanAware: true }, frame);
}

export function planArrival(network: MarkedNetwork, coming: Coming, seen: Seen): Arrival {
  const { to } = coming;
  const there = thereOn(to, network, seen);
  const edit = editFor(network, there, coming);
  const isUp = !edit && there !== undefined && isInForce(there, seen.networks.get(to));
  return { edit, waits: isUp ? [] : upAfter(to, edit ? [edit] : []) };
}
