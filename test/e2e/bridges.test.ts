import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ScenarioNode } from '../../src/lib/simulator/scenario-types.ts';
import { comparable } from './cluster-view.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';
import { resultErrors } from './result-schema.ts';

const OLD = '2026-08-01T00:00:00Z';
const RELOAD = { match: { method: 'PUT', path: '/nodes/pve1/network' }, action: 'task-fail' } as const;
const IFRELOAD = "command 'ifreload -a' failed: exit code 1";

function standBridge(number: number, user = 'anna@pve', since = OLD) {
  return {
    name: `vmbr${number}`,
    comments: `deploy-stand lab=net user=${user} net=lan since=${since}`,
  };
}

const reservedBridge = { name: 'vmbr50', comments: `deploy-stand reserved since=${OLD}` };
const foreignEdit = { name: 'vmbr7', comments: 'of the other team' };

function node(name: string, more: Partial<ScenarioNode> = {}): ScenarioNode {
  return { name, cpus: 16, memory_gib: 64, ...more, bridges: ['vmbr0', ...(more.bridges ?? [])] };
}

/** pve1 with bridges of two stands, one in use by a container; pve2 with vmbr0 only. */
function smallCluster(pve1: Partial<ScenarioNode> = {}, pve2: Partial<ScenarioNode> = {}) {
  return scenario({
    nodes: [
      node('pve1', { bridges: [reservedBridge, standBridge(1000), standBridge(1001, 'boris@pve')], ...pve1 }),
      node('pve2', pve2),
    ],
    storages: [{ id: 'local', type: 'dir', content: ['images', 'rootdir'] }],
    templates: [],
    pools: [],
    users: [],
    groups: [],
    acl: [],
    foreign_guests: { count: 0 },
    guests: [
      {
        vmid: 400,
        name: 'dns',
        type: 'lxc',
        node: 'pve1',
        storage: 'local',
        config: { net0: 'name=eth0,bridge=vmbr1001,hwaddr=BC:24:11:00:04:00,type=veth' },
      },
    ],
  });
}

function bridgesOn(simulator: Cluster, name: string): string[] {
  const found = simulator.snapshot().nodes.find((one) => one.name === name)!;
  return Object.keys(found.running)
    .filter((iface) => iface.startsWith('vmbr'))
    .sort();
}

describe('bridges list', () => {
  test('shows whose every bridge is, its state and its users', async () => {
    const simulator = await startCluster({ scenario: smallCluster({ staged: [foreignEdit] }) });
    const run = await runCli(['bridges', 'list'], simulator);
    expect(run.code).toBe(0);
    expect(run.stdout).toBe(`NODE  BRIDGE    STATE    VLAN  OWNER      LAB  NETWORK  GUESTS
pve1  vmbr0     active         foreign                  -
      vmbr7     pending        foreign                  -
      vmbr50    active         reserved                 -
      vmbr1000  active         anna@pve   net  lan      -
      vmbr1001  active         boris@pve  net  lan      CT 400
pve2  vmbr0     active         foreign                  -

note: on pve1, network changes that are not ours wait to be applied: vmbr7

6 bridges: 2 of stands, 1 reserved, 3 foreign
`);
    expect(writes(simulator)).toEqual([]);
  });

  test('as JSON, of the nodes that were named', async () => {
    const simulator = await startCluster({ scenario: smallCluster() });
    const run = await runCli(['bridges', 'list', '--node', 'pve1', '--output', 'json'], simulator);
    const { bridges, mayBeShort, notes } = JSON.parse(run.stdout) as Record<string, unknown[]>;
    expect({ mayBeShort, notes }).toEqual({ mayBeShort: false, notes: [] });
    expect(bridges).toHaveLength(4);
    expect(bridges!.at(-1)).toEqual({
      node: 'pve1',
      iface: 'vmbr1001',
      owner: 'stand',
      user: 'boris@pve',
      lab: 'net',
      network: 'lan',
      since: OLD,
      comments: standBridge(1001, 'boris@pve').comments,
      state: 'active',
      vlanAware: false,
      ports: '',
      guests: [{ vmid: 400, type: 'lxc' }],
    });
  });

  test.each([
    { version: '8.4' as const, isShort: true },
    { version: '7.4' as const, isShort: false },
  ])('on PVE $version says whether a caller without SDN.Audit sees all', async ({ version, isShort }) => {
    const secret = '11111111-1111-4111-a111-111111111111';
    const simulator = await startCluster({
      scenario: {
        ...smallCluster(),
        version,
        users: [{ userid: 'helper@pve', tokens: [{ id: 'ci', secret, privsep: false }] }],
        acl: [
          { path: '/vms', role: 'PVEVMAdmin', user: 'helper@pve' },
          { path: '/nodes', role: 'PVEAuditor', user: 'helper@pve' },
        ],
      },
    });
    const env = { PVE_TOKEN_ID: 'helper@pve!ci', PVE_TOKEN_SECRET: secret };
    const run = await runCli(['bridges', 'list', '--output', 'json'], simulator, { env });
    expect(run.code).toBe(0);
    const report = JSON.parse(run.stdout) as { bridges: unknown[]; mayBeShort: boolean; notes: string[] };
    expect(report.mayBeShort).toBe(isShort);
    expect(report.bridges).toHaveLength(isShort ? 0 : 5);
    const notes = report.notes.join('\n');
    expect(notes.includes('SDN.Audit on /sdn/zones/localnetwork')).toBe(isShort);
    expect(notes.includes('guest 400 names vmbr1001, which is not listed')).toBe(isShort);
  });

  test('refuses a node that does not exist', async () => {
    const simulator = await startCluster({ scenario: smallCluster() });
    const run = await runCli(['bridges', 'list', '--node', 'pve9'], simulator);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('no node pve9');
    expect(run.stderr).toContain('pve1, pve2');
  });
});

