/** Cleanup on the simulator: what deploy made is gone without a trace, and nothing else was touched. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { comparable } from './cluster-view.ts';
import { post, runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';

const LABS = {
  'net.yml': `name: net
expires: 2026-01-31
machines:
  - { device_type: ecorouter, name: eco, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: lan }] }
  - { device_type: linux, name: host, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
`,
  'web.yml': `name: web
machines:
  - { device_type: linux, name: www, template_vmid: 102, networks: [{ bridge: vmbr0 }, { bridge: dmz }] }
`,
  'flat.yml': `name: flat
machines: [{ device_type: linux, name: pc, template_vmid: 200, networks: [{ bridge: vmbr0 }] }]
`,
};

const USERS = 20;

function classFolder(count = USERS): string {
  const folder = workFolder();
  const users = Array.from({ length: count }, (_, i) => `student${i + 1}@pve`).join(', ');
  writeFiles(folder, { ...LABS, 'users.yml': `users: [${users}]\n` });
  return folder;
}

function files(folder: string, lab: string): string[] {
  return [
    '-c',
    join(folder, `${lab}.yml`),
    '-u',
    join(folder, 'users.yml'),
    '--credentials',
    join(folder, `${lab}.csv`),
  ];
}

let pristine: unknown;
/** After all three labs were deployed. */
let deployed: ClusterState;

beforeAll(async () => {
  const folder = classFolder();
  const simulator = await startCluster();
  pristine = comparable(simulator.snapshot());
  for (const lab of ['net', 'web', 'flat']) {
    const run = await runCli(['deploy', ...files(folder, lab)], simulator);
    expect([lab, run.code]).toEqual([lab, 0]);
  }
  deployed = simulator.snapshot();
});

const labs = ['net', 'web', 'flat'];

describe('each way of selecting ends where everything began', () => {
  const ways: { name: string; commands: (folder: string) => string[][] }[] = [
    { name: '-c and -u', commands: (folder) => labs.map((lab) => files(folder, lab)) },
    { name: '--lab', commands: () => labs.map((lab) => ['--lab', lab]) },
    {
      name: '--user',
      commands: () => [Array.from({ length: USERS }, (_, i) => ['--user', `student${i + 1}@pve`]).flat()],
    },
  ];

  test.each(ways)('$name', async ({ commands }) => {
    const folder = classFolder();
    const simulator = await startCluster({ state: deployed });
    for (const selection of commands(folder)) {
      const run = await runCli(['cleanup', ...selection], simulator);
      expect([run.code, run.code === 0 ? '' : run.stdout + run.stderr]).toEqual([0, '']);
    }
    expect(comparable(simulator.snapshot())).toEqual(pristine);
    const since = simulator.requests.length;
    const again = await runCli(['cleanup', ...commands(folder)[0]!], simulator);
    expect([again.code, writes(simulator, since)]).toEqual([0, []]);
  });

  test('--expired takes the labs whose day is over, and no other', async () => {
    const simulator = await startCluster({ state: deployed });
    const run = await runCli(['cleanup', '--expired'], simulator);
    expect(run.code).toBe(0);
    const state = simulator.snapshot();
    expect(state.guests.some((guest) => guest.config['name'] === 'eco')).toBe(false);
    expect(state.guests.filter((guest) => guest.config['name'] === 'www')).toHaveLength(USERS);
    for (const pool of state.pools.filter((entry) => entry.poolid.startsWith('student'))) {
      expect(pool.comment.match(/^lab=(\w+)/gm)).toEqual(['lab=web', 'lab=flat']);
      expect(pool.vms).toHaveLength(2);
    }
    expect(state.acl.filter((entry) => entry.subject.startsWith('student'))).toHaveLength(USERS);
  });

  test('--orphans finds nothing in a finished class', async () => {
    const simulator = await startCluster({ state: deployed });
    const run = await runCli(['cleanup', '--orphans', '--min-age', '0s'], simulator);
    expect(run.code).toBe(0);
    expect(writes(simulator)).toEqual([]);
  });
});

