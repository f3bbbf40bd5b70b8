/** `/nodes/{node}/network`. See pve-manager API2/Network.pm: edits are staged per node, a reload applies them. */
import { splitList } from '../contract/formats.ts';
import { runningAfterReload } from '../network/ifreload.ts';
import { portLists, portsOf, writeInterfaces } from '../network/interfaces-write.ts';
import { die, paramError } from '../pve-error.ts';
import { vnetBridges } from '../network/sdn.ts';
import { withLock, type Call, type Handlers, type Sim } from '../sim.ts';
import type { InterfaceState } from '../state.ts';
import type { Worker } from '../tasks/tasks.ts';
import { currentInterfaces, interfaceRow, listInterfaces } from './network-view.ts';

/** Ports may serve one interface only; a second default gateway is refused. */
function checkClashes(
  iface: string,
  options: Readonly<Record<string, string>>,
  interfaces: readonly InterfaceState[],
): void {
  const others = interfaces.filter((one) => one.iface !== iface);
  for (const [key, what] of [
    ['gateway', 'Default gateway'],
    ['gateway6', 'Default ipv6 gateway'],
  ] as const) {
    const other = others.find((one) => one.options[key] !== undefined);
    if (options[key] && other)
      throw paramError({ [key]: `${what} already exists on interface '${other.iface}'.` });
  }
  const blamed = portLists.find((key) => options[key]) ?? 'bridge_ports';
  for (const port of portsOf(options)) {
    const other = others.find((one) => portsOf(one.options).includes(port));
    if (other) throw paramError({ [blamed]: `${port} is already used on interface '${other.iface}'.` });
  }
}

function optionsOf(call: Call): Record<string, string> {
  const { params } = call;
  const options: Record<string, string> = {};
  for (const name of params.names()) {
    if (!['node', 'iface', 'type', 'delete'].includes(name)) options[name] = params.text(name);
  }
  for (const suffix of ['', '6'] as const) {
    if (options[`cidr${suffix}`] === undefined) continue;
    for (const name of [`address${suffix}`, `netmask${suffix}`])
      if (options[name] !== undefined) throw paramError({ [name]: `${name} conflicts with cidr${suffix}` });
  }
  if (options['bridge_vids'] && splitList(options['bridge_vids']).length === 0)
    throw paramError({ bridge_vids: 'VLAN list items are empty' });
  // Only what the request itself brings makes an interface static: one that is sent without its address becomes manual.
  const isStatic = options['cidr'] !== undefined || options['address'] !== undefined;
  return { ...options, method: isStatic ? 'static' : 'manual' };
}

/** Runs an edit of the staged file under its lock. */
async function edit(
  call: Call,
  change: (interfaces: readonly InterfaceState[]) => InterfaceState[],
): Promise<null> {
  const { sim, node } = call;
  const file = '/etc/network/.pve-interfaces.lock';
  await withLock(sim.locks.flock(node, file, 'exclusive', 10_000), async () => {
    await sim.clock.sleep(sim.latency.network_write_ms);
    const state = sim.world.node(node);
    const before = currentInterfaces(state);
    state.staged = writeInterfaces(change(before), before);
  });
  return null;
}

/** An OVS port or bond becomes a port of its bridge with it, and stops being one when it goes. */
function withOvsPort(
  interfaces: readonly InterfaceState[],
  bridge: string,
  change: (ports: readonly string[]) => string[],
): InterfaceState[] {
  return interfaces.map((one) =>
    one.iface === bridge
      ? {
          ...one,
          options: { ...one.options, ovs_ports: change(splitList(one.options['ovs_ports'] ?? '')).join(' ') },
        }
      : one,
  );
}

const isOvsChild = (type: string): boolean => type === 'OVSIntPort' || type === 'OVSBond';

function joinOvsBridge(
  interfaces: readonly InterfaceState[],
  iface: string,
  bridge: string | undefined,
): InterfaceState[] {
  if (bridge === undefined) throw paramError({ ovs_bridge: 'parameter is required' });
  const found = interfaces.find((one) => one.iface === bridge);
  if (!found) throw paramError({ ovs_bridge: `bridge '${bridge}' does not exist` });
  if (found.type !== 'OVSBridge') throw paramError({ ovs_bridge: `interface '${bridge}' is no OVS bridge` });
  return withOvsPort(interfaces, bridge, (ports) => [...new Set([...ports, iface])]);
}

