/** The rows of `/nodes/{node}/network`, as one worker of the node's pveproxy knows them. Changes nothing else. */
import { pendingChanges } from '../network/interfaces-file.ts';
import { rootUser } from '../access/permissions.ts';
import { appliedSdn, vnetsOn } from '../network/sdn.ts';
import type { Call, Sim } from '../sim.ts';
import type { InterfaceState, NodeState } from '../state.ts';

export const currentInterfaces = (node: NodeState): readonly InterfaceState[] =>
  node.staged ?? node.interfaces;

/** What a worker has read of the interfaces files. */
interface Reading {
  readonly applied: readonly InterfaceState[];
  readonly staged: readonly InterfaceState[] | undefined;
  readonly active: ReadonlySet<string>;
}

const readings = new WeakMap<NodeState, Map<number, Reading>>();

/**
 * What is up, as the answering worker saw it when it last read the files: INotify.pm keeps what was parsed until a file
 * changes. A worker that is asked between the renaming of interfaces.new and the end of ifreload keeps "not active".
 */
function activeFor(node: NodeState, worker: number): ReadonlySet<string> {
  const ofNode = readings.get(node) ?? new Map<number, Reading>();
  readings.set(node, ofNode);
  const known = ofNode.get(worker);
  if (known && known.applied === node.interfaces && known.staged === node.staged) return known.active;
  const active = new Set(Object.keys(node.running));
  ofNode.set(worker, { applied: node.interfaces, staged: node.staged, active });
  return active;
}

/** What reading the file back makes of a stanza: until 8.1 only vmbrN is known as a bridge. */
function typeWhenRead(sim: Sim, { iface, type }: InterfaceState): string {
  return type === 'bridge' && sim.facts.major === 7 && !/^vmbr\d+$/.test(iface) ? 'unknown' : type;
}

function addressOf(suffix: '' | '6', options: InterfaceState['options']): Record<string, unknown> {
  const cidr = options[`cidr${suffix}`];
  if (cidr === undefined) return {};
  const [address, netmask] = cidr.split('/');
  return { [`cidr${suffix}`]: cidr, [`address${suffix}`]: address, [`netmask${suffix}`]: netmask };
}

function familiesOf({ cidr, cidr6 }: InterfaceState['options']): string[] {
  if (cidr6 === undefined) return ['inet'];
  return cidr === undefined ? ['inet6'] : ['inet', 'inet6'];
}

const flags = new Set(['autostart', 'bridge_vlan_aware']);

export function interfaceRow(sim: Sim, one: InterfaceState, priority: number): Record<string, unknown> {
  const { options, iface } = one;
  const type = typeWhenRead(sim, one);
  const rest = Object.entries(options).map(([key, value]) => [key, flags.has(key) ? 1 : value] as const);
  return {
    ...Object.fromEntries(rest),
    ...addressOf('', options),
    ...addressOf('6', options),
    iface,
    type,
    method: options['method'] ?? 'manual',
    method6: options['cidr6'] === undefined ? 'manual' : 'static',
    families: familiesOf(options),
    priority,
    ...(type === 'bridge'
      ? { bridge_ports: options['bridge_ports'] ?? '', bridge_stp: 'off', bridge_fd: '0' }
      : {}),
    ...(type.startsWith('OVS') ? { ovs_type: type } : {}),
    ...(type === 'eth' || type === 'OVSPort' ? { exists: 1 } : {}),
  };
}

const isBridge = (type: string): boolean => type === 'bridge' || type === 'OVSBridge';

/** RPCEnvironment.pm check_sdn_bridge: on the bridge, or on any VLAN of it. */
function maySeeBridge(call: Call, zone: string, bridge: string): boolean {
  const { sim, user } = call;
  const path = `/sdn/zones/${zone}/${bridge}`;
  const may = (where: string): boolean => sim.rights.hasAny(user, where, ['SDN.Audit', 'SDN.Use']);
  return may(path) || [...sim.world.acl.keys()].some((where) => where.startsWith(`${path}/`) && may(where));
}

function maySee(call: Call, iface: string, type: string): boolean {
  if (!call.sim.facts.bridgePermissions || call.user === rootUser || !isBridge(type)) return true;
  return maySeeBridge(call, 'localnetwork', iface);
}

/** Which lists vnets are part of: 8.4 adds them to `any_bridge` alone. */
const vnetLists: Readonly<Record<7 | 8 | 9, readonly string[]>> = {
  7: ['any_bridge'],
  8: ['any_bridge'],
  9: ['any_bridge', 'vnet', 'include_sdn'],
};

/** The applied vnets of this node; `active` is a constant there (SDN.pm get_local_vnets). */
function vnetRows(call: Call, filter: string | undefined): Record<string, unknown>[] {
  const { sim, user } = call;
  if (filter === undefined || !vnetLists[sim.facts.major].includes(filter)) return [];
  const { zones } = appliedSdn(sim.world.sdn);
  const maySeeVnet = (zone: string, vnet: string): boolean =>
    sim.facts.major === 7
      ? sim.rights.hasAny(user, `/sdn/vnets/${vnet}`, ['SDN.Audit', 'SDN.Allocate'])
      : maySeeBridge(call, zone, vnet);
  return vnetsOn(sim.world.sdn, call.node)
    .filter(({ zone, vnet }) => maySeeVnet(zone, vnet))
    .map(({ vnet, alias, vlanaware, zone }) => ({
      iface: vnet,
      type: 'vnet',
      active: '1',
      ...(sim.facts.major === 7
        ? {}
        : {
            ipam: zones.some((one) => one.zone === zone && one.options?.['ipam'] !== undefined) ? 1 : 0,
            vlanaware: vlanaware ? 1 : 0,
          }),
      comments: alias ?? null,
    }));
}

export function listInterfaces(call: Call): unknown {
  const { sim } = call;
  const node = sim.world.node(call.node);
  const filter = call.params.optText('type');
  const active = activeFor(node, call.worker);
  const changes = node.staged ? pendingChanges(node.interfaces, node.staged) : '';
  if (changes !== '') call.attributes['changes'] = changes;
  const wanted = (type: string): boolean => {
    if (filter === undefined || filter === 'include_sdn') return true;
    return filter === 'any_bridge' || filter === 'any_local_bridge' ? isBridge(type) : filter === type;
  };
  const rows = currentInterfaces(node)
    .filter(({ iface }) => iface !== 'lo')
    .map((one, i) => ({
      ...interfaceRow(sim, one, i + 3),
      ...(active.has(one.iface) ? { active: 1 } : {}),
    }))
    .filter(({ type, iface }: Record<string, unknown>) => {
      const kind = String(type);
      return wanted(kind) && maySee(call, String(iface), kind);
    });
  return [...rows, ...vnetRows(call, filter)];
}
