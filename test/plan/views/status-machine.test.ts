/** What is wrong with a machine, by how it is and whether somebody is at work on it. */
import { expect, test } from 'vitest';
import type { GuestInfo } from '../../../src/lib/inventory/types.ts';
import type { StandMachine, StandView } from '../../../src/lib/plan/stands/selected.ts';
import { machineProblems } from '../../../src/lib/plan/views/status-machine.ts';
import { guest } from '../builders.ts';

const VIEW = { user: 'anna@pve', pool: 'anna', claim: { lab: 'net' } } as StandView;

const kinds = (
  verdict: StandMachine['verdict'],
  more: Partial<GuestInfo>,
  busy: ReadonlySet<number> | undefined,
): string[] =>
  machineProblems(
    VIEW,
    { vmid: 100, machine: 'pc', isSelected: true, verdict, guest: guest(100, more) } as StandMachine,
    { busy, sees: () => true, details: {} } as unknown as Parameters<typeof machineProblems>[2],
  ).map(({ kind }) => kind);

const AT_WORK = new Set([100]);
const AT_REST = new Set<number>();

test.each([
  ['zombie', { lock: 'destroyed' }, AT_WORK, []],
  ['zombie', { lock: 'destroyed' }, AT_REST, ['machine-half-removed']],
  // Whether anybody is at work is not to be seen.
  ['zombie', { lock: 'destroyed' }, undefined, ['machine-half-removed']],
  ['ours', { lock: 'backup' }, AT_WORK, []],
  ['ours', { lock: 'backup' }, AT_REST, ['lock-without-task']],
  ['ours', { lock: 'backup' }, undefined, []],
  ['ours', { lock: 'suspended' }, AT_REST, []],
  ['left-pool', {}, AT_REST, ['machine-left-pool']],
] as const)('%s %o', (verdict, more, busy, expected) => {
  expect(kinds(verdict, more, busy)).toEqual(expected);
});
