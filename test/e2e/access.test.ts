/** `access freeze | thaw`: nobody gets in, no role is lost, and everybody else respects it. */
import { describe, expect, test } from 'vitest';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { comparable } from './cluster-view.ts';
import { scenario, startCluster, writes, type Cluster, type ClusterOptions } from './harness.ts';
import { admin, person, room } from './people.ts';
import { resultErrors } from './result-schema.ts';

const FILES = {
  'lab.yml': `name: exam
machines:
  - { device_type: linux, name: pc, template_vmid: 101, start: true, networks: [{ bridge: vmbr0 }] }
  - { device_type: linux, name: srv, template_vmid: 101, pool_role: PVEVMUser, networks: [{ bridge: vmbr0 }] }
`,
  'web.yml':
    'name: web\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: vmbr0 }] }]\n',
  'users.yml': 'users: [anna@pve, boris@pve]\n',
  'many.yml': `users: [${Array.from({ length: 20 }, (_, at) => `s${at}@pve`).join(', ')}]\n`,
};
const DEPLOY = 'deploy -c @lab.yml -u @users.yml';
const FREEZE = 'access freeze -c @lab.yml -u @users.yml';
const THAW = 'access thaw -c @lab.yml -u @users.yml';

const rightsOf = ({ acl }: Pick<ClusterState, 'acl'>, subject = 'anna@pve') =>
  acl
    .filter((entry) => entry.subject === subject)
    .map(({ path, role, propagate }) => `${path} ${role}${propagate ? '' : '!'}`)
    .sort();

const commentOf = (cluster: Cluster, pool = 'anna') =>
  cluster.snapshot().pools.find(({ poolid }) => poolid === pool)?.comment ?? '';

