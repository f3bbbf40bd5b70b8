/** Turns the nodes' task logs into the history of migrations: balance's only memory. Reads; decides nothing. */
import { isGoodEnding } from '../pve-values/task-status.ts';
import type { MigrationRecord } from './balance-types.ts';
import type { PveApi, TaskRow } from '../proxmox/types.ts';
import { AuthError, PveError, UnreachableError } from '../proxmox/errors.ts';
import { PARALLEL_READS } from './parallel.ts';
import type { RunningTask } from './types.ts';
import pMap from 'p-map';

/** All tasks of one node since a moment. */
export interface NodeTasks {
  readonly node: string;
  readonly rows: readonly TaskRow[];
  /** Seconds since the epoch before which the log is gone; absent: it reaches back far enough. */
  readonly goneBefore?: number;
}

/**
 * A task index is rotated at 50 kB and only one old one is kept (pve-common RESTEnvironment.pm, active_workers): a log
 * that was ever rotated has some hundreds of lines. A shorter one is complete.
 */
const ROTATED_FROM = 200;
const LIMIT = 5000;

export async function readNodeTasks(
  pve: PveApi,
  nodes: readonly string[],
  { since, signal }: { readonly since: number; readonly signal: AbortSignal | undefined },
): Promise<{ readonly tasks: readonly NodeTasks[]; readonly unreadable: readonly string[] }> {
  const unreadable: string[] = [];
  const read = async (node: string): Promise<NodeTasks> => {
    try {
      const [rows, older] = await Promise.all([
        pve.tasks(node, { source: 'all', since, limit: LIMIT }, signal),
        pve.tasks(node, { source: 'archive', until: since, limit: 1 }, signal),
      ]);
      const archived = rows.filter((row) => row.endtime !== undefined);
      if (older.length > 0 || archived.length < ROTATED_FROM) return { node, rows };
      return { node, rows, goneBefore: Math.min(...archived.map((row) => row.starttime)) };
    } catch (error) {
      if (!(error instanceof UnreachableError) && !(error instanceof PveError)) throw error;
      if (error instanceof AuthError) unreadable.push(node);
      return { node, rows: [] };
    }
  };
  return { tasks: await pMap(nodes, read, { concurrency: PARALLEL_READS }), unreadable };
}

export function runningTasks(tasks: readonly NodeTasks[]): RunningTask[] {
  return tasks.flatMap(({ node, rows }) =>
    rows.filter((row) => row.endtime === undefined).map(({ type, id }) => ({ node, type, id })),
  );
}

interface HistoryContext {
  /** VMID → node, as of now. */
  readonly places: ReadonlyMap<number, string>;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Seconds a migration may take. */
  readonly timeout: number;
}

interface Entry {
  readonly node: string;
  readonly row: TaskRow;
  readonly vmid: number;
}

const MIGRATIONS = new Set(['qmigrate', 'vzmigrate', 'hamigrate']);
/** Seconds in which HA's manager starts what it was asked for: some rounds of 10 s, and its queue. */
const HA_PATIENCE = 300;
/** How tasks end that somebody, or a reboot, stopped. */
const STOPPED = /^(?:unexpected status|received interrupt|interrupted by signal)/;

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** The request to HA ends at once; what counts is the migration that HA starts for it. */
function haRecord(entry: Entry, later: readonly Entry[], context: HistoryContext): MigrationRecord[] {
  const { node, row, vmid } = entry;
  const isAnswered = later.some(({ row: { type }, node: where }) => type !== 'hamigrate' && where === node);
  if (isAnswered && isGoodEnding(row.status)) return [];
  const record = { vmid, from: node, start: isoOf(row.starttime) };
  if (row.endtime !== undefined && !isGoodEnding(row.status))
    return [{ ...record, end: isoOf(row.endtime), status: 'failed', error: row.status ?? '' }];
  const place = context.places.get(vmid);
  if (place !== undefined && place !== node)
    return [{ ...record, to: place, end: isoOf(row.endtime ?? row.starttime), status: 'ok' }];
  if (context.now - row.starttime < HA_PATIENCE) return [{ ...record, status: 'running' }];
  const end = isoOf(row.starttime + HA_PATIENCE);
  return [{ ...record, end, status: 'failed', error: 'HA did not carry out the request' }];
}

function statusOf({ row }: Entry, { now, timeout }: HistoryContext): MigrationRecord['status'] {
  if (row.endtime === undefined) return 'running';
  const isLate = Math.min(row.endtime, now) - row.starttime > timeout;
  if (isGoodEnding(row.status)) return isLate ? 'timeout' : 'ok';
  return isLate || STOPPED.test(row.status ?? '') ? 'timeout' : 'failed';
}

/** A log names no target: it is where the guest's next migration starts, or where the guest is now. */
function targetOf(entry: Entry, later: readonly Entry[], context: HistoryContext): string | undefined {
  const next = later[0]?.node ?? context.places.get(entry.vmid);
  return next === entry.node ? undefined : next;
}

function recordsOf(entries: readonly Entry[], context: HistoryContext): MigrationRecord[] {
  return entries.flatMap((entry, index) => {
    const later = entries.slice(index + 1);
    const { node, row, vmid } = entry;
    if (row.type === 'hamigrate') return haRecord(entry, later, context);
    const status = statusOf(entry, context);
    const to = isGoodEnding(row.status) ? targetOf(entry, later, context) : undefined;
    return [
      {
        vmid,
        from: node,
        ...(to === undefined ? {} : { to }),
        start: isoOf(row.starttime),
        ...(row.endtime === undefined ? {} : { end: isoOf(row.endtime) }),
        status,
        ...(row.endtime === undefined || isGoodEnding(row.status) ? {} : { error: row.status ?? '' }),
      },
    ];
  });
}

/** Pure. Oldest first for each guest. */
export function migrationsOf(tasks: readonly NodeTasks[], context: HistoryContext): MigrationRecord[] {
  const byGuest = new Map<number, Entry[]>();
  for (const { node, rows } of tasks) {
    for (const row of rows) {
      if (!MIGRATIONS.has(row.type) || !/^\d{3,9}$/.test(row.id)) continue;
      const vmid = Number(row.id);
      const list = byGuest.get(vmid) ?? [];
      byGuest.set(vmid, list);
      list.push({ node, row, vmid });
    }
  }
  return [...byGuest.values()].flatMap((entries) =>
    recordsOf(
      entries.sort((a, b) => a.row.starttime - b.row.starttime || (a.row.upid < b.row.upid ? -1 : 1)),
      context,
    ),
  );
}

export function historyGone(tasks: readonly NodeTasks[]): Record<string, string> {
  return Object.fromEntries(
    tasks.flatMap(({ node, goneBefore }) =>
      goneBefore === undefined ? [] : [[node, isoOf(goneBefore)] as const],
    ),
  );
}
