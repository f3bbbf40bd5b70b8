/** Rows that describe a storage on a node. Reads only. */
import type { Sim } from '../sim.ts';
import type { NodeState, StorageState } from '../state.ts';

export function isOnNode(storage: StorageState, node: string): boolean {
  return storage.nodes === undefined || storage.nodes.includes(node);
}

export function spaceOf(
  sim: Sim,
  storage: StorageState,
  node: string,
): { total: number; used: number; avail: number } {
  const used = Math.min(storage.size, storage.used + sim.world.usedBytes(storage.storage, node));
  return { total: storage.size, used, avail: storage.size - used };
}

/** The row of /cluster/resources. */
export function storageRow(sim: Sim, storage: StorageState, node: NodeState): Record<string, unknown> {
  const { total, used } = spaceOf(sim, storage, node.name);
  const available = node.online && storage.offlineOn?.includes(node.name) !== true;
  return {
    id: `storage/${node.name}/${storage.storage}`,
    type: 'storage',
    storage: storage.storage,
    node: node.name,
    plugintype: storage.type,
    status: available ? 'available' : 'unknown',
    shared: storage.shared ? 1 : 0,
    content: storage.content.join(','),
    ...(available ? { maxdisk: total, disk: used } : {}),
  };
}
