import { expect, test } from 'vitest';
import type { SnapshotReport } from '../../src/lib/plan/day-two/snapshot-list.ts';
import { renderSnapshots } from '../../src/lib/render/snapshots-text.ts';

const snapshot = {
  name: 'baseline',
  owner: 'baseline',
  ageSeconds: 7260,
  withMemory: true,
  memoryBytes: 2 ** 32,
};
const report = {
  lacking: [],
  machines: [
    { user: 'galina@pve', lab: 'net', machine: 'srv', vmid: 10_000, node: 'pve1', snapshots: [snapshot] },
  ],
} as unknown as SnapshotReport;

test('a narrow terminal holds the list, with userids in one piece', () => {
  const lines = renderSnapshots(report, { width: 60, color: false }).split('\n');
  expect(lines[2]).toMatch(/^ {2}galina@pve {2}srv /);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60);
  expect(renderSnapshots(report, { width: 100, color: false })).toContain('10000  pve1');
});
