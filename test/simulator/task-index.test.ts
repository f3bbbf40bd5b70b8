/** The task lists of a node: filters, pages, rotation. */
import { describe, expect, test } from 'vitest';
import { secret, start, userWithToken, type Caller, type Form, type Loose } from './harness.ts';

const tasks = '/nodes/pve1/tasks';
const vm = '/nodes/pve1/qemu/300';

const found = async (root: Caller, form: Form): Promise<string[]> =>
  (await root.ok('GET', tasks, form)).map((row: Loose) => `${row.type} ${row.status}`);

describe('lists', () => {
  async function busy() {
    const started = await start({
      users: [userWithToken('Anna@pve')],
      acl: [{ path: '/', role: 'Administrator', user: 'Anna@pve' }],
    });
    const { root, as, sim, time } = started;
    await root.task('POST', `${vm}/status/stop`);
    await time.sleep(5000);
    const middle = Math.floor(sim.now() / 1000);
    await as(`Anna@pve!t=${secret}`).task('POST', `${vm}/snapshot`, { snapname: 'one' });
    await root.task('POST', `${vm}/snapshot`, { snapname: 'one' });
    await root.ok('POST', `${vm}/status/start`);
    return { ...started, middle };
  }
  const used = "qmsnapshot snapshot name 'one' already used";

  test('the archive hides what runs', async () => {
    const { root } = await busy();
    const done = [used, 'qmsnapshot OK', 'qmstop OK'];
    expect(await found(root, {})).toEqual(done);
    expect(await found(root, { source: 'active' })).toEqual(['qmstart RUNNING']);
    expect(await found(root, { source: 'all' })).toEqual(['qmstart RUNNING', ...done]);
  });

  test('filters', async () => {
    const { root, middle } = await busy();
    expect(await found(root, { typefilter: 'qmstop' })).toEqual(['qmstop OK']);
    expect(await found(root, { errors: 1 })).toEqual([used]);
    expect(await found(root, { statusfilter: 'error' })).toEqual([used]);
    expect(await found(root, { statusfilter: 'ok' })).toEqual(['qmsnapshot OK', 'qmstop OK']);
    expect(await found(root, { userfilter: 'anna' })).toEqual(['qmsnapshot OK']);
    expect(await found(root, { since: middle })).toEqual([used, 'qmsnapshot OK']);
    expect(await found(root, { until: middle - 1 })).toEqual(['qmstop OK']);
    expect(await found(root, { vmid: 301 })).toEqual([]);
    expect(await found(root, { vmid: 300, limit: 1, start: 1 })).toEqual(['qmsnapshot OK']);
  });

  test('fifty rows unless asked for others; the total tells of all', async () => {
    const { root } = await start();
    for (let i = 0; i < 52; i += 1) await root.task('POST', `${vm}/status/resume`);
    const reply = await root.get(tasks);
    expect([reply.data.length, reply.body.total]).toEqual([50, 52]);
    expect(await found(root, { start: 50 })).toHaveLength(2);
  });
});

test('a rotated index loses old tasks; their logs go with the next day', async () => {
  const { root, time } = await start({
    task_index_size: 2,
    clock: { start: '2026-09-01T23:00:00Z' },
  });
  const upids: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    const upid: string = await root.ok('POST', `${vm}/status/resume`);
    await root.ended(upid);
    upids.push(upid);
  }
  const listed = (await root.ok('GET', tasks)).map((row: Loose) => row.upid);
  expect(listed).toEqual(upids.slice(2).reverse());
  const status = async (upid: string): Promise<[number, string | undefined]> => {
    const reply = await root.get(`${tasks}/${encodeURIComponent(upid)}/status`);
    return [reply.status, reply.body.errors?.['upid']];
  };
  expect((await status(upids[0]!))[0]).toBe(200);
  await time.sleep(2 * 3_600_000);
  expect(await status(upids[0]!)).toEqual([400, 'no such task']);
  expect((await status(upids[2]!))[0]).toBe(200);
});

test('a log is read in pages, and is never empty', async () => {
  const { root } = await start();
  const upid: string = await root.ok('POST', `${vm}/status/stop`);
  const log = `${tasks}/${encodeURIComponent(upid)}/log`;
  expect(await root.ok('GET', `${tasks}/${encodeURIComponent(upid)}`)).toEqual([
    { name: 'log' },
    { name: 'status' },
  ]);
  expect(await root.ok('GET', log)).toEqual([{ n: 1, t: 'no content' }]);
  await root.ended(upid);
  const reply = await root.get(log, { start: 0, limit: 1 });
  expect(reply.data).toEqual([{ n: 1, t: 'TASK OK' }]);
  expect(reply.body.total).toBe(1);
  expect(await root.ok('GET', log, { start: 1 })).toEqual([]);
});
