/** What `ifreload -a` makes of a node's interfaces, SDN's and hand-made ones among them. Pure; who calls it decides when. */
import { portsOf } from './interfaces-write.ts';
import type { InterfaceState, NodeState, RunningInterface } from '../state.ts';

type Running = Readonly<Record<string, RunningInterface>>;

const plainBridge: RunningInterface = { type: 'bridge', vlanAware: false, ports: [] };

/** `auto` stanzas and what they need come up; what was up stays up while it has a stanza. */
function isUp({ iface, type, options }: InterfaceState, before: Running): boolean {
  const isOvsPort = type.startsWith('OVS') && options['ovs_bridge'] !== undefined;
  return options['autostart'] === '1' || type === 'eth' || isOvsPort || before[iface] !== undefined;
}

/**
 * Removed stanzas go down. Bridges of sourced files come up with the rest, and those that somebody made by hand are
 * nobody's business, until the file names them.
 */
export function runningAfterReload(
  node: Pick<
    NodeState,
    'interfaces' | 'sourcedBridges' | 'handMadeBridges' | 'failingInterfaces' | 'running'
  >,
  vnets: Running,
): Record<string, RunningInterface> {
  const running: Record<string, RunningInterface> = {};
  for (const name of [...(node.sourcedBridges ?? []), ...(node.handMadeBridges ?? [])])
    running[name] = plainBridge;
  for (const one of node.interfaces) {
    if (!isUp(one, node.running)) continue;
    const { iface, type, options } = one;
    if (node.failingInterfaces?.includes(iface)) {
      const left = node.running[iface] ?? (type === 'bridge' ? plainBridge : undefined);
      if (left) running[iface] = left;
      continue;
    }
    running[iface] = {
      type,
      vlanAware: options['bridge_vlan_aware'] !== undefined,
      ports: portsOf(options),
      ...(options['mtu'] === undefined ? {} : { mtu: Number(options['mtu']) }),
    };
  }
  const isFine = ([name]: [string, RunningInterface]): boolean =>
    node.failingInterfaces?.includes(name) !== true;
  return { ...running, ...Object.fromEntries(Object.entries(vnets).filter(isFine)) };
}