describe('what stays', () => {
  test('without a selection: a usage error that lists what there is', async () => {
    const simulator = await startCluster({ state: deployed });
    const run = await runCli(['cleanup'], simulator);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('flat (20 stands), net (20 stands), web (20 stands)');
  });

  test.each([
    ['--lab', ' '],
    ['--user', 'anna'],
    ['--user', ''],
  ])('%s "%s" is no selection', async (...argv) => {
    const simulator = await startCluster({ state: deployed });
    const run = await runCli(['cleanup', ...argv], simulator);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('[SELECTION]')]);
  });

  test('a lab that nobody has is nothing to do, and told with those that are there', async () => {
    const simulator = await startCluster({ state: deployed });
    const run = await runCli(['cleanup', '--lab', 'nett'], simulator);
    expect([run.code, writes(simulator)]).toEqual([0, []]);
    expect(run.stderr).toContain(
      'warning: nothing of lab nett is there; labs on this cluster: flat (20 stands)',
    );
    expect(run.stderr).not.toContain('applying');
  });

  test('more than --max-changes: refused with the number, nothing changed', async () => {
    const simulator = await startCluster({ state: deployed });
    const run = await runCli(['cleanup', '--lab', 'net', '--max-changes', '5'], simulator);
    expect([run.code, writes(simulator)]).toEqual([3, []]);
    expect(run.stderr).toContain('the plan removes 60 objects, --max-changes allows 5');
  });

  test('a protected VM is reported, keeps its claim, and goes with --force-protected', async () => {
    const state = structuredClone(deployed);
    const guest = state.guests.find((entry) => entry.config['name'] === 'pc')!;
    guest.config['protection'] = '1';
    const simulator = await startCluster({ state });
    const run = await runCli(['cleanup', '--lab', 'flat'], simulator);
    expect(run.code).toBe(5);
    expect(run.stdout).toContain(`VM ${guest.vmid} on ${guest.node} is protected`);
    const left = simulator.snapshot();
    expect(left.guests.filter((entry) => entry.config['name'] === 'pc').map((entry) => entry.vmid)).toEqual([
      guest.vmid,
    ]);
    expect(left.pools.filter((pool) => pool.comment.includes('lab=flat'))).toHaveLength(1);
    expect((await runCli(['cleanup', '--lab', 'flat', '--force-protected'], simulator)).code).toBe(0);
    expect(simulator.snapshot().guests.some((entry) => entry.config['name'] === 'pc')).toBe(false);
  });

  test('a bridge that a foreign guest names stays, and so does a pool with a foreign member', async () => {
    const state = structuredClone(deployed);
    const bridge = state.nodes
      .flatMap((node) => node.interfaces)
      .find((row) => row.options['comments']?.includes('net=lan'))!;
    const node = state.nodes.find((entry) => entry.interfaces.includes(bridge))!;
    const foreign = state.guests.find((entry) => entry.vmid === 302)!;
    foreign.node = node.name;
    foreign.config['net0'] = `name=eth0,bridge=${bridge.iface},hwaddr=BC:24:11:AA:AA:AA`;
    const simulator = await startCluster({ state });
    const owner = /user=(\S+)/.exec(bridge.options['comments']!)![1]!;
    const form = { poolid: owner.split('@')[0]!, vms: '303' };
    expect(await post(simulator, '/pools', form, 'admin', 'PUT')).toBe(200);
    for (const lab of labs) await runCli(['cleanup', '--lab', lab], simulator);
    const left = simulator.snapshot();
    expect(left.nodes.flatMap((entry) => entry.interfaces).some((row) => row.iface === bridge.iface)).toBe(
      true,
    );
    const pool = left.pools.find((entry) => entry.poolid === form.poolid)!;
    expect([pool.vms, pool.comment]).toEqual([[303], 'no longer used by deploy-stand']);
    expect(left.guests.filter((entry) => entry.vmid >= 10000)).toEqual([]);
  });

  test('--keep-users leaves users, pools and passwords for the next lab', async () => {
    const folder = classFolder();
    const simulator = await startCluster({ state: deployed });
    for (const lab of labs) {
      expect((await runCli(['cleanup', '--lab', lab, '--keep-users'], simulator)).code).toBe(0);
    }
    const kept = simulator.snapshot();
    expect(kept.users.filter((user) => user.userid.startsWith('student'))).toHaveLength(USERS);
    expect(kept.pools.filter((pool) => pool.comment.startsWith('deploy-stand user='))).toHaveLength(USERS);
    expect(kept.acl.some((entry) => entry.subject.startsWith('student'))).toBe(false);
    expect((await runCli(['deploy', ...files(folder, 'flat')], simulator)).code).toBe(0);
    expect(readFileSync(join(folder, 'flat.csv'), 'utf8')).toMatch(/^student1@pve,,unchanged,/m);
  });
});
