/** Whether a NIC can be plugged on a node: what QEMU's network script finds (pve-common Network.pm). Reads only. */
import { isNetKey, parseNet } from '../guest/guest-config.ts';
import type { Sim } from '../sim.ts';
import type { GuestConfig } from '../state.ts';

export interface NicProblem {
  readonly text: string;
  /** Found before QEMU starts (the bridge is missing), or by the script that QEMU runs. */
  readonly early: boolean;
}

/** A vnet is a bridge of the node like others, once the node has brought it up. */
const plugTypes = new Set(['bridge', 'OVSBridge', 'vnet']);

/** The problem of one NIC value on a node. */
export function nicProblem(sim: Sim, node: string, key: string, value: string): NicProblem | undefined {
  const { bridge, tag, trunks, model, mtu } = parseNet(sim.contract, value);
  if (bridge === undefined) return undefined;
  const running = sim.world.node(node).running[bridge];
  if (running === undefined || !plugTypes.has(running.type)) {
    return { text: `bridge '${bridge}' does not exist`, early: true };
  }
  // QemuServer.pm print_netdevice_full; of 1, which is the bridge's own, it says nothing.
  const [wanted, possible] = [Number(mtu ?? 1), running.mtu ?? 1500];
  if (model === 'virtio' && wanted !== 1 && (wanted < 576 || wanted > possible)) {
    const than =
      wanted < 576 ? "smaller than the IP minimum MTU '576'" : `bigger than the bridge MTU '${possible}'`;
    return { text: `netdev ${key}: MTU '${wanted}' is ${than}`, early: true };
  }
  if (running.vlanAware || running.type === 'OVSBridge') return undefined;
  if (running.type === 'vnet') {
    return tag === undefined && trunks === undefined
      ? undefined
      : { text: `vm vlans are not allowed on vnet ${bridge}`, early: false };
  }
  if (trunks !== undefined)
    return { text: 'vlan aware feature need to be enabled to use trunks', early: false };
  if (tag !== undefined && running.ports.length === 0) {
    return { text: `no physical interface on bridge '${bridge}'`, early: false };
  }
  return undefined;
}

/** The first NIC that cannot be plugged, in the order of their numbers. */
export function firstNicProblem(
  sim: Sim,
  node: string,
  config: Readonly<GuestConfig>,
): NicProblem | undefined {
  const keys = Object.keys(config)
    .filter(isNetKey)
    .sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)));
  for (const key of keys) {
    const problem = nicProblem(sim, node, key, config[key] ?? '');
    if (problem) return problem;
  }
  return undefined;
}
