/** The bridges of one node, what is staged there and whose that is. Says of an offline node that it cannot be read. */
import { bridgeInMark, isStagedByUs, parseBridgeMark } from '../marks/bridge.ts';
import { UnreachableError } from '../proxmox/errors.ts';
import { hasLastReloadFailed } from '../proxmox/last-reload.ts';
import type { NetworkRow, PveApi } from '../proxmox/types.ts';
import { bridgesAmong } from '../pve-values/interfaces.ts';
import { parsePendingChanges } from '../pve-values/network-diff.ts';
import type { NodeInfo, NodeNetwork, PendingRow } from './types.ts';

/** The staged changes of a node, and whose they are by their comments. */
function pendingRows(changes: string, rows: readonly NetworkRow[]): PendingRow[] {
  return parsePendingChanges(changes, rows, bridgeInMark).map(({ iface, change, comment, text }) => ({
    iface,
    change,
    ours: isStagedByUs(iface, change, comment),
    text,
  }));
}

/** A reload that fails half-way brings such a bridge up without its VLANs, and PVE shows what is in the file. */
function isOursAware({
  iface,
  vlanAware,
  comments,
}: Pick<NetworkRow, 'iface' | 'vlanAware' | 'comments'>): boolean {
  return vlanAware && parseBridgeMark(iface, comments) !== undefined;
}

export async function readNetwork(
  pve: PveApi,
  node: NodeInfo,
  signal: AbortSignal | undefined,
): Promise<NodeNetwork> {
  const unreadable = { node: node.name, readable: false, bridges: [], pending: [] };
  if (!node.online) return unreadable;
  try {
    const { rows, changes } = await pve.network(node.name, signal);
    const pending = pendingRows(changes, rows);
    const isHalfDone = rows.some(isOursAware) && (await hasLastReloadFailed(pve, node.name, signal));
    const bridges = bridgesAmong(rows).map((info) =>
      isHalfDone && isOursAware(info) ? { ...info, active: false } : info,
    );
    return { node: node.name, readable: true, bridges, pending };
  } catch (error) {
    if (error instanceof UnreachableError) return unreadable; // went down since the node list was made
    throw error;
  }
}
