/** Turns the nodes' task logs into the history of migrations: balance's only memory. Reads; decides nothing. */
import { MIGRATIONS } from '../pve-values/guest-kinds.ts';
import { isGoodEnding } from '../pve-values/task-status.ts';
import type { MigrationRecord } from './balance-types.ts';
import type { PveApi, TaskRow, Upid } from '../proxmox/types.ts';
import { migrationCause, wasStopped, type MigrationCause } from '../proxmox/words.ts';
import { AuthError, PveError, UnreachableError } from '../proxmox/errors.ts';
import { unlessUnread } from './forbidden.ts';
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

export interface HistoryContext {
  /** VMID → node, as of now. */
  readonly places: ReadonlyMap<number, string>;
  /** Guests that HA manages: what works on them as root@pam is HA. */
  readonly managed: ReadonlySet<number>;
  /** Is this account (`user@realm`, or a token of it) the caller's, or an operator's? */
  readonly isOurs: (user: string) => boolean;
  /** UPID → what the log of a task says that failed or is under way. */
  readonly causes: ReadonlyMap<Upid, MigrationCause>;
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

/** Seconds in which HA's manager starts what it was asked for: some rounds of 10 s, and its queue. */
const HA_PATIENCE = 300;

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** HA's local managers work as this account (ha-manager HA/LRM.pm). */
const HA_USER = 'root@pam';

/**
 * Who wanted a migration. Students migrate their machines, too, and in the same log: what they do says nothing about
 * a guest or a node. A request to HA is carried out by HA, some rounds later, on its asker's behalf.
 */
function originOf(entry: Entry, before: readonly Entry[], context: HistoryContext): 'us' | 'ha' | 'others' {
  const { row, node, vmid } = entry;
  if (row.type !== 'hamigrate' && row.user === HA_USER && context.managed.has(vmid)) {
    const request = before.findLast((one) => one.row.type === 'hamigrate' && one.node === node);
    if (request === undefined || row.starttime - request.row.starttime > HA_PATIENCE) return 'ha';
    return context.isOurs(request.row.user) ? 'us' : 'others';
  }
  return context.isOurs(row.user) ? 'us' : 'others';
}

/** What is under way keeps its guest busy, whoever wants it; of what has ended, only what we or HA wanted is history. */
function counts(entry: Entry, before: readonly Entry[], context: HistoryContext): boolean {
  return entry.row.endtime === undefined || originOf(entry, before, context) !== 'others';
}

/** The request to HA ends at once; what counts is the migration that HA starts for it. */
function haRecord(entry: Entry, later: readonly Entry[], context: HistoryContext): MigrationRecord[] {
  const { node, row, vmid } = entry;
  const isAnswered = later.some(({ row: { type }, node: where }) => type !== 'hamigrate' && where === node);
  if (isAnswered && isGoodEnding(row.status)) return [];
  const record = { vmid, from: node, start: isoOf(row.starttime) };
  const asked = context.causes.get(row.upid)?.target;
  if (row.endtime !== undefined && !isGoodEnding(row.status))
    return [{ ...record, end: isoOf(row.endtime), status: 'failed', error: row.status ?? '' }];
  const place = context.places.get(vmid);
  if (place !== undefined && place !== node)
    return [{ ...record, to: place, end: isoOf(row.endtime ?? row.starttime), status: 'ok' }];
  if (context.now - row.starttime < HA_PATIENCE)
    return [{ ...record, ...(asked === undefined ? {} : { to: asked }), status: 'running' }];
  const end = isoOf(row.starttime + HA_PATIENCE);
  return [{ ...record, end, status: 'failed', error: 'HA did not carry out the request' }];
}

function statusOf({ row }: Entry, { now, timeout }: HistoryContext): MigrationRecord['status'] {
  if (row.endtime === undefined) return 'running';
  const isLate = Math.min(row.endtime, now) - row.starttime > timeout;
  if (isGoodEnding(row.status)) return isLate ? 'timeout' : 'ok';
  return isLate || wasStopped(row.status ?? '') ? 'timeout' : 'failed';
}

/** HA tries the same again and again; only the latest logs of a guest are read, and speak for those before. */
function causeOf(
  entry: Entry,
  { before, later }: { readonly before: readonly Entry[]; readonly later: readonly Entry[] },
  context: HistoryContext,
): MigrationCause | undefined {
  const own = context.causes.get(entry.row.upid);
  if (own || entry.row.endtime === undefined || originOf(entry, before, context) !== 'ha') return own;
  const next = later.find(({ row: { upid } }) => context.causes.has(upid));
  const isSame = next?.node === entry.node && next.row.user === HA_USER && !isGoodEnding(next.row.status);
  return isSame ? context.causes.get(next.row.upid) : undefined;
}

/**
 * A row names no target. Of what arrived it is where the guest's next migration starts, or where the guest is now; of
 * what failed or is under way the log tells it.
 */
function targetOf(
  entry: Entry,
  later: readonly Entry[],
  { cause, context }: { readonly cause: MigrationCause | undefined; readonly context: HistoryContext },
): string | undefined {
  if (entry.row.endtime === undefined || !isGoodEnding(entry.row.status)) return cause?.target;
  const next = later[0]?.node ?? context.places.get(entry.vmid);
  return next === entry.node ? undefined : next;
}

function recordsOf(entries: readonly Entry[], context: HistoryContext): MigrationRecord[] {
  return entries.flatMap((entry, index) => {
    const later = entries.slice(index + 1);
    const { node, row, vmid } = entry;
    if (row.type === 'hamigrate') return counts(entry, [], context) ? haRecord(entry, later, context) : [];
    const status = statusOf(entry, context);
    const before = entries.slice(0, index);
    if (!counts(entry, before, context)) return [];
    const isGood = isGoodEnding(row.status);
    const told = causeOf(entry, { before, later }, context);
    const cause = row.endtime === undefined || isGood ? undefined : told;
    const to = targetOf(entry, later, { cause: told, context });
    return [
      {
        vmid,
        from: node,
        ...(to === undefined ? {} : { to }),
        start: isoOf(row.starttime),
        ...(row.endtime === undefined ? {} : { end: isoOf(row.endtime) }),
        status,
        ...(row.endtime === undefined || isGood ? {} : { error: cause?.words ?? row.status ?? '' }),
        ...(cause?.blames === undefined ? {} : { blames: cause.blames }),
        ...(cause?.storage === undefined ? {} : { storage: cause.storage }),
        ...(cause?.bridge === undefined ? {} : { bridge: cause.bridge }),
        ...(originOf(entry, before, context) === 'ha' ? { by: 'ha' as const } : {}),
      },
    ];
  });
}

/** Clocks of nodes differ by less. */
const AHEAD = 300;

/** It has ended, and yet it is to begin: a clock was set back since, and nobody knows how long ago that was. */
function isAhead({ starttime, endtime }: TaskRow, now: number): boolean {
  return endtime !== undefined && starttime > now + AHEAD;
}

/** Nodes that tell of migrations of a time that has not come. */
export function nodesAhead(tasks: readonly NodeTasks[], now: number): string[] {
  return tasks.flatMap(({ node, rows }) =>
    rows.some((row) => MIGRATIONS.includes(row.type) && isAhead(row, now)) ? [node] : [],
  );
}

/** By guest, oldest first. */
function entriesOf(tasks: readonly NodeTasks[], now: number): Map<number, Entry[]> {
  const byGuest = new Map<number, Entry[]>();
  for (const { node, rows } of tasks) {
    for (const row of rows) {
      if (!MIGRATIONS.includes(row.type) || !/^\d{3,9}$/.test(row.id) || isAhead(row, now)) continue;
      const vmid = Number(row.id);
      const list = byGuest.get(vmid) ?? [];
      byGuest.set(vmid, list);
      list.push({ node, row, vmid });
    }
  }
  for (const entries of byGuest.values())
    entries.sort((a, b) => a.row.starttime - b.row.starttime || (a.row.upid < b.row.upid ? -1 : 1));
  return byGuest;
}

/** Pure. Oldest first for each guest. */
export function migrationsOf(tasks: readonly NodeTasks[], context: HistoryContext): MigrationRecord[] {
  return [...entriesOf(tasks, context.now).values()].flatMap((entries) => recordsOf(entries, context));
}

/** HA tries again every few seconds: the last few of a guest tell what there is to tell. */
const LOGS_PER_GUEST = 4;
const MOST_LOGS = 60;
const LOG_LINES = 30;

/** What has no end yet; a request to HA has one before HA begins. */
function isUnderWay({ row: { type, starttime, endtime } }: Entry, now: number): boolean {
  return endtime === undefined || (type === 'hamigrate' && now - starttime < HA_PATIENCE);
}

/** One or two calls for each that is under way and for the latest failures that count. What cannot be read explains nothing. */
export async function readCauses(
  pve: PveApi,
  tasks: readonly NodeTasks[],
  { signal, ...context }: Omit<HistoryContext, 'causes'> & { readonly signal: AbortSignal | undefined },
): Promise<ReadonlyMap<Upid, MigrationCause>> {
  const known = { ...context, causes: new Map() };
  const all = [...entriesOf(tasks, context.now).values()];
  const underWay = all.flat().filter((entry) => isUnderWay(entry, context.now));
  const failed = all.flatMap((entries) =>
    entries
      .filter(({ row }) => row.type !== 'hamigrate' && row.endtime !== undefined && !isGoodEnding(row.status))
      .filter((entry) => !wasStopped(entry.row.status ?? ''))
      .filter((entry) => counts(entry, entries.slice(0, entries.indexOf(entry)), known))
      .slice(-LOGS_PER_GUEST)
      .map((entry, index, few) => ({ entry, rank: few.length - index })),
  );
  // The latest of each guest before the second latest of any.
  failed.sort((a, b) => a.rank - b.rank || b.entry.row.starttime - a.entry.row.starttime);
  const causes = await pMap(
    [...underWay, ...failed.slice(0, MOST_LOGS).map(({ entry }) => entry)],
    async ({ row: { upid } }): Promise<[Upid, MigrationCause][]> => {
      const log = await unlessUnread(pve.taskLogEnds(upid, LOG_LINES, signal), undefined);
      return log ? [[upid, migrationCause(log)]] : [];
    },
    { concurrency: PARALLEL_READS },
  );
  return new Map(causes.flat());
}

export function historyGone(tasks: readonly NodeTasks[]): Record<string, string> {
  return Object.fromEntries(
    tasks.flatMap(({ node, goneBefore }) =>
      goneBefore === undefined ? [] : [[node, isoOf(goneBefore)] as const],
    ),
  );
}
