/** Which nodes HA has in maintenance or fenced, in HA's own words. Asks the manager only where the list of nodes does not say. */
import { isAtLeast } from '../pve-values/version.ts';
import type { PveApi, ResourceRow } from '../proxmox/types.ts';
import { unlessRefused } from './forbidden.ts';

export type NodeStates = Readonly<Record<string, string>>;

/** Since 8.3 the nodes' rows say so; the manager tells accounts with Sys.Audit on `/` only. */
export async function readNodeStates(
  pve: PveApi,
  lists: {
    readonly version: Promise<{ readonly release: string }>;
    readonly rows: Promise<readonly ResourceRow[]>;
  },
  { gap, signal }: { readonly gap: (why: string) => void; readonly signal: AbortSignal | undefined },
): Promise<NodeStates> {
  const { release } = await lists.version;
  if (!isAtLeast(release, 8, 3)) return unlessRefused(pve.nodeHaStates(signal), {}, gap);
  return Object.fromEntries(
    (await lists.rows).flatMap(({ type, node, hastate }) =>
      type === 'node' && node !== undefined && hastate !== undefined ? [[node, hastate]] : [],
    ),
  );
}
