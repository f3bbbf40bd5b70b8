/** Reads an installation of VMmanager 6 for balance: lists once, histories of the few that may move. Writes nothing. */
import pMap from 'p-map';
import { groupBy } from '../group.ts';
import { VmmanagerError } from '../vmmanager/errors.ts';
import type { MigrationRow, Rows, UnreadRow, VmmanagerApi, VmmanagerNode } from '../vmmanager/types.ts';
import type { MigrationRecord, Veto } from './balance-types.ts';
import type { SeenNode, VmmanagerInventory, VmmanagerNeeds } from './vmmanager-types.ts';
import { momentIn } from './zone-time.ts';

const AT_ONCE = 4;
const MINUTE = 60_000;
/** A row of the history and a record of our own that are closer than this are about one migration. */
const SAME_MS = 15 * MINUTE;
/** Clocks differ a little. */
const AHEAD_MS = 5 * MINUTE;

export interface ReadOptions {
  readonly timeZone: string;
  /** Seconds after which a migration that has not ended counts as timed out. */
  readonly migrationTimeout: number;
  /** What runs of this program know of earlier migrations. */
  readonly remembered: readonly MigrationRecord[];
  /** All of them since long enough ago: where the installation has no history, these are it. */
  readonly isComplete: boolean;
  readonly signal: AbortSignal;
}

/** So many are named, row by row. */
const MOST_NAMED = 5;

function unreadGaps(what: string, { unread }: Rows<unknown>, told: (row: UnreadRow) => string): string[] {
  const more = unread.length - MOST_NAMED;
  return [
    ...unread
      .slice(0, MOST_NAMED)
      .map((row) => (row.id === undefined ? `a row of the list of ${what} cannot be read` : told(row))),
    ...(more > 0 ? [`${more} more rows of the list of ${what} cannot be read`] : []),
  ];
}

const labelOf = ({ id, name }: UnreadRow): string => (name === undefined ? `${id}` : `${id} (${name})`);

const NOTHING_MOVES = 'nothing leaves it, and nothing goes there';

/** What is too little to judge a node by. */
function sizeGaps(nodes: readonly SeenNode[]): string[] {
  return nodes.flatMap(({ name, cpus, memoryTotal }) => {
    if (cpus === undefined) return [`the CPUs of node ${name} are not told: ${NOTHING_MOVES}`];
    return memoryTotal === undefined ? [`the memory of node ${name} is not told: ${NOTHING_MOVES}`] : [];
  });
}

/** Two nodes of one name are told apart by their numbers. */
function nodeNames(nodes: readonly VmmanagerNode[]): Map<number, string> {
  const byName = groupBy(nodes, ({ name }) => name);
  return new Map(
    nodes.map(({ id, name }) => [id, (byName.get(name)?.length ?? 0) > 1 ? `${name}#${id}` : name]),
  );
}

export async function readInstallation(
  vmmanager: VmmanagerApi,
  signal: AbortSignal,
): Promise<VmmanagerInventory> {
  const [clusters, nodes, guests] = await Promise.all([
    vmmanager.clusters(signal),
    vmmanager.nodes(signal),
    vmmanager.guests(signal),
  ]);
  const names = nodeNames(nodes.rows);
  const known = new Set(nodes.rows.map(({ id }) => id));
  const unread = new Set(guests.unread.map(({ node }) => node));
  const seen = nodes.rows.map((node): SeenNode => ({
    ...node,
    name: names.get(node.id) ?? node.name,
    ...(unread.has(node.id) ? { hasUnread: true as const } : {}),
  }));
  const guestGap = ({ node, ...row }: UnreadRow): string => {
    const home = node === undefined ? undefined : names.get(node);
    return home === undefined
      ? `VM ${labelOf(row)} cannot be read, and is left alone`
      : `VM ${labelOf(row)} on node ${home} cannot be read: ${NOTHING_MOVES}`;
  };
  const lost = guests.rows.filter(({ node }) => !known.has(node)).length;
  return {
    now: vmmanager.serverTime().toISOString(),
    clusters: clusters.rows,
    nodes: seen,
    guests: guests.rows,
    ...{ migrations: [], historyOf: [], targetsOf: [], vetoes: [] },
    gaps: [
      ...unreadGaps('clusters', clusters, (row) => `cluster ${labelOf(row)} cannot be read`),
      ...unreadGaps('nodes', nodes, (row) => `node ${labelOf(row)} cannot be read: ${NOTHING_MOVES}`),
      ...unreadGaps('virtual machines', guests, guestGap),
      ...sizeGaps(seen),
      ...(lost === 0 ? [] : [`${lost} virtual machines are on nodes that are not listed`]),
    ],
  };
}

interface Histories {
  readonly records: readonly MigrationRecord[];
  readonly vetoes: readonly Veto[];
  readonly gaps: readonly string[];
}

function isLong(start: number, now: number, { migrationTimeout }: ReadOptions): boolean {
  return now - start > migrationTimeout * 1000;
}

/** A clock was set back since, and nobody knows how long ago that was. One under way is waited for as long as it may take. */
function isToCome({ start, status }: MigrationRecord, now: number, options: ReadOptions): boolean {
  const margin = status === 'running' ? options.migrationTimeout * 1000 : AHEAD_MS;
  return Date.parse(start) > now + margin;
}

