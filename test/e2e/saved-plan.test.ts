/** A plan that is saved, looked at and applied later: as it was, half-way, after the cluster changed, and edited. */
import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeployPlan } from '../../src/lib/plan/document/plan.ts';
import type { Step, StepKind } from '../../src/lib/plan/document/step.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { change, changed } from '../fuzz/mutate.ts';
import { cleanUp } from '../cleanups.ts';
import { runs } from '../runs.ts';
import { comparable } from './cluster-view.ts';
import { startFrom, watchWrites } from './killing.ts';
import {
  post,
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  writes,
  type Cluster,
  type RunOutcome,
} from './harness.ts';

const LAB = `name: net
machines:
  - { device_type: ecorouter, name: eco, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: lan }] }
  - device_type: linux
    name: host
    template_vmid: 101
    start: true
    baseline_snapshot: clean
    pool_role: PVEVMUser
    networks: [{ bridge: lan.100 }, { bridge: "**vmbr500**" }]
`;
const USERS = 'users: [anna@pve, boris@pve]\n';

interface Class {
  readonly folder: string;
  readonly at: (name: string) => string;
  readonly deploy: readonly string[];
  readonly apply: readonly string[];
}

function newClass(lab = LAB, users = USERS): Class {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': lab, 'users.yml': users });
  const at = (name: string): string => join(folder, name);
  const deploy = ['deploy', '-c', at('lab.yml'), '-u', at('users.yml'), '--credentials', at('c.csv')];
  return { folder, at, deploy, apply: [...deploy, '--plan', at('plan.json')] };
}

/** The plan as text, of the default cluster at the version. */
async function planned(one: Class, cluster: Cluster, ...more: string[]): Promise<DeployPlan> {
  const run = await runCli([...one.deploy, '--dry-run', '--out', one.at('plan.json'), ...more], cluster);
  expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
  expect(writes(cluster)).toEqual([]);
  return JSON.parse(readFileSync(one.at('plan.json'), 'utf8')) as DeployPlan;
}

function save(one: Class, plan: unknown): void {
  writeFileSync(one.at('plan.json'), JSON.stringify(plan));
}

const complaint = (run: RunOutcome): string => (run.code === 0 ? '' : run.stdout + run.stderr);

async function done(argv: readonly string[], cluster: Cluster): Promise<void> {
  const run = await runCli(argv, cluster);
  expect([run.code, complaint(run)]).toEqual([0, '']);
  await cluster.idle();
}

/** Of what it tried to write, nothing came to be. */
async function refused(argv: readonly string[], cluster: Cluster, says: RegExp): Promise<void> {
  const before = cluster.requests.length;
  const run = await runCli(argv, cluster);
  expect([run.code, run.stderr.replaceAll(/\s+/g, ' ')]).toEqual([3, expect.stringMatching(says)]);
  expect(writes(cluster, before)).toEqual([]);
}

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  const start = (more: Parameters<typeof startCluster>[0] = {}) =>
    startCluster({ scenario: scenario({ version }), ...more });

  test('applied a day later it is what a deploy makes; and again, there is nothing to do', async () => {
    const expected = await start();
    await done(newClass().deploy, expected);
    const cluster = await start();
    const one = newClass();
    await planned(one, cluster);
    await cluster.time.sleep(24 * 3600 * 1000);
    await done(one.apply, cluster);
    // To whoever looks for leftovers it is as young as it is, not as old as the file.
    const marks = JSON.stringify(cluster.snapshot()).match(/since=[^ "\\]*/g) ?? [];
    expect(marks.length).toBeGreaterThan(6);
    expect(marks.filter((mark) => mark < 'since=2026-09-02T08:00:00Z')).toEqual([]);
    expect(comparable(cluster.snapshot())).toEqual(comparable(expected.snapshot()));
    const since = cluster.requests.length;
    const again = await runCli(one.apply, cluster);
    expect([again.code, writes(cluster, since)]).toEqual([0, []]);
    expect(again.stdout).toContain('nothing to do');
  });

  test('killed here and there, it is finished by the same plan', async () => {
    const one = newClass();
    const before = await start();
    await planned(one, before);
    const origin = { scenario: scenario({ version }), state: before.snapshot() };
    const { cluster: expected, run, wrecks } = await watchWrites(one.apply, one.folder, origin);
    expect([run.code, complaint(run)]).toEqual([0, '']);
    await expected.idle();
    expect(wrecks.length).toBeGreaterThan(20);
    for (let n = 2; n <= wrecks.length; n += 5) {
      const wreck = wrecks[n - 1]!;
      const again = newClass();
      writeFiles(again.folder, wreck.files, 0o600);
      const cluster = await startFrom(wreck, origin);
      await cluster.time.sleep(3600 * 1000);
      await done(again.apply, cluster);
      expect({ n, state: comparable(cluster.snapshot()) }).toEqual({
        n,
        state: comparable(expected.snapshot()),
      });
    }
  });

  test('what others did meanwhile is named, and nothing is written', async () => {
    const cluster = await start();
    const one = newClass();
    await planned(one, cluster);
    await cluster.time.sleep(1000);
    expect(await post(cluster, '/nodes/pve2/qemu', { vmid: '10001', name: 'foreign' })).toBe(200);
    await cluster.idle();
    await refused(
      one.apply,
      cluster,
      /VMID 10001 is taken by a guest on pve2 \[PLAN_STALE\].*--dry-run --out/,
    );
    expect(await post(cluster, '/nodes/pve2/qemu/10001', {}, 'admin', 'DELETE')).toBe(200);
    await cluster.idle();
    const form = { iface: 'vmbr1000', type: 'bridge', autostart: '1', comments: 'mine' };
    expect(await post(cluster, '/nodes/pve3/network', form)).toBe(200);
    expect(await post(cluster, '/nodes/pve3/network', {}, 'admin', 'PUT')).toBe(200);
    await cluster.idle();
    await refused(one.apply, cluster, /bridge vmbr1000 exists on pve3 \[PLAN_STALE\]/);
  });
});

