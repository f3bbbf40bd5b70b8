/** Vnets, and the nodes on which they are not up. Judges nothing. */
import pMap from 'p-map';
import type { PveApi, ResourceRow } from '../proxmox/types.ts';
import { unlessUnread } from './forbidden.ts';
import { PARALLEL_READS } from './parallel.ts';
import type { VnetInfo } from './types.ts';

/**
 * `/cluster/resources` tells how the zones are (type `sdn` until 8, `network` since). It comes by broadcast and knows
 * nothing of single vnets, so that a node is asked of a zone that is not well, and its word counts.
 */
async function readDown(
  pve: PveApi,
  rows: readonly ResourceRow[],
  used: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Record<string, 'pending' | 'error'>>> {
  const down = new Map<string, Record<string, 'pending' | 'error'>>();
  const unwell = rows.flatMap(({ node, zone, status }) =>
    node !== undefined && zone !== undefined && used.has(zone) && (status === 'pending' || status === 'error')
      ? [{ node, zone }]
      : [],
  );
  await pMap(
    unwell,
    async ({ node, zone }) => {
      for (const { vnet, status } of await unlessUnread(pve.vnetStates(node, zone, signal), [])) {
        if (status !== 'pending' && status !== 'error') continue;
        down.set(vnet, { ...down.get(vnet), [node]: status });
      }
    },
    { concurrency: PARALLEL_READS },
  );
  return down;
}

export async function readVnets(
  pve: PveApi,
  rows: Promise<readonly ResourceRow[]>,
  signal: AbortSignal | undefined,
): Promise<VnetInfo[]> {
  const vnets = await pve.vnetZones(signal);
  if (vnets.length === 0) return [];
  const used = new Set(vnets.flatMap(({ zone }) => zone ?? []));
  const down = await readDown(pve, await rows, used, signal);
  return vnets.map((vnet) => {
    const there = down.get(vnet.vnet);
    return there ? { ...vnet, down: there } : vnet;
  });
}