const running = (cluster: Cluster) =>
  cluster
    .snapshot()
    .guests.filter(({ vmid }) => vmid >= 10_000)
    .filter(({ runningSince }) => runningSince !== undefined).length;

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test('an exam: frozen with its state, looked at, thawed', async () => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const { run } = room(FILES);
    expect(await run(cluster, DEPLOY)).toMatchObject({ code: 0 });
    // An administrator gave something of a kind that deploy never gives.
    await admin(cluster).ok('PUT', '/access/acl', {
      ...{ path: '/pool/anna', users: 'anna@pve', roles: 'PVEPoolUser', propagate: 0 },
    });
    const before = cluster.snapshot();
    expect(rightsOf(before)).toEqual([
      '/pool/anna PVEPoolUser!',
      '/pool/anna PVEVMAdmin',
      '/vms/10001 PVEVMUser!',
    ]);
    const anna = await person(cluster, 'anna@pve');
    const at = `/nodes/${before.guests.find(({ vmid }) => vmid === 10_000)!.node}/qemu/10000`;
    expect((await anna.get(`${at}/config`)).status).toBe(200);

    const frozen = await run(cluster, `${FREEZE} --snapshot exam --stop`);
    expect(frozen).toMatchObject({ code: 0, stdout: expect.stringContaining('complete, frozen') as string });
    expect(rightsOf(cluster.snapshot())).toEqual([]);
    expect((await anna.get(`${at}/config`)).status).toBe(403);
    expect(commentOf(cluster)).toMatch(
      /^deploy-stand user=anna@pve taken=PVEPoolUser!,PVEVMAdmin,10001:PVEVMUser!\nlab=exam .* frozen=2026-/,
    );
    expect(running(cluster)).toBe(0);
    const list = (await admin(cluster).ok('GET', `${at}/snapshot`)) as { name: string }[];
    expect(list.map(({ name }) => name)).toEqual(['exam', 'current']);

    // Nothing is left to do, for nobody.
    const seen = cluster.requests.length;
    expect(await run(cluster, `${FREEZE} --snapshot exam --stop`)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('all are frozen') as string,
    });
    const over = await run(cluster, DEPLOY);
    expect([over.code, over.stdout]).toEqual([
      0,
      expect.stringContaining('frozen: anna@pve, boris@pve; their stands are completed, but no access'),
    ]);
    expect(writes(cluster, seen)).toEqual([]);
    const users = await run(cluster, 'users list -u @users.yml');
    expect(users.stdout).toMatch(/anna@pve .* exam \(frozen\) +0 of 2/);
    const synced = await run(cluster, 'users sync -u @users.yml');
    expect([synced.code, synced.stdout]).toEqual([
      0,
      expect.stringContaining('access thaw gives access back'),
    ]);
    expect(rightsOf(cluster.snapshot())).toEqual([]);

    expect(await run(cluster, THAW)).toMatchObject({ code: 0 });
    expect(rightsOf(cluster.snapshot())).toEqual(rightsOf(before));
    expect(commentOf(cluster)).toBe(before.pools.find(({ poolid }) => poolid === 'anna')?.comment);
    expect((await anna.get(`${at}/config`)).status).toBe(200);
    expect(await run(cluster, THAW)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('none is frozen') as string,
    });
  });

  test('what a student gives while a freeze takes is taken as well, or told', async () => {
    const given: number[] = [];
    let give: () => Promise<void> = () => Promise.resolve();
    let when = 'before';
    const onMutation: ClusterOptions['onMutation'] = async ({ phase, path, method }) => {
      // The claim, and each right that goes: all of it long planned.
      const isMoment = phase === when && method === 'PUT' && /^\/(pools|access\/acl)/.test(path);
      if (!isMoment) return;
      const now = give;
      give = () => Promise.resolve();
      await now();
      if (given.length < 5) give = now;
    };
    const cluster = await startCluster({ scenario: scenario({ version }), onMutation });
    const { run } = room(FILES);
    expect(await run(cluster, DEPLOY)).toMatchObject({ code: 0 });
    const rightOn = async (who: string, users: string, roles: string) => {
      const right = { path: '/vms/10000', users, roles, propagate: 0 };
      given.push((await (await person(cluster, who)).put('/access/acl', right)).status);
    };
    give = async () => {
      given.push(0, 0, 0);
      await rightOn('anna@pve', 'anna@pve', 'PVEVMAdmin');
      await rightOn('anna@pve', 'boris@pve', 'PVEVMAdmin');
    };
    const frozen = await run(cluster, `${FREEZE} --user anna@pve --stop`);
    expect([given.slice(3), rightsOf(cluster.snapshot())]).toEqual([[200, 200], []]);
    expect([frozen.code, frozen.stdout]).toEqual([
      5,
      expect.stringMatching(/can still use[\s\S]*PVEVMAdmin on \/vms\/10000 of boris@pve +\[ACCESS_LEFT\]/),
    ]);
    // Whom she has given it gives it back, again and again.
    given.length = 0;
    when = 'after';
    give = () => rightOn('boris@pve', 'anna@pve', 'PVEVMUser');
    await rightOn('boris@pve', 'anna@pve', 'PVEVMUser');
    const never = await run(cluster, `${FREEZE} --user anna@pve`);
    expect([given, never.code, never.stdout]).toEqual([
      [200, 200, 200, 200, 200],
      5,
      expect.stringMatching(/of boris@pve[\s\S]*rights on the stand came up each time[\s\S]*ACCESS_LEFT/),
    ]);
  });

  test('a freeze meanwhile: rights that were planned before it are not given after it', async () => {
    let moment: RegExp | undefined;
    let freezing: ReturnType<typeof run> | undefined;
    // That write waits until the freeze has ended.
    const onMutation: ClusterOptions['onMutation'] = async ({ phase, path, method }) => {
      if (phase !== 'before' || moment?.test(`${method} ${path}`) !== true) return;
      moment = undefined;
      freezing = run(cluster, 'access freeze --lab exam');
      await freezing;
    };
    const cluster = await startCluster({ scenario: scenario({ version }), onMutation });
    const { run } = room(FILES);
    // Its code is loaded before: while it is, time goes on, and the request that waits would be given up.
    await run(cluster, 'access freeze --lab exam --dry-run');
    const beside = async (at: RegExp, argv: string) => {
      moment = at;
      const ran = await run(cluster, argv);
      return [ran.code, ran.stdout, (await freezing)?.code];
    };
    const told = [5, expect.stringMatching(/pool anna was frozen meanwhile: .*\[FROZEN\]/), 0];
    const clone = /^POST .*\/clone$/;
    expect(await beside(clone, DEPLOY)).toEqual(told);
    expect(rightsOf(cluster.snapshot())).toEqual([]);
    expect(await run(cluster, THAW)).toMatchObject({ code: 0 });
    expect(await run(cluster, DEPLOY)).toMatchObject({ code: 0 });
    const rights = ['/pool/anna PVEVMAdmin', '/vms/10001 PVEVMUser!'];
    expect(rightsOf(cluster.snapshot())).toEqual(rights);

    // The right itself is on its way, asked for while the stand was open, and arrives when the freeze has looked.
    await admin(cluster).put('/access/acl', {
      ...{ path: '/pool/anna', users: 'anna@pve', roles: 'PVEVMAdmin', delete: 1 },
    });
    expect(await beside(/^PUT \/access\/acl/, DEPLOY)).toEqual(told);
    expect(rightsOf(cluster.snapshot())).toEqual([]);
    expect(await run(cluster, THAW)).toMatchObject({ code: 0 });
    expect(await run(cluster, DEPLOY)).toMatchObject({ code: 0 });
    expect(rightsOf(cluster.snapshot())).toEqual(rights);

    const reclone = 'reset --reclone -c @lab.yml -u @users.yml --user anna@pve --machine srv';
    expect(await beside(clone, reclone)).toEqual(told);
    expect(rightsOf(cluster.snapshot())).toEqual([]);
    expect(await run(cluster, THAW)).toMatchObject({ code: 0 });
    expect(await run(cluster, DEPLOY)).toMatchObject({ code: 0 });
    expect(rightsOf(cluster.snapshot())).toEqual(rights);
  });

  test('a freeze while a class of twenty gets its rights leaves none, and few looks tell', async () => {
    let freezing: ReturnType<typeof run> | undefined;
    let left = Number.POSITIVE_INFINITY;
    const onMutation: ClusterOptions['onMutation'] = async ({ phase, path, method }) => {
      if (phase !== 'before' || `${method} ${path}` !== 'PUT /access/acl') return;
      left -= 1;
      if (left !== 0) return;
      freezing = run(cluster, 'access freeze --lab web');
      await freezing;
    };
    const cluster = await startCluster({ scenario: scenario({ version }), onMutation });
    const { run } = room(FILES);
    await run(cluster, 'access freeze --lab web --dry-run');
    const deploy = 'deploy -c @web.yml -u @many.yml';
    expect(await run(cluster, deploy)).toMatchObject({ code: 0 });
    for (const { subject, path, role } of cluster
      .snapshot()
      .acl.filter(({ path }) => path.startsWith('/pool/s')))
      await admin(cluster).ok('PUT', '/access/acl', { path, users: subject, roles: role, delete: 1 });
    const seen = cluster.requests.length;
    left = 12;
    const ran = await run(cluster, deploy);
    expect([ran.code, ran.stdout]).toEqual([
      5,
      expect.stringMatching(/of s11@pve .*\[FROZEN\][\s\S]*the same for 8 more: s12@pve/),
    ]);
    expect(await freezing).toMatchObject({ code: 0 });
    expect(cluster.snapshot().acl.filter(({ path }) => path.startsWith('/pool/s'))).toEqual([]);
    // Both runs: 20 rights are looked after with a list now and then, and the 8 that were not written are made sure of.
    const reads = cluster.requests
      .slice(seen)
      .filter(({ method, path }) => `${method} ${path}`.startsWith('GET /pools'));
    expect(reads.length).toBeLessThan(20);
  });

  test('a frozen stand is repaired, and cleaned up, without access', async () => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const { run } = room(FILES);
    const empty = comparable(cluster.snapshot());
    expect(await run(cluster, DEPLOY)).toMatchObject({ code: 0 });
    expect(await run(cluster, FREEZE)).toMatchObject({ code: 0 });
    expect(running(cluster)).toBe(2);
    const gone = cluster.snapshot().guests.find(({ vmid }) => vmid === 10_001)!;
    expect(await admin(cluster).task('DELETE', `/nodes/${gone.node}/qemu/10001`)).toBe('OK');
    const repaired = await run(cluster, DEPLOY);
    expect([repaired.code, repaired.stdout]).toEqual([0, expect.stringContaining('complete, frozen')]);
    expect(cluster.snapshot().guests.some(({ vmid }) => vmid === 10_001)).toBe(true);
    expect(rightsOf(cluster.snapshot())).toEqual([]);

    // A run that was killed between its grant and its second look leaves a right: the next one tells, with what takes it.
    expect((await run(cluster, 'status --lab exam')).stdout).not.toContain('still be used');
    const late = { path: '/vms/10001', users: 'anna@pve', roles: 'PVEVMUser', propagate: 0 };
    await admin(cluster).put('/access/acl', late);
    const { code, stdout } = await run(cluster, 'status --lab exam --check');
    expect([code, stdout]).toEqual([
      6,
      expect.stringMatching(
        /frozen, and can still be used: anna@pve[\s\S]*anna@pve has PVEVMUser on .vms.10001/,
      ),
    ]);
    expect((await run(cluster, DEPLOY)).stdout).toContain('these stands can still be used: anna@pve');
    const hint =
      /when no freeze or thaw is running, `deploy-stand (access freeze [^`]*)`/.exec(stdout)?.[1] ?? '';
    expect(hint).toBe('access freeze --lab exam --user anna@pve');
    expect(await run(cluster, hint)).toMatchObject({ code: 0 });
    expect(rightsOf(cluster.snapshot())).toEqual([]);
    expect((await run(cluster, 'status --lab exam')).stdout).not.toContain('still be used');

    expect(await run(cluster, 'cleanup --lab exam')).toMatchObject({ code: 0 });
    expect(comparable(cluster.snapshot())).toEqual(empty);
  });
});

test('a pool with two labs is frozen as a whole, or not at all', async () => {
  const cluster = await startCluster();
  const { run } = room(FILES);
  await run(cluster, DEPLOY);
  await run(cluster, 'deploy -c @web.yml -u @users.yml --only anna');
  const before = cluster.snapshot();
  const some = await run(cluster, FREEZE);
  expect([some.code, some.stdout]).toEqual([5, expect.stringContaining('SHARED_POOL')]);
  expect([rightsOf(cluster.snapshot()), rightsOf(cluster.snapshot(), 'boris@pve')]).toEqual([
    rightsOf(before),
    [],
  ]);
  expect(await run(cluster, `${FREEZE} --all-labs`)).toMatchObject({ code: 0 });
  expect(commentOf(cluster).match(/frozen=/g)).toHaveLength(2);
  const web = await run(cluster, 'access thaw --lab web');
  expect([web.code, web.stdout]).toEqual([5, expect.stringContaining('--all-labs')]);
  expect(await run(cluster, 'access thaw --lab exam --all-labs')).toMatchObject({ code: 0 });
  expect(rightsOf(cluster.snapshot())).toEqual(rightsOf(before));
});

test('what an administrator gave otherwise is told; a snapshot of that name is not taken for the state of now', async () => {
  const cluster = await startCluster({
    scenario: scenario({ groups: [{ group: 'class' }] }),
  });
  const { run, write } = room(FILES);
  write({ 'users.yml': 'users: [{ userid: anna@pve, groups: [class] }]\n' });
  await run(cluster, DEPLOY);
  const { ok } = { ok: admin(cluster).ok.bind(admin(cluster)) };
  await ok('PUT', '/access/acl', { path: '/pool', groups: 'class', roles: 'PVEVMUser' });
  const { node } = cluster.snapshot().guests.find(({ vmid }) => vmid === 10_000)!;
  const anna = await person(cluster, 'anna@pve');
  expect(await anna.task('POST', `/nodes/${node}/qemu/10000/snapshot`, { snapname: 'exam' })).toBe('OK');
  await cluster.time.sleep(60_000);
  const told = await run(cluster, `${FREEZE} --snapshot exam --output json`);
  const { plan, summary } = JSON.parse(told.stdout) as {
    plan: { steps: { id: string }[] };
    summary: { stands: { error: { code: string; message: string } }[] };
  };
  expect([told.code, summary.stands[0]?.error]).toEqual([
    5,
    expect.objectContaining({
      code: 'ACCESS_LEFT',
      message: expect.stringContaining('PVEVMUser on /pool by group class') as string,
    }),
  ]);
  expect(plan.steps.map(({ id }) => id)).toContain('vm.snapshot:10001');
  expect(plan.steps.map(({ id }) => id)).not.toContain('vm.snapshot:10000');
  await ok('PUT', '/access/acl', { path: '/pool', groups: 'class', roles: 'PVEVMUser', delete: 1 });
  for (const time of [1, 2]) {
    const again = await run(cluster, `${FREEZE} --snapshot exam`);
    expect([time, again.code, again.stdout]).toEqual([
      ...[time, 5],
      expect.stringContaining('SNAPSHOT_NAME_TAKEN'),
    ]);
  }
});

test('--suspend keeps the memory; where there is no room for it the access goes all the same', async () => {
  const cluster = await startCluster();
  const { run } = room(FILES);
  await run(cluster, DEPLOY);
  expect(running(cluster)).toBe(2);
  expect(await run(cluster, `${FREEZE} --suspend --stop`)).toMatchObject({ code: 2 });
  expect(await run(cluster, `${FREEZE} --user anna@pve --snapshot exam --suspend`)).toMatchObject({
    code: 0,
  });
  const locks = () =>
    cluster.snapshot().guests.flatMap(({ vmid, config }) => (vmid >= 10_000 ? [config['lock'] ?? ''] : []));
  expect([running(cluster), locks().filter((lock) => lock === 'suspended')]).toEqual([1, ['suspended']]);
  const full = cluster.snapshot();
  for (const storage of full.storages) Object.assign(storage, { used: storage.size });
  const crowded = await startCluster({ state: full });
  const said = await run(crowded, `${FREEZE} --suspend --dry-run`);
  expect(said.stdout).toMatch(/boris@pve.*\[NO_CAPACITY\][\s\S]*power suspend --storage ID/);
  expect(await run(crowded, `${FREEZE} --suspend`)).toMatchObject({ code: 5 });
  expect(rightsOf(crowded.snapshot(), 'boris@pve')).toEqual([]);
  expect(running(crowded)).toBe(1);
  const thawed = await run(cluster, `${THAW} --user anna@pve`);
  expect([thawed.code, thawed.stdout]).toEqual([0, expect.stringMatching(/pc +suspended +complete/)]);
  const woken = await run(cluster, 'power resume --user anna@pve');
  expect([woken.code, running(cluster)]).toEqual([0, 2]);
});

test('bad input, nobody there, and documents', async () => {
  const cluster = await startCluster();
  const { run } = room(FILES);
  await run(cluster, 'deploy -c @lab.yml -u @users.yml --only anna');
  expect(await run(cluster, 'access freeze')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('exam (1 stand)') as string,
  });
  expect(await run(cluster, `${FREEZE} --snapshot 1st`)).toMatchObject({ code: 2 });
  const since = cluster.requests.length;
  const dry = await run(cluster, `${FREEZE} --stop --dry-run --detailed-exitcode --output json`);
  expect([dry.code, writes(cluster, since)]).toEqual([6, []]);
  const real = await run(cluster, `${FREEZE} --output json`);
  expect(real.stdout).toContain('no stand of lab exam');
  for (const { stdout } of [dry, real, await run(cluster, `${THAW} --output json`)])
    expect(resultErrors(stdout)).toEqual([]);
});
