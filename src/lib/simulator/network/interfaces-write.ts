/** What PVE's writer of the interfaces file refuses and adds, and what reading it back makes of it. Pure. */
import { splitList } from '../contract/formats.ts';
import { die } from '../pve-error.ts';
import type { InterfaceState } from '../state.ts';

type Options = Readonly<Record<string, string>>;
type Draft = Map<string, InterfaceState>;

export const portLists = ['bridge_ports', 'ovs_ports', 'slaves', 'ovs_bonds'] as const;

export function portsOf(options: Options): string[] {
  return portLists.flatMap((key) => splitList(options[key] ?? ''));
}

const ovsChildren = new Set(['OVSPort', 'OVSIntPort', 'OVSBond']);
/** pve-common Network.pm $PHYSICAL_NIC_RE. */
const physical = /^(?:eth\d+|en[^:.]+|ib[^:.]+|nic\d+|if\d+)$/;

/** `255.255.255.0` as a prefix length. */
function prefixOf(netmask: string): string {
  if (/^\d+$/.test(netmask)) return netmask;
  const bits = netmask.split('.').map((part) => Number(part).toString(2).replaceAll('0', '').length);
  return String(bits.reduce((sum, count) => sum + count, 0));
}

/** Address and netmask apart become what the reader makes of them. */
function joinAddress(options: Readonly<Record<string, string>>): Record<string, string> {
  const { address, netmask, address6, netmask6, ...rest } = options;
  return {
    ...rest,
    ...(address === undefined ? {} : { cidr: `${address}/${prefixOf(netmask ?? '32')}` }),
    ...(address6 === undefined ? {} : { cidr6: `${address6}/${netmask6 ?? '128'}` }),
  };
}

/** Comment lines lose their trailing white space, CR among it; one that is `0` is not written at all. */
function readComments(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text === '0') return undefined;
  const lines = text.replace(/\n+$/, '').split('\n');
  return lines.map((one) => `${one.replace(/[ \t\r\f\v]+$/, '')}\n`).join('');
}

const spaced = (text: string): string => splitList(text).join(' ');

/** One stanza as it is after having been written and read. */
function readBack({ iface, type, options }: InterfaceState): InterfaceState {
  const { comments, bridge_vids, bridge_vlan_aware, bridge_ports, ...rest } = joinAddress(options);
  const kept = Object.entries(rest).filter(
    ([key, value]) => value !== '' && value !== '0' && !(key === 'method' && value === 'manual'),
  );
  const isBridge = type === 'bridge';
  const text = readComments(comments);
  const aware = isBridge && bridge_vlan_aware !== undefined;
  return {
    iface,
    type: type === 'eth' && !physical.test(iface) ? 'unknown' : type,
    options: {
      ...Object.fromEntries(kept),
      ...(isBridge && bridge_ports ? { bridge_ports: splitList(bridge_ports).sort().join(' ') } : {}),
      // VLAN ids without awareness are not written.
      ...(aware ? { bridge_vlan_aware: '1', bridge_vids: spaced(bridge_vids || '2-4094') } : {}),
      ...(text === undefined ? {} : { comments: text }),
    },
  };
}

function patched(one: InterfaceState, change: Partial<InterfaceState>, options: Options): InterfaceState {
  return { ...one, ...change, options: { ...one.options, ...options } };
}

/** Each port serves one interface. The result: port → interface. */
function usedPorts(draft: Draft): Map<string, string> {
  const used = new Map<string, string>();
  for (const { iface, options } of draft.values()) {
    for (const port of portsOf(options)) {
      const other = used.get(port);
      if (other !== undefined && other !== iface)
        die(`port '${port}' is already used on interface '${other}'`);
      used.set(port, iface);
    }
  }
  return used;
}

/** OVS ports that no bridge has any more turn into plain interfaces. */
function dropUnusedOvs(draft: Draft, used: ReadonlyMap<string, string>): void {
  for (const one of [...draft.values()]) {
    if (!ovsChildren.has(one.type)) continue;
    const bridge = draft.get(used.get(one.iface) ?? '');
    if (!bridge) draft.set(one.iface, { iface: one.iface, type: 'eth', options: {} });
    else if (bridge.type !== 'OVSBridge') draft.delete(one.iface);
  }
}

const mtuOf = (one: InterfaceState | undefined): number => Number(one?.options['mtu'] ?? 0);

function checkMtu(draft: Draft, parent: string, child: string): void {
  const wanted = mtuOf(draft.get(child));
  if (wanted === 0) return;
  const above = draft.get(parent);
  const own = mtuOf(above) || (above?.type === 'bond' ? wanted : 1500);
  if (own < wanted) die(`interface '${parent}' - mtu ${own} is lower than '${child}' - mtu ${wanted}`);
}

function adoptOvsPorts(draft: Draft): void {
  for (const { iface, type, options } of [...draft.values()]) {
    if (type !== 'OVSBridge') continue;
    for (const port of splitList(options['ovs_ports'] ?? '')) {
      const found = draft.get(port) ?? die(`OVS bridge '${iface}' - unable to find port '${port}'`);
      if (found.type !== 'eth' && !ovsChildren.has(found.type))
        die(`interface '${port}' is not defined as OVS port/bond`);
      const kind = found.type === 'eth' ? 'OVSPort' : found.type;
      draft.set(port, patched(found, { type: kind }, { ovs_bridge: iface, autostart: '0' }));
      checkMtu(draft, iface, port);
    }
  }
}

