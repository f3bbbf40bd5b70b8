/** What is known of past and present migrations: cooldown, blacklist, what is under way. */
import { groupBy } from '../../../group.ts';
import { compareText } from '../../../order.ts';
import type { Migration, Policy } from './types.ts';

interface GuestHistory {
  /** A task that works on the guest now, in the platform's word. */
  readonly busy?: string;
  /** Its latest successful move within the cooldown. */
  readonly moved?: Migration;
  /** Nodes it left within the cooldown. */
  readonly left: readonly string[];
  /** Its last migration, when that failed within the blacklist's time. */
  readonly failed?: Migration;
  /** How often it failed in a row within that time. */
  readonly failures: number;
}

export interface History {
  readonly of: ReadonlyMap<number, GuestHistory>;
  readonly inFlight: readonly Migration[];
  /** ISO time; before it some node's log is gone although cooldown or blacklist reach further back. */
  readonly goneBefore?: string;
}

export interface Records {
  /** The platform's own time, ISO 8601 UTC. */
  readonly now: string;
  readonly migrations: readonly Migration[];
  /** What is being done to guests now, in the platform's word for it. */
  readonly tasks: ReadonlyMap<number, string>;
  /** ISO time before which migrations are not known, for nodes of which that is so. */
  readonly historyFrom: Readonly<Record<string, string>>;
}

function endOf({ start, end }: Migration): number {
  return Date.parse(end ?? start);
}

/** The latest first. Whatever the order they were read in: some logs have whole seconds only, and a failure is looked at first. */
function compareEnds(a: Migration, b: Migration): number {
  const rest = ({ status, from, to = '', error = '' }: Migration): string =>
    [status, from, to, error].join(' ');
  return endOf(b) - endOf(a) || compareText(b.start, a.start) || compareText(rest(a), rest(b));
}

function goneBefore({ now, historyFrom }: Records, config: Policy): string | undefined {
  const wanted = Date.parse(now) - Math.max(config.cooldown, config.blacklist) * 1000;
  const latest = Object.values(historyFrom).sort(compareText).at(-1);
  return latest !== undefined && Date.parse(latest) > wanted ? latest : undefined;
}

function ofGuest(
  records: readonly Migration[],
  busy: string | undefined,
  { now, config }: { now: number; config: Policy },
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

export function indexHistory(have: Records, config: Policy): History {
  const records = groupBy(have.migrations, ({ vmid }) => vmid);
  const inFlight = have.migrations
    .filter(({ status }) => status === 'running')
    .sort((a, b) => a.vmid - b.vmid || compareText(a.start, b.start));
  const busy = new Map<number, string>(inFlight.map(({ vmid }) => [vmid, 'migration']));
  for (const [vmid, task] of have.tasks) busy.set(vmid, task);
  const now = Date.parse(have.now);
  const of = new Map<number, GuestHistory>();
  for (const vmid of new Set([...records.keys(), ...busy.keys()])) {
    of.set(vmid, ofGuest(records.get(vmid) ?? [], busy.get(vmid), { now, config }));
  }
  const gone = goneBefore(have, config);
  return { of, inFlight, ...(gone === undefined ? {} : { goneBefore: gone }) };
}
