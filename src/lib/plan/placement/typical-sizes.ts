/** What machines of a lab have where its file is not at hand: what most stands have, which no one student moves. Places nothing. */
import { addTo } from '../../group.ts';
import type { GuestInfo } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import { machinesIn } from '../stands/judge.ts';

export interface Promised {
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
}

/** Where a VM stands in its claim. */
export interface Place {
  readonly pool: string;
  readonly lab: string;
  readonly at: number;
}

/** VMs of stands, by VMID. */
export function standPlaces(index: ClusterView): Map<number, Place> {
  const places = new Map<number, Place>();
  for (const pool of index.marks.keys()) {
    for (const { lab, at, guest } of machinesIn(pool, index)) places.set(guest.vmid, { pool, lab, at });
  }
  return places;
}

/** So many stands tell what a lab gives; one of fewer might be the one that was changed. */
const ENOUGH_STANDS = 3;

interface Typical {
  readonly size: Promised;
  readonly isCertain: boolean;
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1] ?? 0;
}

/** Of all stands' the middle. `lab`: one of which the file is at hand; it is left out. */
export function typicalSizes(
  places: ReadonlyMap<number, Place>,
  { index, lab: own }: { readonly index: ClusterView; readonly lab: string },
): (place: Pick<Place, 'lab' | 'at'>) => Typical | undefined {
  const found = new Map<string, GuestInfo[]>();
  for (const [vmid, { lab, at }] of places) {
    const guest = index.guests.get(vmid);
    if (lab === own || !guest || guest.memory === 0) continue;
    addTo(found, `${lab} ${at}`, guest);
  }
  const typical = new Map<string, Typical>();
  for (const [key, guests] of found) {
    const size = {
      memory: middle(guests.map(({ memory }) => memory)),
      cpus: middle(guests.map(({ cpus }) => cpus)),
    };
    typical.set(key, { size, isCertain: guests.length >= ENOUGH_STANDS });
  }
  return ({ lab, at }) => typical.get(`${lab} ${at}`);
}
