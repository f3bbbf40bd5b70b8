/** Router MACs `1C:87:76:40:XX:XX`: derived, not drawn, because 65,536 addresses would collide within one class. */

const PREFIX = '1C:87:76:40';
const SPACE = 0x10000;
const NICS_PER_VM = 32;

function format(suffix: number): string {
  const hex = suffix.toString(16).toUpperCase().padStart(4, '0');
  return `${PREFIX}:${hex.slice(0, 2)}:${hex.slice(2)}`;
}

/** The MAC of NIC `index` of VM `vmid`: its own slot, or the next one that is not `taken`. Adds it to `taken`. */
export function takeRouterMac(vmid: number, index: number, taken: Set<string>): string {
  const slot = vmid * NICS_PER_VM + index;
  for (let step = 0; step < SPACE; step += 1) {
    const mac = format((slot + step) % SPACE);
    if (!taken.has(mac)) {
      taken.add(mac);
      return mac;
    }
  }
  throw new RangeError('all 65,536 router MACs are taken');
}
