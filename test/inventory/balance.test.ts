/** Averages and the history of migrations, out of what PVE keeps. */
import { describe, expect, test } from 'vitest';
import {
  historyGone,
  migrationsOf,
  nodesAhead,
  readNodeTasks,
  runningTasks,
} from '../../src/lib/inventory/balance-history.ts';
import { averages } from '../../src/lib/inventory/balance-load.ts';
import type { PveApi, TaskRow } from '../../src/lib/proxmox/types.ts';

describe('averages', () => {
  const now = 100_000;
  const point = (minutesAgo: number, cpu?: number) => ({
    time: now - minutesAgo * 60,
    ...(cpu === undefined ? {} : { cpu }),
  });

  test('a spike of one minute does not count as load; points without a value, or outside, do not count at all', () => {
    const points = [
      point(0),
      point(1, 1),
      ...Array.from({ length: 14 }, (_, i) => point(i + 2, 0.1)),
      point(40, 9),
    ];
    expect(averages(points, { window: 900, now }).cpu).toBeCloseTo((1 + 1.4) / 15, 5);
  });

  test('nothing recorded: absent, not zero', () => {
    expect(averages([point(3)], { window: 900, now })).toEqual({});
  });
});

const NOW = 1_000_000;

interface Past {
  readonly type?: string;
  readonly vmid?: number;
  readonly start: number;
  readonly end?: number;
  readonly status?: string;
}

/** Times in minutes before now. */
function task({ type = 'qmigrate', vmid = 101, start, end, status = 'OK' }: Past): TaskRow {
  const starttime = NOW - start * 60;
  const upid = `UPID:pve1:${starttime}:${type}:${vmid}:`;
  const row = { upid, type, id: String(vmid), user: 'root@pam', starttime };
  return end === undefined ? row : { ...row, endtime: NOW - end * 60, status };
}

function history(nodes: Readonly<Record<string, readonly TaskRow[]>>, place = 'pve2') {
  const tasks = Object.entries(nodes).map(([node, rows]) => ({ node, rows }));
  const records = migrationsOf(tasks, {
    ...{ places: new Map([[101, place]]), now: NOW, timeout: 1800 },
    ...{ managed: new Set<number>(), isOurs: () => true, causes: new Map() },
  });
  return records.map(({ vmid, from, to, status }) => [vmid, from, to, status]);
}

test("of what has ended only ours and HA's own counts; what is under way counts whoever wants it", () => {
  const by = (user: string, past: Past): TaskRow => ({ ...task(past), user });
  const rows = [
    by('anna@pve', { vmid: 101, start: 50, end: 49, status: 'migration aborted' }),
    by('anna@pve', { vmid: 102, start: 9 }),
    by('ops@pve!balance', { vmid: 103, start: 50, end: 49, status: 'migration problems' }),
    by('root@pam', { vmid: 104, start: 50, end: 49, status: 'migration problems' }),
    by('anna@pve', { type: 'hamigrate', vmid: 105, start: 52, end: 52 }),
    by('root@pam', { vmid: 105, start: 50, end: 49, status: 'migration problems' }),
    by('ops@pve', { type: 'hamigrate', vmid: 106, start: 52, end: 52 }),
    by('root@pam', { vmid: 106, start: 50, end: 49, status: 'migration problems' }),
    by('root@pam', { vmid: 107, start: 50, end: 49, status: 'migration problems' }),
  ];
  const places = new Map(rows.map(({ id }) => [Number(id), 'pve1']));
  const cause = { blames: 'node', target: 'pve2', words: "bridge 'vmbr7' does not exist" } as const;
  const found = migrationsOf([{ node: 'pve1', rows }], {
    ...{ places, now: NOW, timeout: 1800, managed: new Set([104, 105, 106]) },
    isOurs: (user) => user.startsWith('ops@pve'),
    causes: new Map([[rows[2]!.upid, cause]]),
  });
  expect(found.map(({ vmid, status, by: whose = 'us' }) => [vmid, status, whose])).toEqual([
    [102, 'running', 'us'],
    [103, 'failed', 'us'],
    [104, 'failed', 'ha'],
    [106, 'failed', 'us'],
  ]);
  expect(found[1]).toMatchObject({ to: 'pve2', blames: 'node', error: cause.words });
});

