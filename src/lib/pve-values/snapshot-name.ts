/** Which names snapshots can have. Knows none that exist. */

const NAME = /^[A-Za-z][A-Za-z0-9_-]{1,39}$/;
/** PVE keeps these for the present state, and for what waits for a start. */
const RESERVED = /^(current|pending)$/i;

export function isReservedSnapshotName(name: string): boolean {
  return RESERVED.test(name);
}

export function isSnapshotName(name: string): boolean {
  return NAME.test(name) && !isReservedSnapshotName(name);
}
