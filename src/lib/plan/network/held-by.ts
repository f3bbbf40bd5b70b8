/** Who names bridge numbers that nobody can be given therefore, in words. Decides nothing. */
import type { BridgeRange } from '../../config/types.ts';
import { standBridgeNumber } from '../../pve-values/bridge-name.ts';
import type { TakenBridge } from '../cluster/free-vmids.ts';
import type { ClusterView } from '../cluster/view.ts';
import { nameSome } from '../document/text.ts';

/** More names say nothing more. */
const MOST_GUESTS = 8;

function whose(vmid: number, { guests, marks }: ClusterView): string {
  const user = marks.get(guests.get(vmid)?.pool ?? '')?.user;
  return user === undefined ? `guest ${vmid}` : `VM ${vmid} of ${user}`;
}

/** Whoever names most comes first. `node` absent: on all. */
export function heldBy(
  taken: readonly TakenBridge[],
  { range, node }: { readonly range: BridgeRange; readonly node?: string | undefined },
  index: ClusterView,
): string | undefined {
  const numbers = new Set<string>();
  const named = new Map<number, Set<string>>();
  for (const { bridge, vmids, ...at } of taken) {
    const number = standBridgeNumber(bridge) ?? 0;
    if (number < range.first || number > range.last || (node !== undefined && at.node !== node)) continue;
    for (const vmid of vmids) named.set(vmid, (named.get(vmid) ?? new Set()).add(bridge));
    if (vmids.length > 0) numbers.add(bridge);
  }
  if (numbers.size === 0) return undefined;
  const guests = [...named].sort(([a, x], [b, y]) => y.size - x.size || a - b).map(([vmid]) => vmid);
  const names = guests.map((vmid) => whose(vmid, index));
  return `${numbers.size} of them named by network cards, or in snapshots, of ${nameSome(names, MOST_GUESTS)}`;
}

/** The way out, without "then run again". */
export const HELD_HINT =
  'take these network cards off, and delete the snapshots that name these bridges; on PVE 7 a student with VM.Config.Network sets them as he likes, `role: student` does not';
