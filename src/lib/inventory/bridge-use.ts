/** Reads which bridges guests name, now and in their snapshots. Never writes. */
import pMap from 'p-map';
import type { PveApi } from '../proxmox/types.ts';
import { bridgesIn } from '../pve-values/nics.ts';
import { unlessRefused } from './forbidden.ts';
import { PARALLEL_READS } from './parallel.ts';
import type { ReadContext } from './pools.ts';
import type { BridgeUse, GuestInfo, Inventory } from './types.ts';

/**
 * A guest whose configuration or snapshots cannot be read counts as a user of every bridge: `*`. `parent` does not tell
 * whether it has snapshots: whoever goes back to the first of them and deletes it has none, and the others stay.
 */
export async function readBridgeUse(
  pve: PveApi,
  guests: readonly GuestInfo[],
  nodes: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<BridgeUse[]> {
  const there = guests.filter((guest) => nodes.has(guest.node));
  return pMap(
    there,
    async (guest): Promise<BridgeUse> => {
      const { vmid, node } = guest;
      // In this order: what somebody goes back to and deletes meanwhile is then seen as it runs.
      const saved = await unlessRefused(pve.snapshotConfigs(guest, signal), undefined);
      const config = await unlessRefused(pve.guestConfig(guest, signal), 'refused' as const);
      // What is gone by now is on no bridge.
      const values = config === 'refused' ? undefined : (config ?? {});
      const notes = values === undefined ? {} : { description: values['description'] ?? '' };
      return {
        ...{ vmid, node, ...notes },
        bridges: saved && values ? bridgesIn(values) : ['*'],
        snapshotBridges: (saved ?? []).flatMap(bridgesIn),
      };
    },
    { concurrency: PARALLEL_READS },
  );
}

/** Of each guest on the nodes that were asked for; of those that go by what is read already. */
export async function readUse(
  have: Inventory,
  listed: readonly GuestInfo[],
  going: ((have: Inventory) => ReadonlySet<number>) | undefined,
  { pve, hard: signal }: ReadContext,
): Promise<BridgeUse[]> {
  const nodes = new Set(have.bridgeUseNodes);
  if (nodes.size === 0) return [];
  const goes = going?.(have) ?? new Set<number>();
  const known = have.vms.filter(({ vmid, node }) => goes.has(vmid) && nodes.has(node));
  const ids = new Set(known.map(({ vmid }) => vmid));
  const others = listed.filter(({ vmid }) => !ids.has(vmid));
  return [
    ...known.map(({ vmid, node, values }) => ({
      ...{ vmid, node, description: values['description'] ?? '' },
      bridges: bridgesIn(values),
      snapshotBridges: [],
    })),
    ...(await readBridgeUse(pve, others, nodes, signal)),
  ];
}