function create(call: Call): Promise<null> {
  const iface = call.params.text('iface');
  const type = call.params.text('type');
  return edit(call, (interfaces) => {
    if (interfaces.some((one) => one.iface === iface))
      throw paramError({ iface: 'interface already exists' });
    const options = optionsOf(call);
    checkClashes(iface, options, interfaces);
    const others = isOvsChild(type) ? joinOvsBridge(interfaces, iface, options['ovs_bridge']) : interfaces;
    return [...others, { iface, type, options }];
  });
}

function known(interfaces: readonly InterfaceState[], iface: string): InterfaceState {
  const found = interfaces.find((one) => one.iface === iface);
  if (!found) throw paramError({ iface: 'interface does not exist' });
  return found;
}

/** Merges key by key; the two halves of an address come and go with its `cidr`. */
function update(call: Call): Promise<null> {
  const iface = call.params.text('iface');
  return edit(call, (interfaces) => {
    const old = known(interfaces, iface);
    const options = optionsOf(call);
    checkClashes(iface, options, interfaces);
    const dropped = new Set(splitList(call.params.text('delete')));
    const kept = Object.fromEntries(Object.entries(old.options).filter(([key]) => !dropped.has(key)));
    const changed = { iface, type: call.params.text('type'), options: { ...kept, ...options } };
    return interfaces.map((one) => (one === old ? changed : one));
  });
}

function remove(call: Call): Promise<null> {
  const iface = call.params.text('iface');
  return edit(call, (interfaces) => {
    const old = known(interfaces, iface);
    const bridge = isOvsChild(old.type) ? old.options['ovs_bridge'] : undefined;
    const others =
      bridge === undefined
        ? interfaces
        : withOvsPort(interfaces, bridge, (ports) => ports.filter((port) => port !== iface));
    return others.filter((one) => one !== old);
  });
}

function getInterface(call: Call): unknown {
  const node = call.sim.world.node(call.node);
  const one = known(currentInterfaces(node), call.params.text('iface'));
  return Object.fromEntries(
    Object.entries(interfaceRow(call.sim, one, 3)).filter(([key]) => key !== 'iface' && key !== 'exists'),
  );
}

export function reloadWorker(sim: Sim): Worker {
  return async (task) => {
    const node = sim.world.node(task.node);
    // Renamed before anything can fail: a failed reload leaves nothing pending.
    task.once('rename', () => {
      if (node.staged) node.interfaces = node.staged;
      node.staged = undefined;
      node.sdnVersion = sim.world.sdn.version ?? 0;
    });
    const release = sim.locks.tryFlock(`${task.node}:/run/network/.lock`, 'exclusive');
    if (!release) {
      task.log('error: Another instance of this program is already running.');
      die("command 'ifreload -a' failed: exit code 89");
    }
    await task.locked(Promise.resolve(release), async () => {
      await task.wait('ifreload', sim.latency.network_reload_s * 1000);
      task.once('up', () => {
        node.running = runningAfterReload(node, vnetBridges(sim.world.sdn, node.name));
        const named = new Set(node.interfaces.map(({ iface }) => iface));
        // Once the file has named it, ifupdown2 takes it down with its stanza.
        node.handMadeBridges = (node.handMadeBridges ?? []).filter((name) => !named.has(name));
      });
      const names = [
        ...node.interfaces.map(({ iface }) => iface),
        ...Object.keys(vnetBridges(sim.world.sdn, node.name)),
      ];
      const failed = names.find((iface) => node.failingInterfaces?.includes(iface));
      if (failed === undefined) return;
      task.log(`error: ${failed}: cmd failed`);
      die("command 'ifreload -a' failed: exit code 1");
    });
  };
}

export const networkHandlers: Handlers = {
  'GET /nodes/{node}/network': listInterfaces,
  'POST /nodes/{node}/network': create,
  'PUT /nodes/{node}/network': (call) => call.startTask('srvreload', 'networking', 'network-reload', {}),
  'DELETE /nodes/{node}/network': (call) => {
    call.sim.world.node(call.node).staged = undefined;
    return null;
  },
  'GET /nodes/{node}/network/{iface}': getInterface,
  'PUT /nodes/{node}/network/{iface}': update,
  'DELETE /nodes/{node}/network/{iface}': remove,
};
