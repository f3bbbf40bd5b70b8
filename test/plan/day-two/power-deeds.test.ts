/** What is done to a machine, by how it is: the whole table of `power`. */
import { expect, test } from 'vitest';
import type { PowerAction } from '../../../src/lib/plan/document/plan.ts';
import { machinePower, type MachinePower } from '../../../src/lib/pve-values/machine-power.ts';
import { deedFor, isInState, obstacleTo } from '../../../src/lib/plan/day-two/power-deeds.ts';
import { ranksOf } from '../../../src/lib/plan/stands/start-order.ts';
import { stateBytes, stateStorageOf } from '../../../src/lib/plan/stands/saved-memory.ts';
import { guest } from '../builders.ts';

const STATES: readonly MachinePower[] = [
  'running',
  'paused',
  'suspended',
  'suspending',
  'stopped',
  'unknown',
];

test.each<readonly [PowerAction, boolean, readonly string[]]>([
  ['start', false, ['-', 'go-on', 'resume', 'resume', 'start', '-']],
  ['resume', false, ['-', 'go-on', 'resume', 'resume', '-', '-']],
  ['shutdown', false, ['shutdown', 'shutdown', '-', '-', '-', '-']],
  ['stop', false, ['stop', 'stop', '-', '-', '-', '-']],
  ['reboot', false, ['reboot', 'reboot', '-', '-', '-', '-']],
  ['suspend', false, ['suspend', 'suspend', '-', 'suspend', '-', '-']],
  ['suspend', true, ['pause', '-', '-', '-', '-', '-']],
])('%s (--pause: %s)', (action, isPause, deeds) => {
  expect(STATES.map((power) => deedFor(action, isPause, power) ?? '-')).toEqual(deeds);
});

test.each([
  [{ status: 'running' }, 'running'],
  [{ status: 'running', monitor: 'paused' }, 'paused'],
  [{ status: 'running', monitor: 'io-error' }, 'running'],
  [{ status: 'running', lock: 'suspending' }, 'suspending'],
  [{ status: 'running', lock: 'backup' }, 'running'],
  [{ status: 'stopped', lock: 'suspended' }, 'suspended'],
  [{ status: 'stopped' }, 'stopped'],
  [{ status: 'unknown' }, 'unknown'],
] as const)('%o is %s', (more, power) => {
  expect(machinePower(guest(100, more))).toBe(power);
});

test('--if-state', () => {
  const of = (wanted: 'running' | 'stopped' | 'suspended') =>
    STATES.filter((power) => isInState(power, wanted));
  expect([of('running'), of('stopped'), of('suspended')]).toEqual([
    ['running'],
    ['stopped'],
    ['paused', 'suspended', 'suspending'],
  ]);
});

test.each([
  ['start', { template: true }, 'stopped', false, 'VM_IS_TEMPLATE'],
  ['shutdown', {}, 'paused', false, 'VM_PAUSED'],
  ['shutdown', {}, 'paused', true, undefined],
  ['reboot', {}, 'paused', true, 'VM_PAUSED'],
  ['shutdown', { ha: true }, 'running', false, 'HA_MANAGED'],
  ['shutdown', { ha: true }, 'running', true, undefined],
  ['suspend', { ha: true }, 'running', true, 'HA_MANAGED'],
  ['pause', { ha: true }, 'running', false, undefined],
  ['stop', { ha: true }, 'running', false, undefined],
] as const)('%s of %o, %s, force %s: %s', (deed, more, power, force, code) => {
  expect(
    obstacleTo(deed, guest(100, more), { power, force, lab: 'net', user: 'anna@pve', machine: 'pc' })?.code,
  ).toBe(code);
});

test('ranks: by start_order, those without it last', () => {
  const orders: Readonly<Record<string, number>> = { b: 2, a: 1, c: 2 };
  expect(ranksOf(['x', 'b', 'a', 'c', 'y'], (name) => orders[name])).toEqual([['a'], ['b', 'c'], ['x', 'y']]);
});

test('where memory goes, and how much room it takes', () => {
  const row = (storage: string, type: string, shared: boolean) =>
    [storage, { storage, type, shared }] as const;
  const rows = new Map([row('ceph', 'rbd', true), row('nfs', 'nfs', true), row('zfs', 'zfspool', false)]);
  const at = (values: Record<string, string>) => stateStorageOf(values, rows);
  expect(at({ scsi0: 'zfs:vm-1-disk-0', vmstatestorage: 'fast' })).toBe('fast');
  expect(at({ scsi0: 'zfs:vm-1-disk-0', scsi1: 'ceph:vm-1-disk-0' })).toBe('ceph');
  expect(at({ scsi0: 'ceph:vm-1-disk-0', scsi1: 'nfs:1/vm-1-disk-0.qcow2' })).toBe('nfs');
  expect(at({ scsi0: 'zfs:vm-1-disk-0' })).toBe('zfs');
  expect(at({})).toBe('local');
  expect(stateBytes(2 ** 30)).toBe(2 * 2 ** 30 + 500 * 2 ** 20);
});
