/**
 * The mark of a snapshot, in its description. Students may edit it, so that it proves nothing against them: what has none
 * is theirs, and what they mark themselves they give away.
 */
import { MARK, parseFields } from './fields.ts';

export interface SnapshotMark {
  readonly lab: string;
  readonly vmid: number;
  /** The state that the machine was handed out in: `reset` goes back to it. */
  readonly isBaseline: boolean;
}

export function formatSnapshotMark({ lab, vmid, isBaseline }: SnapshotMark): string {
  return `${MARK} snapshot lab=${lab} vmid=${vmid}${isBaseline ? ' baseline' : ''}`;
}

export function parseSnapshotMark(description: string): SnapshotMark | undefined {
  const line = description.split('\n').find((text) => text.startsWith(`${MARK} snapshot `));
  if (line === undefined) return undefined;
  const { lab, vmid } = parseFields(line);
  if (!lab || vmid === undefined || !/^\d{1,9}$/.test(vmid)) return undefined;
  return { lab, vmid: Number(vmid), isBaseline: line.split(/\s+/).includes('baseline') };
}
