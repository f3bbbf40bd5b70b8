/** Snapshots of whole stands, and both ways back, on each version: what students did, kept or lost, and what is refused. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { macsOf } from './cluster-view.ts';
import { post, scenario, startCluster, writes, type Cluster } from './harness.ts';
import { admin, person, putPool, room } from './people.ts';

const FILES = {
  'lab.yml':
    'name: net\naccess: { role: student }\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, start: true, baseline_snapshot: true, networks: [{ bridge: hq }, { bridge: vmbr0 }] }]\n',
  'users.yml': 'users: [anna@pve, boris@pve]\n',
};
const CLASS = '-c @lab.yml -u @users.yml';
const AT = '/nodes/pve1/qemu/10000';

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test('a student who breaks things: taken, listed, kept, back both ways', async () => {
    let beside: (() => Promise<void>) | undefined;
    const onMutation = () => beside?.() ?? Promise.resolve();
    const cluster = await startCluster({ scenario: scenario({ version }), onMutation });
    const { run } = room(FILES);
    expect((await run(cluster, `deploy ${CLASS} --node pve1 --strategy specific`)).code).toBe(0);
    const macs = macsOf(cluster.snapshot()).sort();
    const anna = await person(cluster, 'anna@pve');
    expect(await anna.task('POST', `${AT}/snapshot`, { snapname: 'mine' })).toBe('OK');
    expect((await run(cluster, 'snapshot create one --lab net --keep 1')).code).toBe(0);
    expect((await run(cluster, 'snapshot create two --lab net --keep 1')).code).toBe(0);
    const listed = await run(cluster, 'snapshot list --lab net --output json');
    const document = JSON.parse(listed.stdout) as {
      machines: { snapshots: { name: string; owner: string }[] }[];
    };
    const isListed = new Ajv({ strict: true, allowUnionTypes: true }).compile(
      JSON.parse(readFileSync('schemas/snapshots.schema.json', 'utf8')) as object,
    );
    expect([isListed(document), isListed.errors]).toEqual([true, null]);
    expect(
      document.machines.map(({ snapshots }) => snapshots.map(({ name, owner }) => `${name} ${owner}`)),
    ).toEqual([
      ['baseline baseline', 'mine student', 'two ours'],
      ['baseline baseline', 'two ours'],
    ]);
    // Neither taken again, nor deleted.
    const used = await run(cluster, 'snapshot create mine --user anna@pve');
    expect([used.code, used.stderr]).toEqual([3, expect.stringContaining('that its student took')]);
    expect((await run(cluster, 'snapshot delete mine --user anna@pve')).code).toBe(3);

    await admin(cluster).ok('PUT', `${AT}/config`, { delete: 'net1' });
    const back = await run(cluster, 'reset --user anna@pve');
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('The stands are reset: 1 stand')]);
    expect(macsOf(cluster.snapshot()).sort()).toEqual(macs);

    // Who is up to date loses nothing.
    const current = await run(cluster, `reset --reclone --outdated ${CLASS}`);
    expect([current.code, current.stdout]).toEqual([0, expect.stringMatching(/nothing to do/i)]);
    // Who takes out of the notes what tells it is not passed over without a word.
    const { description } = (await admin(cluster).ok('GET', `${AT}/config`)) as { description: string };
    await admin(cluster).ok('PUT', `${AT}/config`, { description: description.replace(/ from=\S+/, '') });
    const untold = await run(cluster, `reset --reclone --outdated ${CLASS}`);
    expect([untold.code, untold.stdout]).toEqual([
      0,
      expect.stringMatching(
        /VM 10000 \(\w+\) do not say from which template[^]*nobody knows whether it is outdated/,
      ),
    ]);
    await admin(cluster).ok('PUT', `${AT}/config`, { description });
    const since = cluster.requests.length;
    const lost = await run(cluster, `reset --reclone ${CLASS} --only anna`);
    expect([lost.code, lost.stderr]).toEqual([3, expect.stringContaining('that would be lost: mine')]);
    expect(writes(cluster, since)).toEqual([]);
    // Whoever looks meanwhile, before and after each write, is told that it is under way, and of no problem.
    const look = async () => {
      const { code, stdout } = await run(cluster, 'status --check --user anna@pve');
      expect([code, stdout]).toEqual([0, expect.stringContaining('no problems')]);
      return Array.from(stdout.matchAll(/being made|cloning/g), ([state]) => state);
    };
    await look();
    const seen = new Set<string>();
    beside = async () => (await look()).forEach((state) => seen.add(state));
    const anew = await run(cluster, `reset --reclone ${CLASS} --only anna --discard-snapshots`);
    beside = undefined;
    expect([anew.code, [...seen].sort()]).toEqual([0, ['being made', 'cloning']]);
    const guest = cluster.snapshot().guests.find(({ vmid }) => vmid === 10000);
    expect(guest?.snapshots.map(({ name }) => name)).toEqual(['baseline']);
    expect(guest?.runningSince).toBeDefined();
    expect(macsOf(cluster.snapshot()).sort()).toEqual(macs);
    expect((await run(cluster, `deploy ${CLASS}`)).stdout).toContain('nothing to do');
    const fresh = await run(cluster, `reset --reclone --outdated ${CLASS}`);
    expect([fresh.code, fresh.stdout]).toEqual([0, expect.stringMatching(/nothing to do/i)]);
    // A claim of 0.1.0 does not say which machine it is: notes and name do.
    const claim = (): string =>
      cluster.snapshot().pools.find(({ poolid }) => poolid === 'anna')?.comment ?? '';
    const comment = claim().replace('vms=pc:10000', 'vmids=10000');
    expect((await putPool(admin(cluster), version, 'anna', { comment })).status).toBe(200);
    expect(claim()).toContain('vmids=10000');
    const old = await run(cluster, `reset --reclone ${CLASS} --only anna --machine pc`);
    expect([old.code, old.stdout, claim()]).toEqual([
      ...[0, expect.stringContaining('1 stand: 1 complete')],
      expect.stringContaining('vms=pc:10000'),
    ]);
    seen.clear();
    // Until nothing tells of the clones any more. Before it cuts the power, a cleanup only takes access.
    await cluster.time.sleep(60_000);
    const alarms: string[] = [];
    beside = async () => {
      const { code, stdout } = await run(cluster, 'status --check');
      if (stdout.includes('being removed')) seen.add('being removed');
      const isCut = !cluster
        .snapshot()
        .guests.some(({ vmid, runningSince }) => vmid === 10000 && runningSince !== undefined);
      if (code !== 0 && isCut) alarms.push(stdout);
    };
    const gone = await run(cluster, 'cleanup --lab net');
    beside = undefined;
    expect([gone.code, [...seen], alarms]).toEqual([0, ['being removed'], []]);
  });
});

test('a machine that was made a template is cloned anew without root, unless linked clones hang on it', async () => {
  const cluster = await startCluster({ scenario: scenario({ version: '9.2' }) });
  const { run } = room({ ...FILES, 'lab.yml': FILES['lab.yml'].replace('baseline_snapshot: true, ', '') });
  expect((await run(cluster, `deploy ${CLASS} --only anna --node pve1 --strategy specific`)).code).toBe(0);
  const root = admin(cluster);
  await root.task('POST', `${AT}/status/stop`);
  expect(await root.task('POST', `${AT}/template`)).toBe('OK');
  expect(await root.task('POST', `${AT}/clone`, { newid: 777, name: 'child', pool: 'anna' })).toBe('OK');
  const again = await run(cluster, `deploy ${CLASS} --only anna`);
  expect(again.stdout).toMatch(
    /`deploy-stand reset --reclone -c \S+ --user anna@pve --machine pc` makes VM \d+ anew\n/,
  );
  expect(again.stdout).not.toContain('To finish');
  const held = await run(cluster, 'reset --reclone -c @lab.yml --user anna@pve --machine pc');
  expect([held.code, held.stdout]).toEqual([5, expect.stringMatching(/has linked clones[^]*BASE_IN_USE/)]);
  // It is the stand's again, and told as before.
  const between = await run(cluster, `deploy ${CLASS} --only anna`);
  expect([between.code, between.stdout]).toEqual([5, expect.stringContaining('[VM_IS_TEMPLATE]')]);
  expect(await root.task('DELETE', '/nodes/pve1/qemu/777')).toBe('OK');
  const anew = await run(cluster, 'reset --reclone -c @lab.yml --user anna@pve --machine pc');
  expect([anew.code, anew.stdout]).toEqual([0, expect.stringContaining('running')]);
  expect((await run(cluster, `deploy ${CLASS} --only anna`)).stdout).toContain('nothing to do');
});

test('a snapshot that names what is another stand’s by now is not gone back to', async () => {
  const cluster = await startCluster({ scenario: scenario({ version: '8.4' }) });
  const { run } = room(FILES);
  await run(cluster, `deploy ${CLASS} --node pve1 --strategy specific`);
  await admin(cluster).ok('PUT', `${AT}/config`, { net2: 'virtio,bridge=vmbr1001' });
  await run(cluster, 'snapshot create odd --user anna@pve');
  await admin(cluster).ok('PUT', `${AT}/config`, { delete: 'net2' });
  const seen = cluster.requests.length;
  const refused = await run(cluster, 'snapshot rollback odd --user anna@pve');
  expect([refused.code, refused.stderr]).toEqual([
    3,
    expect.stringContaining('belongs to the stand of boris@pve'),
  ]);
  // Nothing to go back to: the hint is a whole command, for those alone who lack it, and does what it says.
  const none = await run(cluster, `reset --to odd ${CLASS} --machine pc --only boris`);
  const [, command = ''] = /`deploy-stand (.*? --user \S+)`/.exec(none.stderr) ?? [];
  expect([none.code, command]).toEqual([
    3,
    expect.stringMatching(/^reset --reclone -c \S+ --user boris@pve$/),
  ]);
  expect(await run(cluster, `${command} --dry-run`)).toMatchObject({ code: 0 });
  expect((await run(cluster, 'reset --to odd --user boris@pve')).stderr).toContain(
    '`deploy-stand reset --reclone -c lab.yml --user boris@pve`',
  );
  expect(writes(cluster, seen)).toEqual([]);
  // Notes that a student emptied: the plan names the command, which works and says nothing of what it replaced.
  await admin(cluster).ok('PUT', AT.replace('10000', '10001') + '/config', { description: 'mine' });
  const told = (await run(cluster, `deploy ${CLASS} --dry-run`)).stdout;
  const [, anew = ''] = /`deploy-stand (reset [^`]*)`/.exec(told.replaceAll(/\n */g, ' ')) ?? [];
  const remade = await run(cluster, anew);
  expect([remade.code, remade.stdout]).toEqual([0, expect.not.stringContaining('emptied')]);
});

