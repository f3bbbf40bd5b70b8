import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeployPlan } from '../../src/lib/plan/document/plan.ts';
import { comparable, macsOf } from './cluster-view.ts';
import { canLogin, post, runCli, scenario, startCluster, workFolder, writeFiles, writes } from './harness.ts';
import { admin, putPool } from './people.ts';
import { resultErrors } from './result-schema.ts';

const LAB = `name: net
machines:
  - device_type: ecorouter
    name: eco
    template_vmid: 100
    networks: [{ bridge: vmbr0 }, { bridge: lan }]
  - device_type: linux
    name: host
    template_vmid: 101
    networks: [{ bridge: lan }]
`;

function roster(count: number): string {
  return `users:\n${Array.from({ length: count }, (_, i) => `  - student${i + 1}@pve\n`).join('')}`;
}

function classFiles(count: number, lab = LAB): { folder: string; args: string[]; credentials: string } {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': lab, 'users.yml': roster(count) });
  const credentials = join(folder, 'credentials.csv');
  return {
    folder,
    credentials,
    args: [
      'deploy',
      '-c',
      join(folder, 'lab.yml'),
      '-u',
      join(folder, 'users.yml'),
      '--credentials',
      credentials,
    ],
  };
}

describe('running again', () => {
  test('writes nothing, and says so', async () => {
    const simulator = await startCluster();
    const { args } = classFiles(3);
    expect((await runCli(args, simulator)).code).toBe(0);
    const since = simulator.requests.length;
    const again = await runCli(args, simulator);
    expect(again.code).toBe(0);
    expect(writes(simulator, since)).toEqual([]);
    expect(again.stdout).toContain('nothing to do for 3 stands');
  });

  test('adds only what a new user or a new machine needs', async () => {
    const simulator = await startCluster();
    const { folder, args } = classFiles(2);
    await runCli(args, simulator);
    const before = simulator.snapshot();
    writeFiles(folder, { 'users.yml': roster(3) });
    const grown = await runCli(args, simulator);
    expect(grown.code).toBe(0);
    const known = new Set(before.guests.map((guest) => guest.vmid));
    const after = simulator.snapshot();
    const core = (guests: typeof before.guests) =>
      guests.map(({ vmid, node, config }) => ({ vmid, node, config }));
    expect(core(after.guests.filter((guest) => known.has(guest.vmid)))).toEqual(core(before.guests));
    expect(after.guests.length - before.guests.length).toBe(2);
    const machine =
      '  - { device_type: linux, name: extra, template_vmid: 101, networks: [{ bridge: lan }] }\n';
    writeFiles(folder, { 'lab.yml': LAB + machine });
    const since = simulator.requests.length;
    expect((await runCli(args, simulator)).code).toBe(0);
    expect(writes(simulator, since).filter((text) => text.endsWith('/clone'))).toHaveLength(3);
    expect(writes(simulator, since).some((text) => text.includes('/network'))).toBe(false);
    expect(simulator.snapshot().guests.filter((guest) => guest.config['name'] === 'extra')).toHaveLength(3);
  });
});

