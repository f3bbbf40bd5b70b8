/** Tasks under way, and guests' tasks that failed: one call per node. */
import pMap from 'p-map';
import type { PveApi, TaskRow } from '../proxmox/types.ts';
import { ourTasks } from '../pve-values/guest-kinds.ts';
import { isGoodEnding } from '../pve-values/task-status.ts';
import { PARALLEL_READS } from './parallel.ts';
import type { FailedTask, Removal, RunningTask } from './types.ts';

/** A class of hundreds leaves some thousands of tasks a day on a node; PVE answers fifty where nobody asks for more. */
const MOST_TASKS = 5000;

/** PVE locks a VM for as long as a task works on it; what runs for longer than this is not told by a list that ends here. */
const LONGEST_TASK = 24 * 3600;

/** Between two tasks of one machine a run writes configurations and claims, and waits for a lock of PVE's. */
const JUST_ENDED = 30;

/** A guest that did not listen has been off since, whichever of these has turned it off, or started it again. */
const ASKING = ourTasks('shutdown', 'reboot');
const SWITCHING: ReadonlySet<string> = new Set([...ASKING, ...ourTasks('stop', 'start')]);
const REMOVING = ourTasks('destroy');

/** Types of which it was the last: those that it makes up for, too. */
function settles({ type, status = '' }: TaskRow): ReadonlySet<string> {
  return new Set([type, ...(SWITCHING.has(type) && isGoodEnding(status) ? ASKING : [])]);
}

/** Of each guest and type the last one counts: what was tried again, and went well, is over. */
function failuresOf(node: string, rows: readonly TaskRow[]): FailedTask[] {
  const last = new Map<string, TaskRow & { readonly endtime: number }>();
  for (const row of rows) {
    const { endtime, id } = row;
    if (endtime === undefined || !/^[1-9]\d*$/.test(id)) continue;
    for (const type of settles(row)) {
      const key = `${type} ${id}`;
      const known = last.get(key);
      if (known === undefined || known.endtime < endtime) last.set(key, { ...row, endtime });
    }
  }
  return [...last.values()].flatMap(({ type, id, user, endtime: ended, status: error }) =>
    error === undefined || isGoodEnding(error) ? [] : [{ node, type, vmid: Number(id), user, ended, error }],
  );
}

export interface ReadTasks {
  readonly tasks: readonly RunningTask[];
  readonly justEnded?: readonly RunningTask[];
  readonly failures?: readonly FailedTask[];
  readonly removals?: readonly Removal[];
}

function removalsOf(rows: readonly TaskRow[], now: number): Removal[] {
  const last = new Map<string, TaskRow>();
  for (const row of rows.filter(({ type }) => REMOVING.includes(type))) {
    const known = last.get(row.id);
    if (known === undefined || (known.endtime ?? now) < (row.endtime ?? now)) last.set(row.id, row);
  }
  return [...last.values()].map(({ id, user, endtime }) => {
    const ended = endtime !== undefined && endtime < now - JUST_ENDED ? 'earlier' : 'recent';
    return { vmid: Number(id), user, was: endtime === undefined ? 'running' : ended };
  });
}

/** `failuresSince`: seconds since the epoch; absent: nobody asks for those that failed. */
export async function readTasks(
  pve: PveApi,
  nodes: readonly string[],
  failuresSince: number | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadTasks> {
  const now = pve.serverTime().getTime() / 1000;
  const filter =
    failuresSince === undefined
      ? ({ source: 'active' } as const)
      : ({
          source: 'all',
          since: Math.floor(Math.min(failuresSince, now - LONGEST_TASK)),
          limit: MOST_TASKS,
        } as const);
  const lists = await pMap(nodes, async (node) => ({ node, rows: await pve.tasks(node, filter, signal) }), {
    concurrency: PARALLEL_READS,
  });
  const those = (isMeant: (row: TaskRow) => boolean): RunningTask[] =>
    lists.flatMap(({ node, rows }) => rows.filter(isMeant).map(({ type, id }) => ({ node, type, id })));
  if (failuresSince === undefined) return { tasks: those(() => true) };
  const tasks = those(({ endtime }) => endtime === undefined);
  const justEnded = those(({ endtime }) => endtime !== undefined && endtime >= now - JUST_ENDED);
  const failures = lists.flatMap(({ node, rows }) => failuresOf(node, rows));
  return {
    ...{ tasks, justEnded, failures: failures.filter(({ ended }) => ended >= failuresSince) },
    removals: removalsOf(
      lists.flatMap(({ rows }) => rows),
      now,
    ),
  };
}
