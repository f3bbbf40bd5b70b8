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
  /** Its last migration that failed within the blacklist's time, and not by a target's fault. */
  readonly failed?: Migration;
  /** Targets that are to blame for failures of its own within that time. */
  readonly avoid: ReadonlyMap<string, Migration>;
  /** How often it failed in a row within that time. */
  readonly failures: number;
}

export interface History {
  readonly of: ReadonlyMap<number, GuestHistory>;
  readonly inFlight: readonly Migration[];
  /** Nodes towards which several guests failed within the blacklist's time: the latest of these failures. */
  readonly blamed: ReadonlyMap<string, Migration>;
  /** `node storage` → its latest failure within that time. */
  readonly blamedStorages: ReadonlyMap<string, Migration>;
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
  const rest = ({ status, from = '', to = '', error = '' }: Migration): string =>
    [status, from, to, error].join(' ');
  return endOf(b) - endOf(a) || compareText(b.start, a.start) || compareText(rest(a), rest(b));
}

function goneBefore({ now, historyFrom }: Records, config: Policy): string | undefined {
  const wanted = Date.parse(now) - Math.max(config.cooldown, config.blacklist) * 1000;
  const latest = Object.values(historyFrom).sort(compareText).at(-1);
  return latest !== undefined && Date.parse(latest) > wanted ? latest : undefined;
}

type Failure = Migration & { readonly to: string };

/** Failures that name their target, unless somebody has arrived there since. The latest first. */
function failuresTowards(migrations: readonly Migration[], since: number): Failure[] {
  const finished = migrations.filter((one) => one.status !== 'running').sort(compareEnds);
  const arrived = new Map<string, number>();
  for (const one of finished)
    if (one.status === 'ok' && one.to !== undefined)
      arrived.set(one.to, Math.max(arrived.get(one.to) ?? 0, endOf(one)));
  return finished.flatMap((one) => {
    const { to, status } = one;
    if (to === undefined || status === 'ok' || one.blames === 'guest') return [];
    return endOf(one) > Math.max(since, arrived.get(to) ?? 0) ? [{ ...one, to }] : [];
  });
}

/** One guest may be the reason itself; two are not. */
function blamedNodes(failures: readonly Failure[]): Map<string, Migration> {
  const towards = groupBy(
    failures.filter(({ blames, storage }) => blames !== 'storage' || storage === undefined),
    ({ to }) => to,
  );
  return new Map(
    [...towards].flatMap(([node, list]) => {
      const [latest] = list;
      return latest && new Set(list.map(({ vmid }) => vmid)).size > 1 ? [[node, latest] as const] : [];
    }),
  );
}

interface Frame {
  readonly now: number;
  readonly config: Policy;
  readonly blamed: ReadonlyMap<string, Migration>;
}

/** The target is to blame, not the guest. */
function isExcused({ to, blames }: Migration, { blamed }: Frame): boolean {
  return to !== undefined && blames !== 'guest' && (blames !== undefined || blamed.has(to));
}

function ofGuest(records: readonly Migration[], busy: string | undefined, frame: Frame): GuestHistory {
  const { now, config } = frame;
  const finished = records.filter(({ status }) => status !== 'running').sort(compareEnds);
  const recent = finished.filter(
    (record) => record.status === 'ok' && endOf(record) > now - config.cooldown * 1000,
  );
  const known = finished.filter((record) => endOf(record) > now - config.blacklist * 1000);
  const firstOk = known.findIndex(({ status }) => status === 'ok');
  const failures = firstOk < 0 ? known.length : firstOk;
  const [moved] = recent;
  const failed = known.slice(0, failures).find((record) => !isExcused(record, frame));
  const excused = failuresTowards(records, now - config.blacklist * 1000).filter((one) =>
    isExcused(one, frame),
  );
  return {
    ...(busy === undefined ? {} : { busy }),
    ...(moved ? { moved } : {}),
    left: recent.flatMap(({ from }) => from ?? []),
    ...(failed ? { failed } : {}),
    avoid: new Map(excused.reverse().map((record) => [record.to, record])),
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
  const failures = failuresTowards(have.migrations, now - config.blacklist * 1000);
  const blamed = blamedNodes(failures);
  const of = new Map<number, GuestHistory>();
  for (const vmid of new Set([...records.keys(), ...busy.keys()])) {
    of.set(vmid, ofGuest(records.get(vmid) ?? [], busy.get(vmid), { now, config, blamed }));
  }
  const gone = goneBefore(have, config);
  const blamedStorages = new Map(
    failures
      .flatMap((one) => (one.storage === undefined ? [] : [[`${one.to} ${one.storage}`, one] as const]))
      .reverse(),
  );
  return { of, inFlight, blamed, blamedStorages, ...(gone === undefined ? {} : { goneBefore: gone }) };
}
