/** Which guests name a bridge, made once per plan from what was read of them. Decides nothing. */
import { addTo } from '../../group.ts';
import type { BridgeUse } from '../../inventory/types.ts';

/** What is known of the guests on a bridge, without those that leave it in the same plan. */
export interface Guests {
  /** Some may be out of the caller's sight. */
  readonly hidden: boolean;
  /** The guests of the node were read. */
  readonly read: boolean;
  readonly naming: readonly number[];
  /** Only in snapshots: going back to one plugs them in. */
  readonly inSnapshots: readonly number[];
  /** Their configurations cannot be read: each may be on any bridge of the node. */
  readonly unreadable: readonly number[];
}

export interface BridgeGuests {
  /** `leaves`: VMIDs that will not be there any more. */
  on(node: string, iface: string, leaves?: (vmid: number) => boolean): Guests;
  /** All that name it, in a snapshot or as they are, or cannot be read, ascending. */
  users(node: string, iface: string): readonly number[];
}

interface Known {
  readonly bridgeUse: readonly BridgeUse[];
  readonly bridgeUseNodes: readonly string[];
  readonly hidden?: { readonly guests: boolean };
}

const ANY = '*';

export function indexBridgeGuests({ bridgeUse, bridgeUseNodes, hidden }: Known): BridgeGuests {
  const read = new Set(bridgeUseNodes);
  const users = new Map<string, number[]>();
  const saved = new Map<string, number[]>();
  for (const { vmid, node, bridges, snapshotBridges } of [...bridgeUse].sort((a, b) => a.vmid - b.vmid)) {
    const now = new Set(bridges);
    for (const iface of now) addTo(users, `${node} ${iface}`, vmid);
    for (const iface of new Set(snapshotBridges)) if (!now.has(iface)) addTo(saved, `${node} ${iface}`, vmid);
  }
  const usersOf = (node: string, iface: string): readonly number[] => users.get(`${node} ${iface}`) ?? [];
  const savedOf = (node: string, iface: string): readonly number[] => saved.get(`${node} ${iface}`) ?? [];
  return {
    on(node, iface, leaves = () => false) {
      const stay = (vmids: readonly number[]): number[] => vmids.filter((vmid) => !leaves(vmid));
      return {
        hidden: hidden?.guests === true,
        read: read.has(node),
        naming: stay(usersOf(node, iface)),
        inSnapshots: stay(savedOf(node, iface)),
        unreadable: stay(usersOf(node, ANY)),
      };
    },
    users: (node, iface) =>
      [...new Set([...usersOf(node, iface), ...savedOf(node, iface), ...usersOf(node, ANY)])].sort(
        (a, b) => a - b,
      ),
  };
}