describe('credentials', () => {
  test('are written for their owner only, never shown, and log the student in', async () => {
    const simulator = await startCluster();
    const { args, credentials } = classFiles(2);
    const run = await runCli([...args, '--output', 'json', '--progress', 'json'], simulator);
    expect(statSync(credentials).mode & 0o777).toBe(0o600);
    const rows = readFileSync(credentials, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    expect(rows[0]).toEqual(['userid', 'password', 'state', 'pool', 'url']);
    for (const [userid, password, state, pool] of rows.slice(1)) {
      expect([state, pool]).toEqual(['set', userid!.split('@')[0]]);
      expect(password!.length).toBeGreaterThanOrEqual(12);
      expect(run.stdout + run.stderr).not.toContain(password);
      expect(await canLogin(simulator, userid!, password!)).toBe(true);
    }
  });

  test('an existing user keeps the password, and the file says so', async () => {
    const simulator = await startCluster();
    const first = classFiles(1);
    await runCli(first.args, simulator);
    const second = classFiles(2, LAB.replace('name: net', 'name: other'));
    expect((await runCli(second.args, simulator)).code).toBe(0);
    const text = readFileSync(second.credentials, 'utf8');
    expect(text).toMatch(/^student1@pve,,unchanged,student1,/m);
    expect(text).toMatch(/^student2@pve,\S{12,},set,student2,/m);
  });
});

describe('one failure', () => {
  test('of one clone leaves 29 complete stands, exit 5 and the name of the one', async () => {
    const simulator = await startCluster();
    simulator.addFault({
      match: { method: 'POST', path: '/nodes/{node}/qemu/{vmid}/clone' },
      nth: 14,
      action: 'task-fail',
      exitstatus: 'clone failed: no space left on device',
    });
    const lab = `name: one
machines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: vmbr0 }] }]
`;
    const { args } = classFiles(30, lab);
    const run = await runCli(args, simulator);
    expect(run.code).toBe(5);
    expect(run.stdout).toContain('29 complete, 1 incomplete');
    const named = [...run.stdout.matchAll(/^(student\d+)@pve: incomplete/gm)];
    expect(named).toHaveLength(1);
    expect(run.stdout).toContain('no space left on device');
    const again = await runCli(args, simulator);
    expect(again.code).toBe(0);
    expect(simulator.snapshot().guests.filter((guest) => guest.config['name'] === 'pc')).toHaveLength(30);
  });

  test('of the first write, for want of rights, exits 4 and changes nothing', async () => {
    const simulator = await startCluster();
    const { args } = classFiles(1);
    simulator.addFault({
      match: { method: 'POST', path: '/pools' },
      action: 'fail',
      status: 403,
      text: 'Permission check failed (/pool/deploy-stand-lock, Pool.Allocate)',
    });
    const before = comparable(simulator.snapshot());
    const run = await runCli(args, simulator);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('Pool.Allocate');
    expect(comparable(simulator.snapshot())).toEqual(before);
  });
});

test('two deploys of different labs at the same moment share no VMID, bridge or MAC', async () => {
  const simulator = await startCluster();
  const one = classFiles(4);
  const two = classFiles(
    4,
    LAB.replace('name: net', 'name: two').replaceAll(/name: (eco|host)/g, 'name: $1-two'),
  );
  const runs = await Promise.all([runCli(one.args, simulator), runCli(two.args, simulator)]);
  expect(runs.map((run) => (run.code === 0 ? '' : run.stderr))).toEqual(['', '']);
  expect(runs.map((run) => [run.code, run.stderr.includes('failed')])).toEqual([
    [0, false],
    [0, false],
  ]);
  const state = simulator.snapshot();
  const named = (names: readonly string[]) =>
    state.guests.filter((guest) => names.includes(guest.config['name'] ?? ''));
  expect(named(['eco', 'host'])).toHaveLength(8);
  expect(named(['eco-two', 'host-two'])).toHaveLength(8);
  const bridges = state.nodes
    .flatMap((node) => node.interfaces.map((row) => row.iface))
    .filter((name) => /^vmbr1\d{3}$/.test(name));
  expect(bridges).toHaveLength(8);
  expect(new Set(bridges).size).toBe(8);
  const macs = macsOf(state).filter((mac) => mac !== '');
  expect(new Set(macs).size).toBe(macs.length);
  for (const pool of state.pools.filter((entry) => entry.poolid.startsWith('student'))) {
    expect(pool.comment.match(/^lab=/gm)).toHaveLength(2);
    expect(pool.vms).toHaveLength(4);
  }
});

test.each(['7.4', '8.4', '9.2'] as const)(
  'numbers that a cut deploy of 0.1.0 made members before their clones are completed, and cleaned up, on PVE %s',
  async (version) => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const empty = comparable(cluster.snapshot());
    const { args } = classFiles(1);
    const claim =
      'deploy-stand user=student1@pve\nlab=net vmids=10000-10001 node=pve1 since=2026-09-01T08:00:00Z';
    await admin(cluster).ok('POST', '/pools', { poolid: 'student1', comment: claim });
    const members = { comment: claim, vms: '10000,10001' };
    expect((await putPool(admin(cluster), version, 'student1', members)).status).toBe(200);
    const done = await runCli(args, cluster);
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('1 complete')]);
    const { pools } = cluster.snapshot();
    expect(pools.find(({ poolid }) => poolid === 'student1')?.comment).toContain('vms=eco:10000,host:10001');
    expect((await runCli(['cleanup', '--lab', 'net'], cluster)).code).toBe(0);
    expect(comparable(cluster.snapshot())).toEqual(empty);
  },
);

