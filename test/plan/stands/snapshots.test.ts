/** Whose a snapshot is: a mark counts for the machine that it names, wherever it was copied to. */
import { expect, test } from 'vitest';
import { formatSnapshotMark } from '../../../src/lib/marks/snapshot.ts';
import { ownerOf } from '../../../src/lib/plan/stands/snapshots.ts';

test.each([
  ['ours', 10_000, false, 'ours'],
  ['its baseline', 10_000, true, 'baseline'],
  ['copied from another machine', 10_001, false, 'student'],
  ['a baseline, copied', 10_001, true, 'student'],
] as const)('%s', (_, vmid, isBaseline, owner) => {
  const description = formatSnapshotMark({ lab: 'net', vmid, isBaseline });
  expect(ownerOf({ name: 'one', description, withMemory: false }, 10_000, 'baseline')).toBe(owner);
});
