import { expect, test } from 'vitest';
import {
  GUEST_KINDS,
  guestTasks,
  isGuestKind,
  MIGRATIONS,
  ourTasks,
  taskType,
} from '../../src/lib/pve-values/guest-kinds.ts';

test.each([
  ['qemu', 'start', 'qmstart'],
  ['qemu', 'migrate', 'qmigrate'],
  ['qemu', 'delsnapshot', 'qmdelsnapshot'],
  ['lxc', 'migrate', 'vzmigrate'],
  ['lxc', 'destroy', 'vzdestroy'],
] as const)('%s: %s is %s', (kind, deed, type) => {
  expect(taskType(deed, kind)).toBe(type);
});

test('types of tasks on any guest, and on machines of ours', () => {
  expect(guestTasks('clone', 'start')).toEqual(['qmclone', 'vzclone', 'qmstart', 'vzstart']);
  expect(ourTasks('stop', 'migrate')).toEqual(['qmstop', 'qmigrate']);
  expect(MIGRATIONS).toEqual(['qmigrate', 'vzmigrate', 'hamigrate']);
});

test('rows of the list of resources that are guests', () => {
  expect(GUEST_KINDS.map((kind) => isGuestKind(kind))).toEqual([true, true]);
  expect(['storage', 'node', 'toString', undefined].map((type) => isGuestKind(type))).toEqual(
    Array(4).fill(false),
  );
});
