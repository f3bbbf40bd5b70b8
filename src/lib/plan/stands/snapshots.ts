/** Whose a snapshot is, and which one is the baseline: the one place that tells them apart. */
import type { Lab } from '../../config/types.ts';
import type { SnapshotInfo } from '../../inventory/types.ts';
import { parseSnapshotMark } from '../../marks/snapshot.ts';

/** `baseline`: of ours, the state that the machine was handed out in. */
export type SnapshotOwner = 'baseline' | 'ours' | 'student';

/** VMID → its snapshots, the oldest first; of those that are missing they cannot be read. */
export type SnapshotLists = ReadonlyMap<number, readonly SnapshotInfo[]>;

/** Machine → the name of its baseline, by the lab's file. */
export type Baselines = ReadonlyMap<string, string>;

/** What a lab calls it that says no more than that it wants one. */
const DEFAULT_BASELINE = 'baseline';

/** Did we take it, of this very machine? A mark that was copied from another one's says nothing. */
export function isOurs({ description }: Pick<SnapshotInfo, 'description'>, vmid: number): boolean {
  return parseSnapshotMark(description)?.vmid === vmid;
}

/** `baseline`: what the lab's file calls it; what deploy took before it marked snapshots is known by that. */
export function ownerOf(snapshot: SnapshotInfo, vmid: number, baseline: string | undefined): SnapshotOwner {
  const { name, description } = snapshot;
  if (isOurs(snapshot, vmid)) return parseSnapshotMark(description)?.isBaseline ? 'baseline' : 'ours';
  return name === baseline ? 'baseline' : 'student';
}

/**
 * Was it there before the stand was frozen? Until then its student may have made it what it is, mark and all; since then nobody
 * has. What is still being taken has no time, and is as little proof.
 */
export function isFromBefore({ time = 0 }: SnapshotInfo, frozen: string | undefined): boolean {
  return frozen === undefined || time * 1000 < Date.parse(frozen);
}

/** The one to go back to where none is named. */
export function baselineOf(
  snapshots: readonly SnapshotInfo[],
  vmid: number,
  baseline: string | undefined,
): string | undefined {
  const named = baseline === undefined ? undefined : snapshots.find(({ name }) => name === baseline);
  const marked = snapshots.findLast((one) => ownerOf(one, vmid, undefined) === 'baseline');
  return (named ?? marked ?? snapshots.find(({ name }) => name === DEFAULT_BASELINE))?.name;
}

/** Machine → what its lab calls the state that it is handed out in. */
export function baselinesOf(lab: Lab | undefined): Baselines {
  return new Map(
    (lab?.machines ?? []).flatMap(({ name, baselineSnapshot }) =>
      baselineSnapshot === undefined ? [] : [[name, baselineSnapshot] as const],
    ),
  );
}
