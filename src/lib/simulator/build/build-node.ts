/** A node of a scenario as it stands after a day: its interfaces, what is up, its figures. Pure. */
import { runningAfterReload } from '../network/ifreload.ts';
import { portsOf, readInterfaces, writeInterfaces } from '../network/interfaces-write.ts';
import { vnetBridges } from '../network/sdn.ts';
import type { ScenarioBridge, ScenarioNode } from '../scenario-types.ts';
import type { InterfaceState, NodeState, SdnState } from '../state.ts';

const gib = 1024 ** 3;
const dayMs = 86_400_000;

function bridgeStanza(bridge: string | ScenarioBridge): InterfaceState {
  const {
    name,
    vlan_aware,
    ports,
    mtu,
    cidr,
    comments,
    autostart,
    type = 'bridge',
  } = typeof bridge === 'string' ? { name: bridge } : bridge;
  return {
    iface: name,
    type,
    options: {
      ...(autostart === false ? {} : { autostart: '1' }),
      ...(ports === undefined ? {} : { [type === 'bridge' ? 'bridge_ports' : 'ovs_ports']: ports }),
      ...(mtu === undefined ? {} : { mtu: String(mtu) }),
      ...(cidr === undefined ? {} : { method: 'static', cidr }),
      ...(vlan_aware === true ? { bridge_vlan_aware: '1' } : {}),
      ...(comments === undefined ? {} : { comments }),
    },
  };
}

/** Of a card that the scenario does not name: PVE refuses a bridge with more than its port. */
function mtuFor(port: string, bridges: readonly InterfaceState[]): InterfaceState['options'] {
  const mtu = bridges.find(({ options }) => portsOf(options).includes(port))?.options['mtu'];
  return mtu === undefined ? {} : { mtu };
}

const uplink = 'eno1';

function interfacesOf(node: ScenarioNode, index: number): InterfaceState[] {
  const bridges = (node.bridges ?? ['vmbr0']).map(bridgeStanza).map((one) =>
    one.iface === 'vmbr0'
      ? patched(one, {
          ...(one.type === 'bridge' ? { bridge_ports: uplink } : { ovs_ports: uplink }),
          ...one.options,
          method: 'static',
          cidr: `192.0.2.${(index % 250) + 1}/24`,
          gateway: '192.0.2.254',
        })
      : one,
  );
  const own = (node.interfaces ?? []).map(({ iface, type, options = {} }) => ({ iface, type, options }));
  const named = new Set(own.map(({ iface }) => iface));
  const ports = [...bridges, ...own].flatMap(({ options }) => portsOf(options));
  // A VLAN of a port needs no stanza.
  const nics = [...new Set([uplink, ...ports])].filter((iface) => !named.has(iface) && !iface.includes('.'));
  const stanzas = [
    { iface: 'lo', type: 'loopback', options: { autostart: '1', method: 'loopback' } },
    ...nics.map((iface) => ({ iface, type: 'eth', options: mtuFor(iface, bridges) })),
    ...own,
    ...bridges,
  ];
  return writeInterfaces(stanzas, []);
}

function patched(one: InterfaceState, options: InterfaceState['options']): InterfaceState {
  return { ...one, options };
}

export function buildNode(node: ScenarioNode, index: number, start: number, sdn: SdnState): NodeState {
  const interfaces = interfacesOf(node, index);
  const { name, cpus = 32, memory_gib = 128, base_load = 0.02, online = true, maintenance = false } = node;
  const { sourced_bridges: sourcedBridges, hand_made_bridges: handMadeBridges } = node;
  const unlisted = {
    ...(sourcedBridges ? { sourcedBridges } : {}),
    ...(handMadeBridges ? { handMadeBridges } : {}),
    ...(node.failing_interfaces ? { failingInterfaces: node.failing_interfaces } : {}),
  };
  return {
    name,
    id: index + 1,
    cpus,
    memory: memory_gib * gib,
    rootfs: 96 * gib,
    online,
    ...(online ? {} : { offlineSince: start - dayMs }),
    ...(node.offline_at_s === undefined ? {} : { offlineAt: start + node.offline_at_s * 1000 }),
    maintenance,
    bootTime: start - dayMs,
    baseLoad: base_load,
    ...(node.cpu_model === undefined ? {} : { cpuModel: node.cpu_model }),
    ...(node.cpu_flags ? { cpuFlags: node.cpu_flags } : {}),
    ...(node.kvm === false ? { lacksKvm: true } : {}),
    ...(node.pve_version === undefined ? {} : { pveVersion: node.pve_version }),
    ...(node.zfs_arc_gib === undefined ? {} : { arcSize: node.zfs_arc_gib * gib }),
    ...(node.qemu_version === undefined ? {} : { qemuVersion: node.qemu_version }),
    fingerprint: Array.from({ length: 32 }, (_, i) => ((i * 7 + index) % 256).toString(16).padStart(2, '0'))
      .join(':')
      .toUpperCase(),
    interfaces,
    ...(node.staged ? { staged: [...interfaces, ...readInterfaces(node.staged.map(bridgeStanza))] } : {}),
    ...unlisted,
    running: runningAfterReload({ interfaces, running: {}, ...unlisted }, vnetBridges(sdn, name)),
    ...(sdn.version === undefined ? {} : { sdnVersion: sdn.version }),
    cyclePhase: (index * 1_370) % 10_000,
  };
}
