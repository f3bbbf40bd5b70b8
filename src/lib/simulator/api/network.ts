/** `/nodes/{node}/network`. See pve-manager API2/Network.pm: edits are staged per node, a reload applies them. */
import { splitList } from '../contract/formats.ts';
import { pendingChanges, runningAfterReload } from '../interfaces-file.ts';
import { rootUser } from '../permissions.ts';
import { die, paramError } from '../pve-error.ts';
import { withLock, type Call, type Handlers, type Sim } from '../sim.ts';
import type { InterfaceState, NodeState } from '../state.ts';
import type { Worker } from '../tasks.ts';

const current = (node: NodeState): readonly InterfaceState[] => node.staged ?? node.interfaces;

/** What reading the file back makes of a stanza: until 8.1 only vmbrN is known as a bridge. */
function typeWhenRead(sim: Sim, { iface, type }: InterfaceState): string {
  return type === 'bridge' && sim.facts.major === 7 && !/^vmbr\d+$/.test(iface) ? 'unknown' : type;
}

function row(sim: Sim, node: NodeState, one: InterfaceState, priority: number): Record<string, unknown> {
  const { cidr, address, netmask, gateway, autostart, comments, ...rest } = one.options;
  const [ip, prefix] = (cidr ?? '').split('/');
  const type = typeWhenRead(sim, one);
  return {
    ...rest,
    iface: one.iface,
    type,
    method: one.options['method'] ?? 'manual',
    method6: 'manual',
    families: ['inet'],
    priority,
    ...(type === 'bridge'
      ? { bridge_ports: one.options['bridge_ports'] ?? '', bridge_stp: 'off', bridge_fd: '0' }
      : {}),
    ...(one.options['bridge_vlan_aware'] === undefined
      ? {}
      : { bridge_vlan_aware: 1, bridge_vids: one.options['bridge_vids'] ?? '2-4094' }),
    ...(cidr === undefined ? {} : { cidr, address: ip, netmask: prefix }),
    ...(address === undefined ? {} : { address, netmask, cidr: `${address}/${netmask ?? ''}` }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(autostart === '1' ? { autostart: 1 } : {}),
    ...(comments === undefined ? {} : { comments: comments.endsWith('\n') ? comments : `${comments}\n` }),
    ...(node.running[one.iface] === undefined ? {} : { active: 1 }),
    ...(one.type === 'eth' ? { exists: 1 } : {}),
  };
}

const isBridge = (type: string): boolean => type === 'bridge' || type === 'OVSBridge';

function maySee(call: Call, iface: string, type: string): boolean {
  const { sim, user } = call;
  if (!sim.facts.bridgePermissions || user === rootUser || !isBridge(type)) return true;
  return sim.rights.hasAny(user, `/sdn/zones/localnetwork/${iface}`, ['SDN.Audit', 'SDN.Use']);
}

function vnetRows(call: Call, filter: string | undefined): Record<string, unknown>[] {
  if (filter === undefined || !['any_bridge', 'vnet', 'include_sdn'].includes(filter)) return [];
  const { sim, user } = call;
  return sim.world.fixed.sdn.vnets
    .filter((one) => sim.rights.hasAny(user, `/sdn/zones/${one.zone}/${one.vnet}`, ['SDN.Audit', 'SDN.Use']))
    .map((one) => ({ iface: one.vnet, type: 'vnet', active: 1 }));
}

function list(call: Call): unknown {
  const { sim } = call;
  const node = sim.world.node(call.node);
  const filter = call.params.optText('type');
  if (node.staged) {
    const changes = pendingChanges(node.interfaces, node.staged);
    if (changes !== '') call.attributes['changes'] = changes;
  }
  const wanted = (type: string): boolean => {
    if (filter === undefined || filter === 'include_sdn') return true;
    return filter === 'any_bridge' || filter === 'any_local_bridge' ? isBridge(type) : filter === type;
  };
  const rows = current(node)
    .filter((one) => one.iface !== 'lo')
    .map((one, i) => row(sim, node, one, i + 3))
    .filter((one) => wanted(String(one['type'])) && maySee(call, String(one['iface']), String(one['type'])));
  return [...rows, ...vnetRows(call, filter)];
}

/** Ports may serve one interface only; a second default gateway is refused. */
function checkClashes(call: Call, iface: string, interfaces: readonly InterfaceState[]): void {
  const { params } = call;
  for (const key of ['bridge_ports', 'slaves', 'ovs_ports'] as const) {
    for (const port of splitList(params.text(key))) {
      const other = interfaces.find(
        (one) =>
          one.iface !== iface &&
          ['bridge_ports', 'slaves', 'ovs_ports'].some((list) =>
            splitList(one.options[list] ?? '').includes(port),
          ),
      );
      if (other) throw paramError({ [key]: `${port} is already used on interface '${other.iface}'.` });
    }
  }
  if (!params.has('gateway')) return;
  const other = interfaces.find((one) => one.iface !== iface && one.options['gateway'] !== undefined);
  if (other) throw paramError({ gateway: `Default gateway already exists on interface '${other.iface}'.` });
}

/** Writing checks the whole file, so that an old flaw blocks every new write. */
function checkFile(interfaces: readonly InterfaceState[]): void {
  const known = new Set(interfaces.map((one) => one.iface));
  for (const { iface, type, options } of interfaces) {
    if (type === 'bridge') {
      for (const port of splitList(options['bridge_ports'] ?? '')) {
        const base = port.split('.')[0] ?? port;
        if (!known.has(port) && !known.has(base))
          die(`bridge '${iface}' - unable to find bridge port '${port}'`);
      }
    }
    for (const slave of splitList(options['slaves'] ?? '')) {
      if (!known.has(slave)) die(`bond '${iface}' - unable to find slave '${slave}'`);
    }
  }
}

function optionsOf(call: Call): Record<string, string> {
  const { params } = call;
  const options: Record<string, string> = {};
  for (const name of params.names()) {
    if (!['node', 'iface', 'type', 'delete'].includes(name)) options[name] = params.text(name);
  }
  if (options['cidr'] !== undefined || options['address'] !== undefined) options['method'] = 'static';
  return options;
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
    const changed = change(current(state));
    checkFile(changed);
    state.staged = changed;
  });
  return null;
}