test('whose number is taken between removal and clone gets another by the command that is printed', async () => {
  let isArmed = false;
  const cluster: Cluster = await startCluster({
    scenario: scenario({ version: '9.2', pools: [{ pool: 'zzz' }] }),
    onRequest: ({ target }) => {
      if (!isArmed || !target.endsWith('/clone')) return;
      isArmed = false;
      void post(cluster, '/nodes/pve1/qemu', { vmid: '10000', pool: 'zzz', memory: '16' });
    },
  });
  const { run } = room(FILES);
  await run(cluster, `deploy ${CLASS} --node pve1 --strategy specific`);
  isArmed = true;
  const taken = await run(cluster, `reset --reclone ${CLASS} --only anna`);
  expect([taken.code, taken.stdout]).toEqual([5, expect.stringContaining('[VMID_TAKEN]')]);
  const [, command = ''] = /To finish: deploy-stand (.*)/.exec(taken.stdout) ?? [];
  const finished = await run(cluster, command);
  expect([finished.code, finished.stdout]).toEqual([0, expect.stringContaining('another id is used')]);
  expect(cluster.snapshot().guests.find(({ vmid }) => vmid === 10000)?.config).toMatchObject({
    memory: '16',
  });
});

test.each([
  ['reset --reclone --lab net', 'RECLONE_LAB'],
  ['reset --reclone --to a1 -c @lab.yml -u @users.yml', 'RESET_WAY'],
  ['reset --outdated --lab net', 'RESET_WAY'],
  ['snapshot create current --lab net', 'SNAPSHOT_NAME'],
])('%s: %s', async (command, code) => {
  const { run } = room(FILES);
  const cluster = await startCluster({ scenario: scenario() });
  const ended = await run(cluster, command);
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(`[${code}]`)]);
});