test('the logs that were read of what HA tries again and again speak for those that were not', () => {
  const failed = (start: number, user = 'root@pam'): TaskRow => ({
    ...task({ vmid: 104, start, end: start - 0.1, status: 'migration problems' }),
    user,
  });
  const rows = [failed(90, 'ops@pve'), failed(60), failed(50), failed(40)];
  const cause = { blames: 'node', target: 'pve2', bridge: 'vmbr7', words: 'x' } as const;
  const found = migrationsOf([{ node: 'pve1', rows }], {
    ...{ places: new Map([[104, 'pve1']]), now: NOW, timeout: 1800, managed: new Set([104]) },
    isOurs: () => true,
    causes: new Map([[rows[2]!.upid, cause]]),
  });
  expect(found.map(({ to, blames, bridge }) => [to, blames, bridge])).toEqual([
    [undefined, undefined, undefined],
    ['pve2', 'node', 'vmbr7'],
    ['pve2', 'node', 'vmbr7'],
    [undefined, undefined, undefined],
  ]);
});

test('what a clock that was set back since has put into the time to come is no history, and is told', () => {
  const ahead = [
    task({ vmid: 101, start: -60, end: -59 }),
    task({ vmid: 102, start: -60, end: -59, status: 'migration aborted' }),
    task({ type: 'hamigrate', vmid: 103, start: -60, end: -60 }),
  ];
  const near = task({ vmid: 104, start: -2, end: -3 });
  const running = task({ vmid: 105, start: -60 });
  expect(history({ pve1: [...ahead, near, running] }).map(([vmid, , , status]) => [vmid, status])).toEqual([
    [104, 'ok'],
    [105, 'running'],
  ]);
  const rows = [near, running];
  const tasks = [
    { node: 'pve1', rows: ahead },
    { node: 'pve2', rows },
  ];
  expect(nodesAhead(tasks, NOW)).toEqual(['pve1']);
});

describe('history', () => {
  test.each<[string, Parameters<typeof history>, unknown]>([
    ['done: to where it is now', [{ pve1: [task({ start: 9, end: 8 })] }], [[101, 'pve1', 'pve2', 'ok']]],
    [
      'twice: to where the second began',
      [{ pve1: [task({ start: 50, end: 49 })], pve3: [task({ start: 9, end: 8, status: 'WARNINGS: 1' })] }],
      [
        [101, 'pve1', 'pve3', 'ok'],
        [101, 'pve3', 'pve2', 'ok'],
      ],
    ],
    ['under way', [{ pve1: [task({ start: 9 })] }, 'pve1'], [[101, 'pve1', undefined, 'running']]],
    [
      'failed',
      [{ pve1: [task({ start: 9, end: 8, status: 'migration aborted' })] }, 'pve1'],
      [[101, 'pve1', undefined, 'failed']],
    ],
    [
      'stopped by somebody, and too slow',
      [
        {
          pve1: [task({ start: 200, end: 199, status: 'received interrupt' }), task({ start: 100, end: 60 })],
        },
        'pve1',
      ],
      [
        [101, 'pve1', undefined, 'timeout'],
        [101, 'pve1', undefined, 'timeout'],
      ],
    ],
    [
      'HA: the request is not the move',
      [{ pve1: [task({ type: 'hamigrate', start: 9, end: 9 }), task({ start: 8.8, end: 8 })] }],
      [[101, 'pve1', 'pve2', 'ok']],
    ],
    [
      'HA: requested just now',
      [{ pve1: [task({ type: 'hamigrate', start: 0.5, end: 0.5 })] }, 'pve1'],
      [[101, 'pve1', undefined, 'running']],
    ],
    [
      'HA: requested, and never carried out',
      [{ pve1: [task({ type: 'hamigrate', start: 30, end: 30 })] }, 'pve1'],
      [[101, 'pve1', undefined, 'failed']],
    ],
    [
      'other tasks do not count',
      [{ pve1: [task({ type: 'qmclone', start: 9, end: 8 }), task({ type: 'vzdump', start: 3 })] }],
      [],
    ],
  ])('%s', (_, given, expected) => {
    expect(history(...given)).toEqual(expected);
  });

  test('a log that was rotated says how far back it reaches; a short one is complete', async () => {
    const many = Array.from({ length: 300 }, (_, i) => task({ type: 'vncproxy', start: 300 - i, end: 0 }));
    const lists: Readonly<Record<string, readonly TaskRow[]>> = {
      busy: many,
      quiet: many.slice(0, 5),
      old: many,
    };
    const pve = {
      tasks: (node: string, { until }: { readonly until?: number }) =>
        Promise.resolve(until === undefined ? (lists[node] ?? []) : node === 'old' ? many.slice(0, 1) : []),
    } as unknown as PveApi;
    const { tasks } = await readNodeTasks(pve, ['busy', 'quiet', 'old'], { since: 0, signal: undefined });
    expect(historyGone(tasks)).toEqual({ busy: new Date((NOW - 300 * 60) * 1000).toISOString() });
    expect(runningTasks([{ node: 'n', rows: [task({ start: 1 }), task({ start: 9, end: 8 })] }])).toEqual([
      { node: 'n', type: 'qmigrate', id: '101' },
    ]);
  });
});
