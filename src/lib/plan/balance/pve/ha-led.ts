/**
 * Whom HA takes off a node in maintenance by itself, and cannot, since a bridge is missing where it wants them: it tries
 * again every few seconds, for ever. Nobody has to ask it for a move then; it lacks the bridge.
 */
import { groupBy } from '../../../group.ts';
import { compareText, sortedUnique } from '../../../order.ts';
import { isRunning } from '../core/load.ts';
import type { BalanceGuest, BalanceInventory, MigrationRecord } from '../../../inventory/balance-types.ts';

interface HaLed {
  readonly to: string;
  readonly bridge: string;
}

/** Guest → where HA wants it. */
export type LedGuests = ReadonlyMap<number, HaLed>;

/** HA chooses anew for each try; what it wanted longer ago says nothing. */
const CURRENT_MS = 600_000;

function wishOf(guest: BalanceGuest, records: readonly MigrationRecord[], now: string): [number, HaLed][] {
  const { vmid, node, ha, type } = guest;
  // A container is moved while it is down, and fails at its start there.
  if (!ha || type === 'lxc' || !isRunning(guest)) return [];
  const [last] = records
    .filter(({ by, from, to, end }) => by === 'ha' && from === node && to !== undefined && end !== undefined)
    .sort((a, b) => compareText(b.start, a.start));
  if (last?.to === undefined || last.bridge === undefined) return [];
  const isCurrent = Date.parse(now) - Date.parse(last.end ?? last.start) < CURRENT_MS;
  return isCurrent ? [[vmid, { to: last.to, bridge: last.bridge }]] : [];
}

/** Only of nodes that are to be emptied: for balance alone HA is none of our business. */
export function ledByHa(
  { nodes, guests, migrations, now }: BalanceInventory,
  evacuate: readonly string[],
): LedGuests {
  const left = new Set(nodes.flatMap(({ name, maintenance }) => (maintenance ? [name] : [])));
  const emptied = new Set(evacuate.filter((name) => left.has(name)));
  if (emptied.size === 0) return new Map();
  const records = groupBy(migrations, ({ vmid }) => vmid);
  return new Map(
    guests
      .filter(({ node }) => emptied.has(node))
      .flatMap((guest) => wishOf(guest, records.get(guest.vmid) ?? [], now)),
  );
}

/** Without the tries for which there was no bridge: nothing is under way by them, and they are no lesson once it is there. */
export function withoutVainTries(
  migrations: readonly MigrationRecord[],
  led: LedGuests,
): readonly MigrationRecord[] {
  return migrations.filter(
    ({ vmid, by, bridge, status }) =>
      by !== 'ha' || !led.has(vmid) || (bridge === undefined && status !== 'running'),
  );
}

/** What HA is at, for people; one line per bridge. */
export function ledNotes(led: LedGuests): string[] {
  const byBridge = groupBy(led, ([, { to, bridge }]) => `${bridge} is missing on ${to}`);
  return sortedUnique(byBridge.keys()).map((what) => {
    const vmids = (byBridge.get(what) ?? []).map(([vmid]) => vmid).sort((a, b) => a - b);
    return `${what}, so that HA tries in vain to take ${vmids.join(', ')} there`;
  });
}