describe('bridges create', () => {
  test('makes reserved bridges on all nodes, once, under the planning lock', async () => {
    const simulator = await startCluster({ scenario: smallCluster() });
    const args = ['bridges', 'create', 'vmbr60,vmbr61', '--vlan-aware'];
    const preview = await runCli([...args, '--dry-run', '--detailed-exitcode'], simulator);
    expect(preview.code).toBe(6);
    expect(preview.stdout).toContain('+  bridge vmbr60, VLAN-aware');
    expect(writes(simulator)).toEqual([]);
    const run = await runCli([...args, '--output', 'json'], simulator);
    expect([run.code, resultErrors(run.stdout)]).toEqual([0, []]);
    expect(bridgesOn(simulator, 'pve2')).toEqual(['vmbr0', 'vmbr60', 'vmbr61']);
    const made = simulator.snapshot().nodes[1]!.interfaces.find(({ iface }) => iface === 'vmbr61')!;
    expect(made.options).toMatchObject({ bridge_vlan_aware: '1', autostart: '1' });
    expect(made.options['comments']).toMatch(/^deploy-stand bridge=\S+ reserved since=/);
    const done = writes(simulator);
    expect(done.filter((text) => /^PUT \/nodes\/[^/]+\/network$/.test(text))).toHaveLength(2);
    expect(done[0]).toBe('POST /pools');
    expect(done.at(-1)).toMatch(/^DELETE \/pools/);
    const since = simulator.requests.length;
    const again = await runCli(args, simulator);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('nothing to do');
    expect(writes(simulator, since)).toEqual([]);
  });

  test('refuses names that no bridge can have, before anything is contacted', async () => {
    const run = await runCli(['bridges', 'create', 'vmbr60,my-bridge'], undefined);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('"my-bridge" cannot be the name of a bridge');
  });

  test('refuses names that this version cannot have', async () => {
    const simulator = await startCluster({ scenario: { ...smallCluster(), version: '7.4' } });
    const run = await runCli(['bridges', 'create', 'intern'], simulator);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('PVE 7.4 cannot create a bridge called intern');
    expect(writes(simulator)).toEqual([]);
  });

  test('leaves a node with changes of others alone, shows them, and goes on with the rest', async () => {
    const simulator = await startCluster({ scenario: smallCluster({ staged: [foreignEdit] }) });
    const run = await runCli(['bridges', 'create', 'vmbr60'], simulator);
    expect(run.code).toBe(5);
    expect(run.stdout).toContain('pve1: refused');
    expect(run.stdout).toContain('+iface vmbr7 inet manual');
    expect(bridgesOn(simulator, 'pve2')).toEqual(['vmbr0', 'vmbr60']);
    expect(bridgesOn(simulator, 'pve1')).not.toContain('vmbr60');
    expect(simulator.snapshot().nodes[0]!.staged).toBeDefined();
    const only = await runCli(['bridges', 'create', 'vmbr60', '--nodes', 'pve1'], simulator);
    expect(only.code).toBe(3);
    expect(only.stderr).toContain('FOREIGN_PENDING_CHANGES');
  });

  test('ends with exit 4 when the first change is forbidden', async () => {
    const simulator = await startCluster({ scenario: smallCluster() });
    simulator.addFault({
      match: { method: 'POST', path: '/nodes/{node}/network' },
      action: 'fail',
      status: 403,
      text: 'Permission check failed (/nodes/pve1, Sys.Modify)',
    });
    const run = await runCli(['bridges', 'create', 'vmbr60'], simulator);
    expect(run.code).toBe(4);
    expect(run.stdout).toContain('Sys.Modify');
  });

  test('never takes an unlisted name for free', async () => {
    const simulator = await startCluster({ scenario: smallCluster() });
    simulator.addFault({
      match: { method: 'POST', path: '/nodes/{node}/network' },
      action: 'fail',
      status: 400,
      text: 'Parameter verification failed. iface: interface already exists',
    });
    const before = comparable(simulator.snapshot());
    const run = await runCli(['bridges', 'create', 'vmbr60', '--nodes', 'pve2'], simulator);
    expect(run.code).toBe(5);
    expect(comparable(simulator.snapshot())).toEqual(before);
  });
});

