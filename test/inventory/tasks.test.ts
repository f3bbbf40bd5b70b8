/** Which failed tasks of guests are still worth a word, and which have only just ended. */
import { expect, test } from 'vitest';
import { readTasks } from '../../src/lib/inventory/tasks.ts';
import type { PveApi, TaskRow } from '../../src/lib/proxmox/types.ts';

const NOW = 100_000;

/** As `type id status`, a second after one another, the last one at `NOW`. */
async function read(...told: readonly string[]) {
  const rows = told.map((line, at): TaskRow => {
    const [type = '', id = '', ...status] = line.split(' ');
    const endtime = NOW - told.length + 1 + at;
    return {
      ...{ type, id, user: 'anna@pve', starttime: endtime - 1, endtime },
      status: status.join(' '),
    } as TaskRow;
  });
  const pve = {
    serverTime: () => new Date(NOW * 1000),
    tasks: () =>
      Promise.resolve(rows.map((row) => (row.status === '' ? { ...row, endtime: undefined } : row))),
  };
  return readTasks(pve as unknown as PveApi, ['pve1'], NOW - 3600, undefined);
}

test.each([
  [['qmstart 100 no space'], ['qmstart']],
  [['qmstart 100 no space', 'qmstart 100 OK'], []],
  [['qmstart 100 no space', 'qmstart 101 OK'], ['qmstart']],
  // It did not listen, and has been off since.
  [['qmshutdown 100 got timeout', 'qmstop 100 OK'], []],
  [['qmreboot 100 got timeout', 'qmshutdown 100 WARNINGS: 1'], []],
  [
    ['qmshutdown 100 got timeout', 'qmstop 100 can not lock'],
    ['qmshutdown', 'qmstop'],
  ],
  [['qmstop 100 OK', 'qmshutdown 100 got timeout'], ['qmshutdown']],
  // That it was turned off does not mend what kept it from starting.
  [['qmstart 100 no space', 'qmstop 100 OK'], ['qmstart']],
] as const)('%j: %j', async (told, failed) => {
  const { failures = [] } = await read(...told);
  expect(failures.map(({ type }) => type).sort()).toEqual(failed);
});

test('what is under way, and what has only just ended', async () => {
  const old = Array.from({ length: 40 }, (_, at) => `qmstart ${200 + at} OK`);
  const { tasks, justEnded = [] } = await read('qmclone 99 OK', ...old, 'qmclone 101 OK', 'qmdestroy 100 ');
  expect(tasks).toEqual([{ node: 'pve1', type: 'qmdestroy', id: '100' }]);
  expect(justEnded.filter(({ type }) => type === 'qmclone')).toEqual([
    { node: 'pve1', type: 'qmclone', id: '101' },
  ]);
});