function checkOvsBonds(draft: Draft): void {
  for (const { iface, type, options } of [...draft.values()]) {
    if (type !== 'OVSBond') continue;
    for (const port of splitList(options['ovs_bonds'] ?? '')) {
      const slave = draft.get(port) ?? die(`OVS bond '${iface}' - unable to find slave '${port}'`);
      if (slave.type !== 'eth')
        die(`OVS bond '${iface}' - wrong interface type on slave '${port}' ('${slave.type}' != 'eth')`);
      draft.set(port, patched(slave, {}, { autostart: '1' }));
      checkMtu(draft, iface, port);
    }
  }
}

function checkBonds(draft: Draft): void {
  for (const { iface, type, options } of [...draft.values()]) {
    if (type !== 'bond') continue;
    const slaves = splitList(options['slaves'] ?? '');
    for (const port of slaves) {
      const slave = draft.get(port) ?? die(`bond '${iface}' - unable to find slave '${port}'`);
      if (slave.type !== 'eth' && slave.type !== 'bond')
        die(`bond '${iface}' - wrong interface type on slave '${port}' ('${slave.type}' != 'eth or bond')`);
      draft.set(port, patched(slave, {}, { autostart: '1' }));
      checkMtu(draft, iface, port);
    }
    const primary = options['bond-primary'];
    if (slaves.length > 0 && primary !== undefined && !slaves.includes(primary))
      die(`bond '${iface}' - bond-primary interface is not a slave`);
  }
}

function checkVlans(draft: Draft): void {
  for (const one of [...draft.values()]) {
    if (one.type !== 'vlan') continue;
    const [, dotted, id] = /^(\S+)\.(\d+)$/.exec(one.iface) ?? [];
    const parent = dotted ?? one.options['vlan-raw-device'] ?? die('missing vlan-raw-device option');
    const vlan =
      id ?? /^vlan(\d+)$/.exec(one.iface)?.[1] ?? one.options['vlan-id'] ?? die('missing vlan-id option');
    if (Number(vlan) > 4094) die(`vlan '${one.iface}' - vlan-id ${vlan} should be <= 4094`);
    const found = draft.get(parent) ?? die(`vlan '${one.iface}' - unable to find parent '${parent}'`);
    if (!['eth', 'bridge', 'bond', 'vlan'].includes(found.type)) {
      const wrong = `('${found.type}' != 'eth|bond|bridge|vlan' )`;
      die(`vlan '${one.iface}' - wrong interface type on parent '${parent}' ${wrong}`);
    }
    checkMtu(draft, parent, one.iface);
  }
}

function checkBridges(draft: Draft): void {
  for (const { iface, type, options } of draft.values()) {
    if (type !== 'bridge') continue;
    for (const port of splitList(options['bridge_ports'] ?? '')) {
      const found = draft.get(port);
      if (!found) {
        // A VLAN of an interface needs no stanza of its own.
        if (/^\S+\.\d+$/.test(port)) continue;
        die(`bridge '${iface}' - unable to find bridge port '${port}'`);
      }
      const { method = 'manual', cidr, cidr6 } = found.options;
      const isBound = (method === 'static' && cidr !== undefined) || (cidr6 !== undefined && cidr6 !== '::');
      if (isBound) die(`iface ${port} - ip address can't be set on interface if bridged in ${iface}`);
      checkMtu(draft, port, iface);
    }
  }
}

const typeOrder: Readonly<Record<string, number>> = {
  loopback: 1,
  eth: 2,
  OVSPort: 2,
  OVSIntPort: 3,
  OVSBond: 4,
  bond: 4,
  bridge: 5,
  OVSBridge: 5,
  vlan: 6,
};

/** Known types go in groups, VLANs of an interface right behind its group; new stanzas come last in theirs. */
function inFileOrder(draft: Draft, before: readonly InterfaceState[]): InterfaceState[] {
  const places = new Map(before.map((one, index) => [one.iface, index + 2]));
  const rank = ({ iface }: InterfaceState): number | undefined => {
    const [root = iface, ...deeper] = iface.split(/[.:]/);
    const group = typeOrder[draft.get(root)?.type ?? ''];
    return group === undefined ? undefined : group * 100_000 + deeper.length;
  };
  return [...draft.values()].sort((a, b) => {
    const [ra, rb] = [rank(a), rank(b)];
    const groups = ra === undefined || rb === undefined ? 0 : ra - rb;
    const byPlace = groups + (places.get(a.iface) ?? 50_000) - (places.get(b.iface) ?? 50_000);
    return byPlace !== 0 ? byPlace : a.iface < b.iface ? -1 : 1;
  });
}

/** The stanzas after a write; throws what the writer says to the whole file, old flaws included. */
export function writeInterfaces(
  interfaces: readonly InterfaceState[],
  before: readonly InterfaceState[],
): InterfaceState[] {
  const draft: Draft = new Map(interfaces.map((one) => [one.iface, one]));
  dropUnusedOvs(draft, usedPorts(draft));
  adoptOvsPorts(draft);
  checkOvsBonds(draft);
  checkBonds(draft);
  checkVlans(draft);
  checkBridges(draft);
  return inFileOrder(draft, before).map(readBack);
}

/** A scenario's stanzas, as the file that they are read from has them. */
export function readInterfaces(interfaces: readonly InterfaceState[]): InterfaceState[] {
  return interfaces.map(readBack);
}