function create(call: Call): Promise<null> {
  const iface = call.params.text('iface');
  return edit(call, (interfaces) => {
    if (interfaces.some((one) => one.iface === iface))
      throw paramError({ iface: 'interface already exists' });
    checkClashes(call, iface, interfaces);
    return [...interfaces, { iface, type: call.params.text('type'), options: optionsOf(call) }];
  });
}

function known(interfaces: readonly InterfaceState[], iface: string): InterfaceState {
  const found = interfaces.find((one) => one.iface === iface);
  if (!found) throw paramError({ iface: 'interface does not exist' });
  return found;
}

function update(call: Call): Promise<null> {
  const iface = call.params.text('iface');
  return edit(call, (interfaces) => {
    const old = known(interfaces, iface);
    checkClashes(call, iface, interfaces);
    const dropped = new Set(splitList(call.params.text('delete')));
    const kept = Object.fromEntries(Object.entries(old.options).filter(([key]) => !dropped.has(key)));
    const changed = { iface, type: call.params.text('type'), options: { ...kept, ...optionsOf(call) } };
    return interfaces.map((one) => (one === old ? changed : one));
  });
}

function remove(call: Call): Promise<null> {
  const iface = call.params.text('iface');
  return edit(call, (interfaces) => {
    const old = known(interfaces, iface);
    return interfaces.filter((one) => one !== old);
  });
}

function getInterface(call: Call): unknown {
  const node = call.sim.world.node(call.node);
  const one = known(current(node), call.params.text('iface'));
  const hidden = new Set(['iface', 'active', 'exists']);
  return Object.fromEntries(Object.entries(row(call.sim, node, one, 3)).filter(([key]) => !hidden.has(key)));
}

export function reloadWorker(sim: Sim): Worker {
  return async (task) => {
    const node = sim.world.node(task.node);
    // Renamed before anything can fail: a failed reload leaves nothing pending.
    task.once('rename', () => {
      if (node.staged) node.interfaces = node.staged;
      node.staged = undefined;
    });
    const release = sim.locks.tryFlock(`${task.node}:/run/network/.lock`, 'exclusive');
    if (!release) {
      task.log('error: Another instance of this program is already running.');
      die("command 'ifreload -a' failed: exit code 89");
    }
    await task.locked(Promise.resolve(release), async () => {
      await task.wait('ifreload', sim.latency.network_reload_s * 1000);
      task.once('up', () => {
        node.running = runningAfterReload(node.interfaces, node.running);
      });
    });
  };
}

export const networkHandlers: Handlers = {
  'GET /nodes/{node}/network': list,
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