describe('bridges prune', () => {
  test('removes what no guest names, and nothing else', async () => {
    const simulator = await startCluster({
      scenario: smallCluster({}, { bridges: [standBridge(1002, 'carla@pve', '2026-09-01T07:59:00Z')] }),
    });
    const run = await runCli(['bridges', 'prune'], simulator);
    expect(run.code).toBe(0);
    expect(bridgesOn(simulator, 'pve1')).toEqual(['vmbr0', 'vmbr1001', 'vmbr50']);
    expect(bridgesOn(simulator, 'pve2')).toEqual(['vmbr0', 'vmbr1002']);
    expect(run.stdout).toContain('vmbr1002 (carla@pve net lan) stays: it is younger than --min-age');
    const reloads = writes(simulator).filter((text) => /PUT .*\/network$/.test(text));
    expect(reloads).toEqual(['PUT /nodes/pve1/network']);
    const since = simulator.requests.length;
    expect((await runCli(['bridges', 'prune'], simulator)).code).toBe(0);
    expect(writes(simulator, since)).toEqual([]);
    expect((await runCli(['bridges', 'prune', '--min-age', '10s'], simulator)).code).toBe(0);
    expect(bridgesOn(simulator, 'pve2')).toEqual(['vmbr0']);
  });

  test('leaves a node with changes of others alone, shows them, and goes on with the rest', async () => {
    const simulator = await startCluster({
      scenario: smallCluster({ staged: [foreignEdit] }, { bridges: [standBridge(1002)] }),
    });
    const run = await runCli(['bridges', 'prune', '--output', 'json'], simulator);
    expect([run.code, resultErrors(run.stdout)]).toEqual([5, []]);
    const { summary } = JSON.parse(run.stdout) as { summary: { status: string; nodes: unknown[] } };
    expect(summary).toMatchObject({
      status: 'partial',
      nodes: [
        { node: 'pve1', status: 'refused', error: { code: 'FOREIGN_PENDING_CHANGES' } },
        { node: 'pve2', status: 'done', bridges: [{ iface: 'vmbr1002', change: 'remove', status: 'done' }] },
      ],
    });
    expect(bridgesOn(simulator, 'pve1')).toContain('vmbr1000');
    expect(bridgesOn(simulator, 'pve2')).toEqual(['vmbr0']);
    expect(simulator.snapshot().nodes[0]!.staged).toBeDefined();
  });

  test('refuses a caller from whom guests may be hidden', async () => {
    const secret = '11111111-1111-4111-a111-111111111111';
    const simulator = await startCluster({
      scenario: {
        ...smallCluster(),
        roles: { Net: ['Sys.Modify', 'Sys.Audit', 'SDN.Audit'] },
        users: [{ userid: 'net@pve', tokens: [{ id: 'ci', secret, privsep: false }] }],
        acl: [
          { path: '/nodes', role: 'Net', user: 'net@pve' },
          { path: '/sdn', role: 'Net', user: 'net@pve' },
        ],
      },
    });
    const env = { PVE_TOKEN_ID: 'net@pve!ci', PVE_TOKEN_SECRET: secret };
    const refused = await runCli(['bridges', 'prune'], simulator, { env });
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('VM.Audit')]);
    const forced = await runCli(['bridges', 'prune', '--no-preflight'], simulator, { env });
    expect(forced.stdout).toContain('VM.Audit');
    expect(writes(simulator)).toEqual([]);
  });
});

