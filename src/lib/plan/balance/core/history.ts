/** What the task logs say of past and present migrations: cooldown, blacklist, what is under way. */
import { groupBy } from '../../../group.ts';
import type { BalanceConfig } from '../../../config/balance/types.ts';
import { compareText } from '../../../order.ts';
import type { BalanceInventory, MigrationRecord } from '../../../inventory/balance-types.ts';

interface GuestHistory {
  /** A task that works on the guest now, e.g. `qmigrate`. */
  readonly busy?: string;
  /** Its latest successful move within the cooldown. */
  readonly moved?: MigrationRecord;
  /** Nodes it left within the cooldown. */
  readonly left: readonly string[];
  /** Its last migration, when that failed within the blacklist's time. */
  readonly failed?: MigrationRecord;
  /** How often it failed in a row within that time. */
  readonly failures: number;
}

export interface History {
  readonly of: ReadonlyMap<number, GuestHistory>;
  readonly inFlight: readonly MigrationRecord[];
  /** ISO time; before it some node's log is gone although cooldown or blacklist reach further back. */
  readonly goneBefore?: string;
}

function endOf({ start, end }: MigrationRecord): number {
  return Date.parse(end ?? start);
}

/** The latest first. Whatever the order they were read in: PVE's logs have whole seconds, and a failure is looked at first. */
function compareEnds(a: MigrationRecord, b: MigrationRecord): number {
  const rest = ({ status, from, to = '', error = '' }: MigrationRecord): string =>
    [status, from, to, error].join(' ');
  return endOf(b) - endOf(a) || compareText(b.start, a.start) || compareText(rest(a), rest(b));
}

function goneBefore({ now, historyFrom }: BalanceInventory, config: BalanceConfig): string | undefined {
  const wanted = Date.parse(now) - Math.max(config.cooldown, config.blacklist) * 1000;
  const latest = Object.values(historyFrom).sort(compareText).at(-1);
  return latest !== undefined && Date.parse(latest) > wanted ? latest : undefined;
}

function ofGuest(
  records: readonly MigrationRecord[],
  busy: string | undefined,
  { now, config }: { now: number; config: BalanceConfig },
): GuestHistory {
  const finished = records.filter(({ status }) => status !== 'running').sort(compareEnds);
  const [last] = finished;
  const recent = finished.filter(
    (record) => record.status === 'ok' && endOf(record) > now - config.cooldown * 1000,
  );
  const known = finished.filter((record) => endOf(record) > now - config.blacklist * 1000);
  const firstOk = known.findIndex(({ status }) => status === 'ok');
  const failures = firstOk < 0 ? known.length : firstOk;
  const [moved] = recent;
  return {
    ...(busy === undefined ? {} : { busy }),
    ...(moved ? { moved } : {}),
    left: recent.map(({ from }) => from),
    ...(last && failures > 0 ? { failed: last } : {}),
    failures,
  };
}

export function indexHistory(have: BalanceInventory, config: BalanceConfig): History {
  const records = groupBy(have.migrations, ({ vmid }) => vmid);
  const inFlight = have.migrations
    .filter(({ status }) => status === 'running')
    .sort((a, b) => a.vmid - b.vmid || compareText(a.start, b.start));
  const busy = new Map<number, string>(inFlight.map(({ vmid }) => [vmid, 'migration']));
  for (const { id, type } of have.tasks) if (/^\d+$/.test(id)) busy.set(Number(id), type);
  const now = Date.parse(have.now);
  const of = new Map<number, GuestHistory>();
  for (const vmid of new Set([...records.keys(), ...busy.keys()])) {
    of.set(vmid, ofGuest(records.get(vmid) ?? [], busy.get(vmid), { now, config }));
  }
  const gone = goneBefore(have, config);
  return { of, inFlight, ...(gone === undefined ? {} : { goneBefore: gone }) };
}
