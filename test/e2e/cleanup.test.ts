/** Cleanup on the simulator: what deploy made is gone without a trace, and nothing else was touched. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { beforehand } from '../cleanups.ts';
import { comparable } from './cluster-view.ts';
import { post, runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';

const LABS = {
  'net.yml': `name: net
expires: 2026-09-30
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
const DAY = 86_400_000;

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
/** What the first of them kept. */
let kept: string;

beforeAll(() =>
  beforehand(async () => {
    const folder = classFolder();
    const simulator = await startCluster();
    pristine = comparable(simulator.snapshot());
    for (const lab of ['net', 'web', 'flat']) {
      const run = await runCli(['deploy', ...files(folder, lab)], simulator);
      expect([lab, run.code]).toEqual([lab, 0]);
    }
    deployed = simulator.snapshot();
    kept = readFileSync(join(folder, 'net.csv'), 'utf8');
  }),
);

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

  test('pools that stay are given back in one request each, of which none is refused', async () => {
    const asked: (readonly [string, number])[] = [];
    const simulator = await startCluster({
      state: deployed,
      onAnswer: ({ method, target }, { status }) => void asked.push([`${method} ${target}`, status]),
    });
    expect((await runCli(['cleanup', '--lab', 'net', '--keep-users'], simulator)).code).toBe(0);
    const releases = asked.filter(([what]) => /^PUT \/api2\/json\/pools(?:$|[/?])/.test(what));
    expect(releases).toHaveLength(USERS);
    expect(releases.filter(([, status]) => status !== 200)).toEqual([]);
  });

  test('--expired takes the labs whose day is over, and no other', async () => {
    const simulator = await startCluster({ state: deployed });
    expect((await runCli(['cleanup', '--expired'], simulator)).stdout).toContain('Nothing to remove');
    await simulator.time.sleep(30 * DAY);
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

test('users who are gone are said to be so in each credentials file of the folder that knows them', async () => {
  const folder = workFolder();
  const strange = 'userid,password\nstudent1@pve,not-ours\n';
  writeFiles(folder, {
    'credentials-net.csv': kept,
    'credentials-web.csv': kept,
    'credentials-x.csv': strange,
  });
  const read = (lab: string) => readFileSync(join(folder, `credentials-${lab}.csv`), 'utf8');
  const simulator = await startCluster({ state: deployed });
  const own = join(folder, 'credentials-net.csv');
  const run = await runCli(['cleanup', '--user', 'student1@pve', '--credentials', own], simulator);
  expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('credentials')]);
  for (const lab of ['net', 'web']) {
    expect(read(lab)).toMatch(/^student1@pve,,removed,student1,/m);
    expect(read(lab)).toMatch(/^student2@pve,[^,]+,set,student2,/m);
  }
  expect(read('x')).toBe(strange);
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
    expect(run.stderr).toContain('warning: --lab nett: there is no such lab; did you mean net?\n');
    expect(run.stderr).not.toContain('applying');
    const nobody = await runCli(['cleanup', '--user', 'xavier@pve'], simulator);
    expect(nobody.stderr).toContain('there is no such user; users of deploy-stand on this cluster: ');
  });

  test('whom the files of the class do not name keeps the stand, and is told of with the command', async () => {
    const folder = classFolder(USERS - 1);
    const simulator = await startCluster({ state: deployed });
    const left = `student${USERS}@pve`;
    const run = await runCli(['cleanup', ...files(folder, 'flat'), '--dry-run'], simulator);
    expect(run.stdout).toContain(
      `not in the users file, and left: the stand of ${left} in this lab; \`deploy-stand cleanup --lab flat\` takes all of the lab\n`,
    );
    const again = await runCli(['deploy', ...files(folder, 'flat'), '--dry-run'], simulator);
    expect(again.stdout).toContain(
      `left alone: the stand of ${left} in this lab; \`deploy-stand cleanup --lab flat --user ${left}\` removes`,
    );
    const some = await runCli(
      ['deploy', ...files(folder, 'flat'), '--dry-run', '--only', 'student1'],
      simulator,
    );
    expect(some.stdout).not.toContain('not in the users file');
  });

  test('with --quiet deploy does not tell of them: a roster per group is common, and a run every night', async () => {
    const folder = classFolder(USERS - 1);
    const simulator = await startCluster({ state: deployed });
    const run = await runCli(['deploy', ...files(folder, 'flat'), '--quiet'], simulator);
    expect([run.code, run.stdout, run.stderr]).toEqual([0, '', '']);
  });

  test('--orphans of what a deploy left half made: refused by --max-changes with both ways out', async () => {
    const folder = classFolder(2);
    const simulator = await startCluster();
    simulator.addFault({
      match: { method: 'PUT', path: /\/qemu\/\d+\/config$/ },
      every: 1,
      action: 'fail',
      status: 500,
      text: 'no',
    });
    const half = await runCli(['deploy', ...files(folder, 'flat')], simulator);
    expect(half.code).toBe(5);
    const run = await runCli(['cleanup', '--orphans', '--min-age', '0', '--max-changes', '1'], simulator);
    expect([run.code, run.stderr]).toEqual([
      3,
      expect.stringMatching(/finished by\s+the same deploy again.*--max-changes \d/s),
    ]);
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
    expect(run.stdout).toContain(`VM ${guest.vmid} (pc) on ${guest.node} is protected`);
    const left = simulator.snapshot();
    expect(left.guests.filter((entry) => entry.config['name'] === 'pc').map((entry) => entry.vmid)).toEqual([
      guest.vmid,
    ]);
    expect(left.pools.filter((pool) => pool.comment.includes('lab=flat'))).toHaveLength(1);
    expect((await runCli(['cleanup', '--lab', 'flat', '--force-protected'], simulator)).code).toBe(0);
    expect(simulator.snapshot().guests.some((entry) => entry.config['name'] === 'pc')).toBe(false);
  });

  test('a bridge that a foreign guest names stays, and so does a pool with a member that no claim names', async () => {
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
    expect([pool.vms, pool.comment]).toEqual([[303], expect.stringMatching(/^lab=flat vms= node=/m)]);
    expect(left.guests.filter((entry) => entry.vmid >= 10000)).toEqual([]);
  });

  test('machines that students made are named, their pools stay known; --include-members takes them', async () => {
    const simulator = await startCluster({ state: deployed });
    const made = [
      { vmid: '500', name: 'mine', pool: 'student1', start: '1' },
      { vmid: '501', name: 'kept', pool: 'student2', protection: '1' },
    ];
    for (const form of made) expect(await post(simulator, '/nodes/pve2/qemu', form)).toBe(200);
    await simulator.time.clock.sleep(20_000);
    const [, first, second] = [0, 1, 2].map((at) => ['--user', `student${at}@pve`]);
    const selection = [...first!, ...second!];
    const asked = await runCli(['cleanup', ...selection], simulator);
    expect(asked.code).toBe(5);
    expect(asked.stdout).toContain('VM 500 (mine) on pve2 is in pool student1 and of no lab');
    expect(asked.stdout).toContain('VM 501 (kept) on pve2 is in pool student2 and of no lab');
    expect(asked.stdout).toContain('add --include-members to remove such machines too');
    const poolOf = (name: string) => simulator.snapshot().pools.find(({ poolid }) => poolid === name);
    expect(poolOf('student1')).toMatchObject({ vms: [500] });
    expect(poolOf('student1')?.comment).toMatch(/^deploy-stand user=student1@pve\nlab=net vms= node=/);
    const since = simulator.requests.length;
    expect((await runCli(['cleanup', ...selection], simulator)).code).toBe(5);
    expect(writes(simulator, since).filter((one) => !one.includes('/pools'))).toEqual([]);
    expect((await runCli(['cleanup', ...selection, '--include-members'], simulator)).code).toBe(5);
    expect([poolOf('student1'), poolOf('student2')?.vms]).toEqual([undefined, [501]]);
    const force = ['--include-members', '--force-protected'];
    expect((await runCli(['cleanup', ...selection, ...force], simulator)).code).toBe(0);
    const rest = Array.from({ length: USERS - 2 }, (_, i) => ['--user', `student${i + 3}@pve`]).flat();
    expect((await runCli(['cleanup', ...rest], simulator)).code).toBe(0);
    expect(comparable(simulator.snapshot())).toEqual(pristine);
  });

  test('a machine made while the others are removed is named like one that was there before', async () => {
    const simulator = await startCluster({ state: deployed });
    const cleaning = runCli(['cleanup', '--user', 'student1@pve'], simulator);
    expect(await post(simulator, '/nodes/pve2/qemu', { vmid: '500', pool: 'student1' })).toBe(200);
    const run = await cleaning;
    expect([run.code, run.stdout]).toEqual([5, expect.stringContaining('VM 500 (')]);
    const pool = simulator.snapshot().pools.find(({ poolid }) => poolid === 'student1');
    expect([pool?.vms, pool?.comment]).toEqual([[500], expect.stringContaining('user=student1@pve')]);
  });

  test('no variable stands for --include-members, and orphans are not asked for with it', async () => {
    const simulator = await startCluster({ state: deployed });
    expect(await post(simulator, '/nodes/pve2/qemu', { vmid: '500', pool: 'student1' })).toBe(200);
    await simulator.time.clock.sleep(20_000);
    const env = { DEPLOY_STAND_INCLUDE_MEMBERS: '1' };
    const run = await runCli(['cleanup', '--user', 'student1@pve'], simulator, { env });
    expect([run.code, simulator.snapshot().guests.some(({ vmid }) => vmid === 500)]).toEqual([5, true]);
    const orphans = await runCli(['cleanup', '--orphans', '--include-members'], simulator);
    expect([orphans.code, orphans.stderr]).toEqual([2, expect.stringContaining('[MEMBERS_SELECTION]')]);
  });

  test('a hibernated machine goes with its saved memory, at once; a protected one is told of', async () => {
    const simulator = await startCluster({ state: deployed });
    const ours = deployed.guests.filter(({ config }) => config['name'] === 'host').slice(0, 2);
    for (const { vmid, node } of ours) {
      const path = `/nodes/${node}/qemu/${vmid}/status/suspend`;
      expect(await post(simulator, path, { todisk: '1' })).toBe(200);
    }
    await simulator.time.clock.sleep(120_000);
    const [, guarded] = ours;
    const state = simulator.snapshot();
    expect(state.guests.filter(({ config }) => config['lock'] === 'suspended')).toHaveLength(2);
    state.guests.find(({ vmid }) => vmid === guarded!.vmid)!.config['protection'] = '1';
    const again = await startCluster({ state });
    const before = again.time.clock.now();
    const run = await runCli(['cleanup', '--lab', 'net', '--force-protected'], again);
    expect([run.code, again.time.clock.now() - before < 600_000]).toEqual([5, true]);
    // PVE lets neither its flag nor its saved memory go before the other.
    expect(run.stdout).toContain('[VM_HIBERNATED]');
    const left = again.snapshot().guests.filter(({ config }) => config['lock'] === 'suspended');
    expect(left.map(({ vmid }) => vmid)).toEqual([guarded!.vmid]);
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
