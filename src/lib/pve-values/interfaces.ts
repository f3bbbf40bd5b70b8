/** Reads what PVE writes about a node's interfaces, and tells which are built on which. Judges no bridge. */

/** What an interface is made of. */
export interface Interface {
  readonly iface: string;
  /** Ports of a bridge (Linux, OVS), members of a bond. */
  readonly ports: readonly string[];
  /** What a VLAN interface with a name of its own is on. */
  readonly rawDevice?: string;
}

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