const LAB = `name: net
machines:
  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: lan }], start: true }
`;

function classArgs(): { deploy: string[]; cleanup: string[] } {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve]\n' });
  const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const credentials = ['--credentials', join(folder, 'credentials.csv')];
  return {
    deploy: ['deploy', ...files, ...credentials, '--nodes', 'pve1'],
    cleanup: ['cleanup', ...files, ...credentials],
  };
}

/** A class on pve1 whose reload failed each time: PVE has taken the staged file, and the bridges are not up. */
async function brokenReload(): Promise<{
  simulator: Cluster;
  args: ReturnType<typeof classArgs>;
  before: unknown;
}> {
  const simulator = await startCluster();
  const before = comparable(simulator.snapshot());
  const args = classArgs();
  for (const nth of [1, 2]) simulator.addFault({ ...RELOAD, nth, exitstatus: IFRELOAD });
  const run = await runCli(args.deploy, simulator);
  expect(run.code).toBe(5);
  expect(bridgesOn(simulator, 'pve1')).not.toContain('vmbr1000');
  expect(simulator.snapshot().nodes[0]!.staged).toBeUndefined();
  return { simulator, args, before };
}

describe('a reload that failed', () => {
  test('is shown by list and repaired by prune with one more apply', async () => {
    const { simulator } = await brokenReload();
    await runCli(['bridges', 'list', '--node', 'pve1'], simulator);
    const list = await runCli(['bridges', 'list', '--node', 'pve1'], simulator);
    expect(list.stdout).toMatch(/vmbr1000 +down +anna@pve/);
    expect(list.stdout).toContain('To mend: deploy-stand bridges prune --node pve1');
    const since = simulator.requests.length;
    const run = await runCli(['bridges', 'prune'], simulator);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/vmbr1001 +bring up +done/);
    // The workers of PVE may say so of earlier: they read again when one is sent as it is.
    expect(writes(simulator, since).filter((text) => text.includes('/network'))).toEqual([
      expect.stringMatching(/^PUT \/nodes\/pve1\/network\/vmbr100[01]$/),
      'PUT /nodes/pve1/network',
    ]);
    expect(bridgesOn(simulator, 'pve1')).toEqual(expect.arrayContaining(['vmbr1000', 'vmbr1001']));
    expect((await runCli(['bridges', 'list'], simulator)).stdout).not.toContain('down');
  });

  test('is repaired by the next deploy', async () => {
    const { simulator, args } = await brokenReload();
    const run = await runCli(args.deploy, simulator);
    expect(run.code).toBe(0);
    expect(bridgesOn(simulator, 'pve1')).toEqual(expect.arrayContaining(['vmbr1000', 'vmbr1001']));
    expect(
      simulator.snapshot().guests.filter((guest) => guest.runningSince && guest.config['name'] === 'pc'),
    ).toHaveLength(2);
  });

  test('does not keep cleanup from removing everything', async () => {
    const { simulator, args, before } = await brokenReload();
    const run = await runCli(args.cleanup, simulator);
    expect(run.code).toBe(0);
    expect(comparable(simulator.snapshot())).toEqual(before);
  });

  test('and failed again is told, and mended later', async () => {
    const { simulator } = await brokenReload();
    for (const nth of [1, 2]) simulator.addFault({ ...RELOAD, nth, exitstatus: IFRELOAD });
    const run = await runCli(['bridges', 'prune'], simulator);
    expect(run.code).toBe(5);
    expect(run.stdout).toContain('BRIDGES_DOWN');
    expect(run.stdout).toMatch(/vmbr1000 +bring up +failed/);
    expect((await runCli(['bridges', 'prune'], simulator)).code).toBe(0);
    expect(bridgesOn(simulator, 'pve1')).toContain('vmbr1000');
  });

  test('in a cleanup is tried once more', async () => {
    const simulator = await startCluster();
    const before = comparable(simulator.snapshot());
    const args = classArgs();
    expect((await runCli(args.deploy, simulator)).code).toBe(0);
    simulator.addFault({ ...RELOAD, nth: 1, exitstatus: IFRELOAD });
    expect((await runCli(args.cleanup, simulator)).code).toBe(0);
    expect(comparable(simulator.snapshot())).toEqual(before);
  });
});
