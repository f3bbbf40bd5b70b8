import { describe, expect, test } from 'vitest';
import type { RunningTask } from '../../../src/lib/inventory/types.ts';
import { holdHint, isAnyCloning, holdOn, sayHold } from '../../../src/lib/plan/cluster/locks.ts';

const VM = { vmid: 501, node: 'pve1' };
const task = (type: string, id: string, node = 'pve1'): RunningTask => ({ node, type, id });

describe('a lock is a state, an operation under way, or the rest of one', () => {
  test.each<{ name: string; lock: string; tasks?: RunningTask[]; kind: string }>([
    { name: 'hibernated', lock: 'suspended', tasks: [], kind: 'hibernated' },
    {
      name: 'hibernated, whatever runs',
      lock: 'suspended',
      tasks: [task('vzdump', '501')],
      kind: 'hibernated',
    },
    { name: 'the rest of a removal', lock: 'destroyed', tasks: [], kind: 'removed' },
    {
      name: 'the last phase of a removal',
      lock: 'destroyed',
      tasks: [task('qmdestroy', '501')],
      kind: 'operation',
    },
    {
      name: 'the rest of a removal, while another is removed',
      lock: 'destroyed',
      tasks: [task('qmdestroy', '502')],
      kind: 'removed',
    },
    { name: 'its backup', lock: 'backup', tasks: [task('vzdump', '501')], kind: 'operation' },
    {
      name: 'a backup of several on its node',
      lock: 'backup',
      tasks: [task('vzdump', '')],
      kind: 'operation',
    },
    { name: 'a backup on another node', lock: 'backup', tasks: [task('vzdump', '', 'pve2')], kind: 'stale' },
    {
      name: 'a clone, filed under its template',
      lock: 'clone',
      tasks: [task('qmclone', '100')],
      kind: 'operation',
    },
    { name: 'a migration by HA', lock: 'migrate', tasks: [task('hamigrate', '501')], kind: 'operation' },
    { name: 'a migration of another VM', lock: 'migrate', tasks: [task('qmigrate', '502')], kind: 'stale' },
    {
      name: 'its snapshot, told by another kind of task',
      lock: 'snapshot',
      tasks: [task('qmstart', '501')],
      kind: 'stale',
    },
    { name: 'a lock that is not known', lock: 'thaw', tasks: [task('qmthaw', '501')], kind: 'operation' },
    { name: 'nobody looked', lock: 'snapshot', kind: 'unknown' },
  ])('$name: $kind', ({ lock, tasks, kind }) => {
    expect(holdOn(VM, lock, tasks).kind).toBe(kind);
  });

  test('what is stale is named with the command, what is under way is not', () => {
    const stale = holdOn(VM, 'backup', []);
    expect(sayHold(stale)).toBe('is locked (backup)');
    expect(holdHint(VM, stale)).toContain('as root on pve1: `qm unlock 501`');
    const live = holdOn(VM, 'backup', [task('vzdump', '501')]);
    expect(holdHint(VM, live)).toBe('task vzdump holds it: wait until it has ended');
  });
});

test('who does not see the tasks of others does not know that no clone is under way', () => {
  const clone = { node: 'pve1', type: 'qmclone', id: '100' };
  const sees = { '/nodes': { 'Sys.Audit': true } };
  expect([isAnyCloning({ tasks: [] }), isAnyCloning({ tasks: [], rights: sees })]).toEqual([false, false]);
  expect(isAnyCloning({ tasks: [], rights: { '/vms': { 'VM.Audit': true } } })).toBe(undefined);
  expect(isAnyCloning({ tasks: [clone], rights: {} })).toBe(true);
});