test('a number that is taken while it is applied fails its stand; nothing is planned again', async () => {
  let pools = 0;
  const cluster: Cluster = await startCluster({
    onAnswer: ({ method, target }) => {
      if (method !== 'POST' || !target.endsWith('/pools')) return;
      pools += 1;
      // The planning lock was the first, under which everything is planned.
      if (pools !== 2) return;
      void post(cluster, '/nodes/pve2/qemu', { vmid: '10002', name: 'foreign' });
    },
  });
  const one = newClass();
  await planned(one, cluster);
  const run = await runCli([...one.apply, '--output', 'json'], cluster);
  await cluster.idle();
  const guests = cluster.snapshot().guests;
  expect(guests.find(({ vmid }) => vmid === 10002)?.config['name']).toBe('foreign');
  const { summary } = JSON.parse(run.stdout) as {
    summary: { stands: { user: string; status: string; error?: { code: string } }[] };
  };
  expect([run.code, summary.stands.map(({ user, status, error }) => [user, status, error?.code])]).toEqual([
    5,
    [
      ['anna@pve', 'complete', undefined],
      ['boris@pve', 'incomplete', 'VMID_TAKEN'],
    ],
  ]);
  expect(guests.filter(({ vmid }) => vmid > 10003)).toEqual([]);
  const since = cluster.requests.length;
  const again = await runCli(one.apply, cluster);
  expect([again.code, writes(cluster, since)]).toEqual([3, []]);
});

test('a node that is gone', async () => {
  const first = await startCluster();
  const one = newClass();
  await planned(one, first);
  const state = first.snapshot();
  const cluster = await startCluster({
    state: {
      ...state,
      nodes: state.nodes.map((node) => (node.name === 'pve2' ? { ...node, online: false } : node)),
    } satisfies ClusterState,
  });
  await refused(one.apply, cluster, /node pve2 is offline \[PLAN_STALE\]/);
});

test('a class that another run has made meanwhile is done', async () => {
  const cluster = await startCluster();
  const one = newClass();
  await planned(one, cluster);
  await done(newClass(LAB).deploy, cluster);
  const since = cluster.requests.length;
  await done(one.apply, cluster);
  expect(writes(cluster, since)).toEqual([]);
});

test('a part of it that another run has made under other numbers is in the way of nothing', async () => {
  const cluster = await startCluster();
  const one = newClass();
  await planned(one, cluster);
  await done([...newClass(LAB).deploy, '--only', 'boris'], cluster);
  await refused(one.apply, cluster, /VMID 10000 is claimed by pool boris|VMID 10000 is taken/);
});

test('made with --only, it is for those users', async () => {
  const cluster = await startCluster();
  const one = newClass();
  await planned(one, cluster, '--only', 'boris');
  await done(one.apply, cluster);
  expect(cluster.snapshot().users.map(({ userid }) => userid)).not.toContain('anna@pve');
  expect(cluster.snapshot().users.map(({ userid }) => userid)).toContain('boris@pve');
});