describe('plans', () => {
  test('a dry run changes nothing, exits 6 on request, and its document fits the schema', async () => {
    const simulator = await startCluster();
    const { args } = classFiles(2);
    const dry = await runCli([...args, '--dry-run', '--detailed-exitcode', '--output', 'json'], simulator);
    expect(dry.code).toBe(6);
    expect(writes(simulator)).toEqual([]);
    expect(resultErrors(dry.stdout)).toEqual([]);
    const done = await runCli([...args, '--output', 'json'], simulator);
    expect(resultErrors(done.stdout)).toEqual([]);
    const idle = await runCli([...args, '--dry-run', '--detailed-exitcode'], simulator);
    expect(idle.code).toBe(0);
  });

  test('a saved plan is applied as it was reviewed', async () => {
    const simulator = await startCluster();
    const { folder, args } = classFiles(2);
    const file = join(folder, 'plan.json');
    const dry = await runCli([...args, '--dry-run', '--out', file, '--output', 'json'], simulator);
    const applied = await runCli([...args, '--plan', file, '--output', 'json'], simulator);
    expect(applied.code).toBe(0);
    const [now, then] = [applied, dry].map(({ stdout }) => (JSON.parse(stdout) as { plan: DeployPlan }).plan);
    expect([now!.steps, now!.since, now!.files]).toEqual([then!.steps, then!.since, then!.files]);
  });

  test('a plan that the cluster has overtaken is refused, naming what changed', async () => {
    const simulator = await startCluster();
    const { folder, args } = classFiles(2);
    const file = join(folder, 'plan.json');
    await runCli([...args, '--dry-run', '--out', file], simulator);
    const other = classFiles(1, LAB.replace('name: net', 'name: other'));
    await runCli(other.args, simulator);
    const before = comparable(simulator.snapshot());
    const run = await runCli([...args, '--plan', file], simulator);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('the saved plan is not what would be done now');
    expect(run.stderr).toContain('VMID 10000 is taken');
    expect(comparable(simulator.snapshot())).toEqual(before);
  });
});

describe('signals', () => {
  test('SIGINT ends what runs, starts nothing new, exits 130; the next run finishes', async () => {
    let send: (signal: 'SIGINT') => void = () => undefined;
    let clones = 0;
    const simulator = await startCluster({
      onAnswer: ({ method, target }) => {
        clones += Number(method === 'POST' && target.endsWith('/clone'));
        if (clones !== 2) return;
        clones = Infinity;
        send('SIGINT');
      },
    });
    const { args } = classFiles(6);
    const run = await runCli(args, simulator, { onSignaller: (signaller) => (send = signaller) });
    expect(run.code).toBe(130);
    expect(run.stdout).toContain('To finish: deploy-stand deploy');
    expect(simulator.snapshot().tasks.filter((task) => task.endtime === undefined)).toEqual([]);
    expect(simulator.snapshot().pools.some((pool) => pool.poolid === 'deploy-stand-lock')).toBe(false);
    expect((await runCli(args, simulator)).code).toBe(0);
    expect(
      simulator.snapshot().guests.filter((guest) => /^(eco|host)$/.test(guest.config['name'] ?? '')),
    ).toHaveLength(12);
  });
});

describe('foreign things', () => {
  test('a pool of the user’s name is refused with the hint, and adopted on request', async () => {
    const simulator = await startCluster();
    expect(await post(simulator, '/pools', { poolid: 'student1', comment: 'physics' })).toBe(200);
    const { args } = classFiles(2);
    const run = await runCli(args, simulator);
    expect(run.code).toBe(5);
    expect(run.stdout).toContain('pool student1 exists and was not made by deploy-stand');
    expect(run.stdout).toContain('--adopt');
    expect(simulator.snapshot().pools.find((pool) => pool.poolid === 'student1')?.comment).toBe('physics');
    expect((await runCli([...args, '--adopt'], simulator)).code).toBe(0);
    expect(simulator.snapshot().pools.find((pool) => pool.poolid === 'student1')?.comment).toMatch(
      /^physics\ndeploy-stand user=student1@pve adopted\nlab=net vms=/,
    );
  });

  test('network edits that somebody else staged are never applied', async () => {
    const simulator = await startCluster();
    for (const node of ['pve1', 'pve2', 'pve3']) {
      const form = { iface: 'vmbr55', type: 'bridge', autostart: '1', comments: 'mine' };
      expect(await post(simulator, `/nodes/${node}/network`, form)).toBe(200);
    }
    const { args } = classFiles(1);
    const since = simulator.requests.length;
    const run = await runCli(args, simulator);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('iface vmbr55 inet manual');
    expect(writes(simulator, since).filter((text) => text.includes('/network'))).toEqual([]);
  });
});

