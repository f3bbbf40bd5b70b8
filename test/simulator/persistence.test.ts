/** Saving a cluster and going on with it. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { certificateOf } from '../../src/commands/simulate/certificate.ts';
import { readState, saveState } from '../../src/lib/simulator/persistence.ts';
import { start, type Caller } from './harness.ts';

const TASK = {
  ...{ upid: 'UPID:x', node: 'pve1', pid: 1, pstart: 1, starttime: 1, type: 'qmclone', id: '1' },
  ...{ user: 'root@pam', log: [] },
};

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sim-state-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Saves a cluster in the middle of things, and starts another from the file. */
async function interrupted(
  work: (root: Caller) => Promise<string>,
  latency: Record<string, number>,
): Promise<{ upid: string; next: Awaited<ReturnType<typeof start>>; savedAt: number }> {
  const first = await start({ latency });
  const upid = await work(first.root);
  const file = join(folder, 'cluster.json');
  const savedAt = first.sim.now();
  await saveState(first.sim, file);
  first.time.stop();
  const state = readState(file);
  if (!state) throw new Error('nothing was saved');
  return { upid, next: await start({ latency }, { state }), savedAt };
}

test('time, secrets and a clone under way go on', async () => {
  const { upid, next, savedAt } = await interrupted(
    (root) => root.ok('POST', '/nodes/pve1/qemu/100/clone', { newid: 10001, name: 'later' }),
    { linked_clone_s: 60 },
  );
  expect(next.sim.now()).toBeGreaterThanOrEqual(savedAt);
  expect(await next.root.ended(upid)).toBe('OK');
  expect(next.sim.now() - savedAt).toBeGreaterThan(40_000);
  expect(await next.root.ok('GET', '/nodes/pve1/qemu/10001/config')).toMatchObject({ name: 'later' });
  const volumes = next.sim.snapshot().volumes.filter((volume) => volume.vmid === 10001);
  expect(volumes.map((volume) => volume.volid)).toEqual(['ceph:base-100-disk-0/vm-10001-disk-0']);
});

test.each<[string, (root: Caller) => Promise<string>, string]>([
  ['start', (root) => root.ok('POST', '/nodes/pve3/qemu/303/status/start'), 'start_s'],
  ['stop', (root) => root.ok('POST', '/nodes/pve1/qemu/300/status/stop'), 'stop_s'],
  [
    'snapshot',
    (root) => root.ok('POST', '/nodes/pve3/qemu/303/snapshot', { snapname: 'base' }),
    'snapshot_s',
  ],
  ['destroy', (root) => root.ok('DELETE', '/nodes/pve3/qemu/303'), 'destroy_s'],
  ['template', (root) => root.ok('POST', '/nodes/pve3/qemu/303/template'), 'template_s'],
  ['reload', (root) => root.ok('PUT', '/nodes/pve1/network'), 'network_reload_s'],
  ['migrate', (root) => root.ok('POST', '/nodes/pve3/qemu/303/migrate', { target: 'pve1' }), 'migrate_s'],
])('%s goes on', async (_, work, latency) => {
  const { upid, next } = await interrupted(work, { [latency]: 30, migrate_s_per_gib: 0.1 });
  expect(await next.root.ended(upid)).toBe('OK');
});

test('a snapshot of the simulator is a copy', async () => {
  const { sim } = await start();
  const copy = sim.snapshot();
  (copy.guests[0] as { node: string }).node = 'elsewhere';
  expect(sim.snapshot().guests[0]?.node).toBe('pve1');
  expect(JSON.parse(JSON.stringify(copy))).toEqual(copy);
});

test('the file is private and no password is in it', async () => {
  const { sim, root } = await start();
  await root.ok('POST', '/access/users', { userid: 'a@pve', password: 'very-secret-1' });
  const file = join(folder, 'cluster.json');
  await saveState(sim, file);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).not.toContain('very-secret-1');
});

test('no file is no state; another file is an error, and so is a pipe that nobody writes to', async () => {
  expect(readState(join(folder, 'none.json'))).toBeUndefined();
  for (const text of ['{"format":2}', 'not json']) {
    await writeFile(join(folder, 'bad.json'), text);
    expect(() => readState(join(folder, 'bad.json'))).toThrow('not a state file of a simulated cluster');
  }
  const { sim, time } = await start();
  const state = sim.snapshot();
  time.stop();
  for (const [damage, says] of [
    [{ pools: null }, '/pools: must be array'],
    [{ guests: [{ ...state.guests[0], node: 'elsewhere' }] }, 'there is no node "elsewhere"'],
    [{ now: 1e308 }, '/now: must be <='],
    [
      { tasks: [{ ...TASK, job: { kind: 'x', args: {}, progress: { a: 1e15 } } }] },
      'the task UPID:x would not end',
    ],
    [{ version: '6.4' }, '/version: must be one of '],
  ] as const) {
    await writeFile(join(folder, 'bad.json'), JSON.stringify({ ...state, ...damage }));
    expect(() => readState(join(folder, 'bad.json'))).toThrow(`or damaged: ${says}`);
  }
  execFileSync('mkfifo', [join(folder, 'pipe.json')]);
  expect(() => readState(join(folder, 'pipe.json'))).toThrow('it is not a regular file');
});

test('a served cluster keeps its certificate beside its state; one that expired is followed by another', async () => {
  const [state, now] = [join(folder, 'cluster.json'), Date.parse('2026-06-01T00:00:00Z')];
  const made = await certificateOf(state, now);
  expect((await stat(`${state}.pem`)).mode & 0o777).toBe(0o600);
  expect(await certificateOf(state, now)).toEqual(made);
  const later = await certificateOf(state, now + 10 * 366 * 86_400_000);
  expect(later.fingerprint).not.toBe(made.fingerprint);
  expect((await certificateOf(state, now)).fingerprint).toBe(later.fingerprint);

  await writeFile(`${state}.pem`, 'my notes\n');
  await expect(certificateOf(state, now)).rejects.toThrow('cluster.json.pem: it holds something else');
  expect(await readFile(`${state}.pem`, 'utf8')).toBe('my notes\n');
});
