/** Loads averaged over a window, out of what PVE records itself. Reads; judges nothing. */
import { isGuestKind, type GuestKind } from '../pve-values/guest-kinds.ts';
import { parseTags } from '../pve-values/tags.ts';
import type { BalanceGuest, BalanceNode } from './balance-types.ts';
import type { RrdPoint } from '../proxmox/balance-types.ts';
import type { PveApi, ResourceRow } from '../proxmox/types.ts';
import { unlessRefused } from './forbidden.ts';
import { PARALLEL_READS } from './parallel.ts';
import { toGuest, toNode } from './rows.ts';
import pMap from 'p-map';

/** What the averages are taken over. */
export interface LoadScope {
  /** Seconds. */
  readonly window: number;
  /** The server's, in seconds. */
  readonly now: number;
  readonly signal: AbortSignal | undefined;
}

type Measured = 'cpu' | 'memory' | 'arc' | 'loadavg' | 'cpuPressure' | 'memoryPressure';
type Averages = Partial<Record<Measured, number>>;

const HOUR = 3600;
/** Points of the hour cover a minute, those of the day half an hour. */
const MINUTE = 60;

function averageOf(points: readonly RrdPoint[], key: Measured): number | undefined {
  const values = points.flatMap((point) => point[key] ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Pure. Of the points inside the window; a key that no point has is absent. */
export function averages(points: readonly RrdPoint[], { window, now }: Omit<LoadScope, 'signal'>): Averages {
  // The newest points may still be empty, and the clock of the statistics is a minute behind.
  const inside = points.filter(({ time }) => time > now - window - MINUTE && time <= now + MINUTE);
  const keys: Measured[] = ['cpu', 'memory', 'arc', 'loadavg', 'cpuPressure', 'memoryPressure'];
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = averageOf(inside, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function spanOf({ window }: LoadScope): 'hour' | 'day' {
  return window > HOUR ? 'day' : 'hour';
}

function withLoad(node: BalanceNode, load: Averages, status: Partial<BalanceNode>): BalanceNode {
  const { cpu = node.cpu, memory = node.memoryUsed, arc, loadavg, cpuPressure, memoryPressure } = load;
  const perCore = loadavg === undefined || node.cpus === 0 ? undefined : loadavg / node.cpus;
  return {
    ...node,
    ...status,
    cpu,
    // ZFS's cache gives way: what cannot be freed is the load.
    memoryUsed: Math.max(memory - (arc ?? 0), 0),
    ...(arc === undefined ? {} : { arcKnown: true }),
    ...(perCore === undefined ? {} : { loadPerCore: perCore }),
    ...(cpuPressure === undefined || memoryPressure === undefined
      ? {}
      : { pressure: { cpu: cpuPressure, memory: memoryPressure } }),
  };
}

/** Two calls per node that is online. `instant`: nodes of which only the last value is known. */
export async function readNodes(
  pve: PveApi,
  rows: readonly ResourceRow[],
  { haStates, ...scope }: LoadScope & { readonly haStates: Readonly<Record<string, string>> },
): Promise<{ readonly nodes: BalanceNode[]; readonly instant: readonly string[] }> {
  const instant: string[] = [];
  const nodes = await pMap(
    rows.filter((row) => row.type === 'node'),
    async (row): Promise<BalanceNode> => {
      const node = toNode(row, haStates);
      if (!node.online) return node;
      const [points, status] = await Promise.all([
        unlessRefused(pve.nodeHistory(node.name, spanOf(scope), scope.signal), undefined),
        unlessRefused(pve.nodeStatus(node.name, scope.signal), undefined),
      ]);
      const load = averages(points ?? [], scope);
      if (load.cpu === undefined) instant.push(node.name);
      const isUnknown =
        node.memoryTotal === 0 ||
        (row.cpu ?? load.cpu) === undefined ||
        (row.mem ?? load.memory) === undefined;
      return withLoad(node, load, { ...status, ...(isUnknown ? { loadUnknown: true } : {}) });
    },
    { concurrency: PARALLEL_READS },
  );
  return { nodes, instant: instant.sort() };
}

/** With the loads of the last 10 s. */
export function toBalanceGuest(row: ResourceRow, type: GuestKind): BalanceGuest {
  const guest = toGuest(row, type);
  const isRunning = guest.status !== 'stopped';
  const isUnknown =
    guest.status === 'running' &&
    (row.cpu === undefined || (row.memhost ?? row.mem) === undefined || guest.memory === 0);
  return {
    ...guest,
    cpu: isRunning ? (row.cpu ?? 0) : 0,
    memoryUsed: isRunning ? (row.memhost ?? row.mem ?? 0) : 0,
    tags: parseTags(row.tags),
    ...(row.hastate === undefined ? {} : { haState: row.hastate }),
    ...(isUnknown ? { loadUnknown: true } : {}),
  };
}

/** pvestatd writes a generation every 10 s and keeps half an hour of them (pve-manager PVE/PullMetric.pm). */
const GENERATION = 10;
const KEPT = 1800;
/** Lines that one guest has in a generation. */
const LINES = 10;
/** About 30 MB of JSON; beyond, averages are read for the few guests that matter only. */
const MOST_LINES = 250_000;

/**
 * Averages of all guests in one call, where the version has it (8.3) and the answer stays bearable. Undefined: not so;
 * the loads stay those of the last 10 s.
 */
export async function readGuestLoads(
  pve: PveApi,
  guests: readonly BalanceGuest[],
  { window, now, signal }: LoadScope,
  gap: (why: string) => void,
): Promise<readonly BalanceGuest[] | undefined> {
  const span = Math.min(window, KEPT);
  const running = guests.filter((guest) => guest.status === 'running').length;
  if (((running * span) / GENERATION) * LINES > MOST_LINES) return undefined;
  const metrics = await unlessRefused(pve.metricsSince(Math.floor(now - span), signal), undefined, gap);
  if (!metrics) return undefined;
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { id, metric, value } of metrics) {
    if (metric !== 'cpu_current' && metric !== 'mem_used') continue;
    const key = `${id} ${metric}`;
    const entry = sums.get(key) ?? { sum: 0, count: 0 };
    sums.set(key, entry);
    entry.sum += value;
    entry.count += 1;
  }
  const mean = (key: string): number | undefined => {
    const entry = sums.get(key);
    return entry && entry.sum / entry.count;
  };
  return guests.map((guest) => {
    if (guest.status === 'stopped') return guest;
    const id = `${guest.type}/${guest.vmid}`;
    return withAverages(guest, { cpu: mean(`${id} cpu_current`), memory: mean(`${id} mem_used`) });
  });
}

/** What the guest takes of the host (9) is more than what it says it uses, and is kept. */
function withAverages(
  guest: BalanceGuest,
  { cpu, memory }: { readonly cpu: number | undefined; readonly memory: number | undefined },
): BalanceGuest {
  const { loadUnknown, ...rest } = guest;
  const isKnown = cpu !== undefined && memory !== undefined && guest.memory > 0;
  return {
    ...rest,
    ...(loadUnknown === undefined || isKnown ? {} : { loadUnknown }),
    cpu: cpu ?? guest.cpu,
    memoryUsed: Math.max(memory ?? 0, guest.memoryUsed),
  };
}

/** One call: for the guests that may move, where `readGuestLoads` gave nothing. */
export async function readGuestLoad(
  pve: PveApi,
  guest: BalanceGuest,
  scope: LoadScope,
): Promise<BalanceGuest> {
  if (guest.status === 'stopped') return guest;
  const points = await unlessRefused(pve.guestHistory(guest, spanOf(scope), scope.signal), undefined);
  const { cpu, memory } = averages(points ?? [], scope);
  return withAverages(guest, { cpu, memory });
}

export function isGuest(row: ResourceRow): row is ResourceRow & { readonly type: GuestKind } {
  return isGuestKind(row.type);
}