describe.each(['7.4', '8.4', '9.2'] as const)('bridges that PVE %s does not list', (version) => {
  const nodes = ['pve1', 'pve2', 'pve3'].map((name) => ({
    name,
    sourced_bridges: ['vmbr1000', 'vmbr1001'],
    hand_made_bridges: ['vmbr1002'],
  }));
  const guests = nodes.flatMap(({ name }, at) =>
    [1000, 1001, 1002].map((number) => ({
      vmid: 400 + at * 10 + (number % 1000),
      node: name,
      name: `dns-${name}-${number}`,
      running: true,
      bridge: `vmbr${number}`,
    })),
  );

  test('are left to the guests that are on them: the stands get other numbers, in one run', async () => {
    const simulator = await startCluster({ scenario: scenario({ version, nodes, guests }) });
    const { args } = classFiles(3);
    const made = await runCli([...args, '--output', 'json'], simulator);
    expect(made.code).toBe(0);
    const { summary } = JSON.parse(made.stdout) as {
      summary: { stands: { status: string; bridges: { iface: string }[] }[] };
    };
    expect(summary.stands.map(({ status }) => status)).toEqual(['complete', 'complete', 'complete']);
    const used = summary.stands.flatMap(({ bridges }) => bridges.map(({ iface }) => iface)).sort();
    expect(used).toEqual(['vmbr1003', 'vmbr1004', 'vmbr1005']);
    const reads = simulator.requests.filter(({ path }) => path.endsWith('/pending'));
    // Two rounds; only the first one reads on nodes where nothing was taken.
    expect(reads.length).toBeLessThanOrEqual(2 * (guests.length + 4 + 6));
    const again = simulator.requests.length;
    expect((await runCli(args, simulator)).stdout).toContain('nothing to do for 3 stands');
    expect(simulator.requests.slice(again).some(({ path }) => path.endsWith('/pending'))).toBe(false);
  });

  test('are looked for when applying, not in a dry run', async () => {
    const simulator = await startCluster({ scenario: scenario({ version, nodes, guests }) });
    const { args } = classFiles(1);
    expect((await runCli([...args, '--dry-run'], simulator)).code).toBe(0);
    expect(simulator.requests.some(({ path }) => path.endsWith('/pending'))).toBe(false);
  });
});

describe('bridge_range', () => {
  const withRange = (range: string) => `bridge_range: ${range}\n${LAB}`;

  test('of the lab: its stands get these numbers', async () => {
    const simulator = await startCluster();
    const { args } = classFiles(2, withRange('3000-3001'));
    expect((await runCli(args, simulator)).code).toBe(0);
    const bridges = simulator
      .snapshot()
      .nodes.flatMap(({ running }) => Object.keys(running))
      .filter((iface) => /^vmbr\d{4}$/.test(iface));
    expect(bridges.sort()).toEqual(['vmbr3000', 'vmbr3001']);
  });

  test.each(['validate', 'deploy', 'doctor'])(
    '%s: one that leaves that of the connection, with its line',
    async (command) => {
      const simulator = await startCluster();
      const { folder, args } = classFiles(2, withRange('1900-2099'));
      const connections = join(folder, 'connections.yml');
      writeFiles(folder, {
        'connections.yml':
          'main:\n  host: pve\n  token_name: u@pve!tok\n  token_value: x\n  bridge_range: 1000-1999\n',
      });
      const since = simulator.requests.length;
      const words = [command, ...args.slice(1, 5), '--connections', connections];
      const refused = await runCli(words, simulator);
      expect(refused.code).toBe(2);
      expect(refused.stderr.replace(/\s+/g, ' ')).toContain(
        'lab.yml:1:15 bridge_range is not inside bridge_range 1000-1999 of connection "main", got 1900-2099',
      );
      expect(simulator.requests.length).toBe(since);
    },
  );
});