/** Where the installation's list does not reach, ours is all that is known. */
function ownRecord(record: MigrationRecord, now: number, options: ReadOptions): MigrationRecord {
  const isOver = record.status === 'running' && isLong(Date.parse(record.start), now, options);
  return isOver ? { ...record, status: 'timeout' } : record;
}

/** The installation's word on how it ended, ours on whence and where to. */
function recordsOf(
  vmid: number,
  rows: readonly MigrationRow[],
  { now, options }: { readonly now: number; readonly options: ReadOptions },
): { readonly records: MigrationRecord[]; readonly ahead: number } {
  const own = options.remembered.filter((record) => record.vmid === vmid);
  const used = new Set<MigrationRecord>();
  let ahead = 0;
  const records = rows.map(({ created, state }): MigrationRecord => {
    const written = momentIn(created, options.timeZone) ?? now;
    ahead = Math.max(ahead, written - now);
    const start = Math.min(written, now);
    const same = own.find((one) => !used.has(one) && Math.abs(Date.parse(one.start) - start) < SAME_MS);
    if (same) used.add(same);
    const began = same ? Date.parse(same.start) : start;
    const status = state === 'running' && isLong(began, now, options) ? 'timeout' : state;
    return {
      ...(same ?? { vmid }),
      start: new Date(began).toISOString(),
      status,
    };
  });
  // One that was ordered a moment ago may not be in the list yet.
  const pending = own.filter(
    (one) => !used.has(one) && (one.status !== 'running' || now - Date.parse(one.start) < SAME_MS),
  );
  return { records: [...records, ...pending], ahead };
}

async function readHistories(
  vmmanager: VmmanagerApi,
  ids: readonly number[],
  given: ReadOptions,
): Promise<Histories> {
  const records: MigrationRecord[] = [];
  const vetoes: Veto[] = [];
  let ahead = 0;
  let reason = '';
  const now = vmmanager.serverTime().getTime();
  const remembered = given.remembered.filter((one) => !isToCome(one, now, given));
  const options = { ...given, remembered };
  await pMap(
    ids,
    async (vmid) => {
      try {
        const rows = await vmmanager.migrations(vmid, options.signal);
        const found = recordsOf(vmid, rows, { now, options });
        records.push(...found.records);
        ahead = Math.max(ahead, found.ahead);
      } catch (error) {
        if (!(error instanceof VmmanagerError) || error.status === 401) throw error;
        reason = error.message;
        const own = options.remembered.filter((record) => record.vmid === vmid);
        records.push(...own.map((record) => ownRecord(record, now, options)));
        if (!options.isComplete) vetoes.push({ vmid, reason: 'its history of migrations cannot be read' });
      }
    },
    { concurrency: AT_ONCE },
  );
  const hint = options.isComplete
    ? 'the state file takes its place'
    : 'its guests are left alone; --state-file FILE keeps a history of its own';
  return {
    ...{ records, vetoes },
    gaps: [
      ...(reason === '' ? [] : [`the history of migrations cannot be read (${reason}): ${hint}`]),
      ...(remembered.length < given.remembered.length
        ? ['what is remembered has migrations of a time to come, which do not count: a clock was set back']
        : []),
      ...(ahead > AHEAD_MS
        ? [
            `the history is ${Math.round(ahead / (30 * MINUTE)) / 2} h ahead of ${options.timeZone}: set time_zone of the connection`,
          ]
        : []),
    ],
  };
}

/** What VMmanager itself says of targets; nothing where the version does not tell. */
async function readTargets(
  vmmanager: VmmanagerApi,
  ids: readonly number[],
  { nodes, signal }: { readonly nodes: VmmanagerInventory['nodes']; readonly signal: AbortSignal },
): Promise<readonly Veto[]> {
  const names = new Map(nodes.map(({ id, name }) => [id, name]));
  const words = await pMap(
    ids,
    async (vmid) => {
      const targets = await vmmanager.targets(vmid, signal);
      return (targets ?? []).flatMap(({ node, suitable }): Veto[] => {
        const target = names.get(node);
        if (suitable || target === undefined) return [];
        return [{ vmid, target, reason: 'VMmanager itself calls it not suitable' }];
      });
    },
    { concurrency: AT_ONCE },
  );
  return words.flat();
}

export async function readVmmanagerDetails(
  vmmanager: VmmanagerApi,
  have: VmmanagerInventory,
  { needs, options }: { readonly needs: VmmanagerNeeds; readonly options: ReadOptions },
): Promise<VmmanagerInventory> {
  const histories = await readHistories(vmmanager, needs.histories, options);
  const vetoes = await readTargets(vmmanager, needs.targets, { nodes: have.nodes, signal: options.signal });
  return {
    ...have,
    now: vmmanager.serverTime().toISOString(),
    migrations: [...have.migrations, ...histories.records],
    historyOf: [...have.historyOf, ...needs.histories],
    targetsOf: [...have.targetsOf, ...needs.targets],
    vetoes: [...have.vetoes, ...histories.vetoes, ...vetoes],
    gaps: [...new Set([...have.gaps, ...histories.gaps])],
  };
}
