/** What machines used on average in the last hours: one call per machine. Judges nobody. */
import pMap from 'p-map';
import type { RrdPoint } from '../proxmox/balance-types.ts';
import type { PveApi } from '../proxmox/types.ts';
import { unlessUnread } from './forbidden.ts';
import { PARALLEL_READS } from './parallel.ts';
import type { GuestInfo } from './types.ts';

export interface Averages {
  readonly cpu: number;
  /** Bytes per second. */
  readonly network: number;
}

const AN_HOUR = 3600;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Undefined: of less than half of that time anything is known. */
function averageOf(points: readonly RrdPoint[], since: number): Averages | undefined {
  const recent = points.filter(({ time }) => time >= since);
  const known = recent.flatMap(({ cpu, network }) =>
    cpu === undefined || network === undefined ? [] : [{ cpu, network }],
  );
  if (known.length === 0 || known.length * 2 < recent.length) return undefined;
  return { cpu: mean(known.map(({ cpu }) => cpu)), network: mean(known.map(({ network }) => network)) };
}

/** `seconds`: up to a day. Whose statistics cannot be read is missing. */
export async function readAverages(
  { pve, hard }: { readonly pve: PveApi; readonly hard: AbortSignal | undefined },
  guests: readonly GuestInfo[],
  { seconds, now }: { readonly seconds: number; readonly now: number },
): Promise<Map<number, Averages>> {
  const span = seconds <= AN_HOUR ? 'hour' : 'day';
  const found = await pMap(
    guests,
    async (guest) => {
      const points = await unlessUnread(pve.guestHistory(guest, span, hard), []);
      const average = averageOf(points, now - seconds);
      return average ? [[guest.vmid, average] as const] : [];
    },
    { concurrency: PARALLEL_READS },
  );
  return new Map(found.flat());
}