describe('files', () => {
  test('that were laid out otherwise are the same; of a changed one nothing is asked of the cluster', async () => {
    const cluster = await startCluster();
    const one = newClass();
    await planned(one, cluster);
    writeFileSync(one.at('lab.yml'), `# for monday\n${LAB.replace('name: net\n', '')}name: 'net'\n`);
    writeFileSync(one.at('users.yml'), 'users:\n  - anna@pve # she\n  - boris@pve\n');
    const since = cluster.requests.length;
    for (const [name, text] of [
      ['lab.yml', LAB.replace('template_vmid: 101', 'template_vmid: 102')],
      ['users.yml', 'users: [anna@pve, boris@pve, carla@pve]\n'],
    ] as const) {
      const before = readFileSync(one.at(name), 'utf8');
      writeFileSync(one.at(name), text);
      await refused(
        one.apply,
        cluster,
        /says something else than when the plan was made.*\[PLAN_OTHER_FILES\]/,
      );
      writeFileSync(one.at(name), before);
    }
    expect(cluster.requests.length).toBe(since);
    await done(one.apply, cluster);
  });

  test('a plan of 0.1.0 is to be made again', async () => {
    const cluster = await startCluster();
    const one = newClass();
    const plan = await planned(one, cluster);
    save(one, { ...plan, version: 1, preconditions: [] });
    const since = cluster.requests.length;
    const run = await runCli(one.apply, cluster);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('[PLAN_VERSION]')]);
    expect(run.stderr.replaceAll(/\s+/g, ' ')).toContain('plan again: the same command with --dry-run --out');
    expect(cluster.requests.length).toBe(since);
  });

  test('no password can be guessed by a plan', async () => {
    const cluster = await startCluster();
    const secret = (word: string) =>
      LAB.replace('pool_role: PVEVMUser', `cloud_init: { user: student, password: ${word} }`);
    const first = await planned(newClass(secret('banana')), cluster);
    const other = await planned(newClass(secret('cherry')), cluster);
    expect(JSON.stringify(first)).not.toContain('banana');
    expect(first.files).toEqual(other.files);
  });
});

describe('edited', () => {
  const edit = (plan: DeployPlan, kind: StepKind, part: object): DeployPlan => {
    const at = plan.steps.findIndex((step) => step.kind === kind);
    expect(at).toBeGreaterThanOrEqual(0);
    return { ...plan, steps: plan.steps.map((step, i) => (i === at ? { ...step, ...part } : step)) };
  };

  test('the holes of 0.1.0: claims in pool.create, vm.clone into a foreign pool, a bogus bridge.create', async () => {
    const cluster = await startCluster();
    expect(await post(cluster, '/pools', { poolid: 'prod', comment: 'hands off' })).toBe(200);
    const one = newClass();
    const run = await runCli([...one.deploy, '--dry-run', '--out', one.at('plan.json')], cluster);
    expect(run.code).toBe(0);
    const plan = JSON.parse(readFileSync(one.at('plan.json'), 'utf8')) as DeployPlan;

    const claims = 'deploy-stand user=anna@pve\nlab=net vmids=100-101 since=2026-01-15T09:00:00Z';
    save(one, edit(plan, 'pool.create', { comment: claims }));
    await refused(one.apply, cluster, /pool\.create:anna: comment is .*vmids=100-101/);

    save(one, edit(plan, 'vm.clone', { pool: 'prod' }));
    await refused(one.apply, cluster, /vm\.clone:anna\/eco: pool is "prod" in the plan and "anna" now/);

    const own = plan.steps.find((step) => step.kind === 'bridge.create' && step.user === 'anna@pve');
    const bogus = {
      ...own!,
      id: 'bridge.create:pve1/vmbr0',
      bridge: 'vmbr0',
      comment: 'deploy-stand bridge=vmbr0 lab=net user=anna@pve net=lan since=2026-01-15T09:00:00Z',
    } as Step;
    const plugged = edit(plan, 'vm.configure', {
      nics: [{ index: 0, model: 'virtio', bridge: 'vmbr0' }],
    });
    save(one, { ...plugged, steps: [bogus, ...plugged.steps] });
    await refused(one.apply, cluster, /vm\.configure:anna\/eco: nics is .*vmbr0/);
  });

  test('removals are never taken from a file', async () => {
    const cluster = await startCluster();
    const one = newClass();
    await done(one.deploy, cluster);
    const dry = await runCli(
      ['cleanup', '-c', one.at('lab.yml'), '-u', one.at('users.yml'), '--dry-run', '--output', 'json'],
      cluster,
    );
    const { plan } = JSON.parse(dry.stdout) as { plan: DeployPlan };
    save(one, plan);
    const since = cluster.requests.length;
    expect((await runCli(one.apply, cluster)).code).toBe(2);
    save(one, { ...plan, command: 'deploy' });
    const before = await runCli(one.apply, cluster);
    expect(before.code).toBe(3);
    expect(writes(cluster, since)).toEqual([]);
  });

  test('anyhow: refused with nothing written, or the very same writes', async () => {
    const origin = newClass();
    const plan = await planned(origin, await startCluster());
    // When a task is looked at depends on when it was started: from the same moment on, they do the same.
    const first = await startCluster();
    await done(origin.apply, first);
    const expected = { writes: writes(first), state: comparable(first.snapshot()) };
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), async (changes) => {
        try {
          const cluster = await startCluster();
          const one = newClass();
          save(one, changed(plan, changes));
          const run = await runCli(one.apply, cluster);
          await cluster.idle();
          if (run.code === 0)
            expect({ writes: writes(cluster), state: comparable(cluster.snapshot()) }).toEqual(expected);
          else expect([[2, 3].includes(run.code), writes(cluster)]).toEqual([true, []]);
        } finally {
          await cleanUp();
        }
      }),
      runs(20, 3000),
    );
  });
});
