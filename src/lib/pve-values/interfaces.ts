/** Reads what PVE writes about a node's interfaces: which are built on which, and the bridges among them. Judges none. */
import { addTo } from '../group.ts';

/** What an interface is made of. */
export interface Interface {
  readonly iface: string;
  /** Ports of a bridge (Linux, OVS), members of a bond. */
  readonly ports: readonly string[];
  /** What a VLAN interface with a name of its own is on. */
  readonly rawDevice?: string;
}

/** Of whatever has none of its own. */
export const USUAL_MTU = 1500;

/** A list of names as the interfaces file has it: with blanks, `none` for an empty one. */
export function namesIn(list: string): string[] {
  return list.split(/[\s,;]+/).filter((name) => name !== '' && name !== 'none');
}

/** The interface that `vmbr1000.5` (a VLAN) and `vmbr1000:1` (an alias with an address) are on. */
function deviceOf(name: string): string {
  return /^[^.:]+/.exec(name)?.[0] ?? name;
}

/** Interface → those that are built on it or on a VLAN of it: bridges and bonds it is a port of, VLANs, aliases. */
export function indexAbove(interfaces: readonly Interface[]): ReadonlyMap<string, readonly string[]> {
  const above = new Map<string, Set<string>>();
  for (const { iface, ports, rawDevice } of interfaces) {
    const below = [...ports, ...(rawDevice === undefined ? [] : [rawDevice])].map(deviceOf);
    for (const device of [...below, deviceOf(iface)]) {
      if (device === iface) continue;
      above.set(device, (above.get(device) ?? new Set()).add(iface));
    }
  }
  return new Map([...above].map(([device, names]) => [device, [...names]]));
}

/** What PVE's list tells of an interface. */
export interface InterfaceRow extends Interface {
  readonly type: string;
  readonly active: boolean;
  readonly autostart: boolean;
  readonly vlanAware: boolean;
  /** The OVS bridge that a port, bond or internal port says it is of. */
  readonly ovsBridge?: string;
  /** As it is written. */
  readonly mtu?: number;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly comments: string;
}

/** A bridge with what hangs on it. */
export interface Bridge extends Omit<InterfaceRow, 'type' | 'rawDevice' | 'ovsBridge'> {
  /** Absent: not known, for it is not written, and other interfaces of the node, which it may follow, have one of their own. */
  readonly above: readonly string[];
}

/** OVS → the ports that name it; whoever writes the file by hand need not list them with the bridge as well. */
function ovsPorts(rows: readonly InterfaceRow[]): ReadonlyMap<string, readonly InterfaceRow[]> {
  const byName = new Map(rows.map((row) => [row.iface, row]));
  const ports = new Map<string, InterfaceRow[]>();
  for (const { iface, type, ports: listed } of rows) {
    if (type !== 'OVSBridge') continue;
    const naming = rows.filter(({ ovsBridge }) => ovsBridge === iface);
    for (const port of new Set([...listed.flatMap((name) => byName.get(name) ?? []), ...naming]))
      addTo(ports, iface, port);
  }
  return ports;
}

/**
 * Linux and OVS bridges alike. An OVS bridge takes VLANs without being told to; an internal port of it is the host's
 * own card: its addresses are the host's on the bridge, and it leads nowhere else.
 */
export function bridgesAmong(rows: readonly InterfaceRow[]): Bridge[] {
  const above = indexAbove(rows);
  const ovs = ovsPorts(rows);
  const isUsual = rows.every(
    ({ type, mtu }) => mtu === undefined || type === 'bridge' || type === 'OVSBridge',
  );
  return rows
    .filter(({ type }) => type === 'bridge' || type === 'OVSBridge')
    .map(
      ({ iface, type, active, autostart, vlanAware, ports, addresses, gateways, comments, mtu: written }) => {
        const children = ovs.get(iface) ?? [];
        const internal = children.filter((port) => port.type === 'OVSIntPort');
        const inside = new Set(internal.map((port) => port.iface));
        const mtu = written ?? (isUsual ? USUAL_MTU : undefined);
        const names = new Set([...ports, ...children.map((port) => port.iface)]);
        return {
          ...{ iface, active, autostart, comments },
          ...(mtu === undefined ? {} : { mtu }),
          vlanAware: vlanAware || type === 'OVSBridge',
          ports: [...names].filter((name) => !inside.has(name)),
          addresses: [...addresses, ...internal.flatMap((port) => port.addresses)],
          gateways: [...gateways, ...internal.flatMap((port) => port.gateways)],
          above: [...new Set([...(above.get(iface) ?? []), ...inside])],
        };
      },
    );
}
