/** How a node's last network reload ended, by its task list. Must not decide anything. */
import { isGoodEnding } from '../pve-values/task-status.ts';
import type { PveApi } from './types.ts';
import { isBusyReloadEnding } from './words.ts';

/** One that lost against another changed nothing. Of others' reloads only callers with Sys.Audit on the node hear. */
export async function hasLastReloadFailed(
  pve: Pick<PveApi, 'tasks'>,
  node: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const rows = await pve.tasks(node, { source: 'archive', type: 'srvreload' }, signal);
  const [last] = rows
    .filter(({ status }) => status !== undefined && !isBusyReloadEnding(status))
    .sort((a, b) => b.starttime - a.starttime);
  return last?.status !== undefined && !isGoodEnding(last.status);
}
