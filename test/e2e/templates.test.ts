/** Templates on one of four nodes, on each kind of storage: the same lab over all of them, or the reason why not. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadScenario } from '../../src/lib/simulator/scenario.ts';
import type { ScenarioStorage, ScenarioTemplate } from '../../src/lib/simulator/scenario-types.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { post, runCli, scenario, startCluster, workFolder, writeFiles, type Cluster } from './harness.ts';

const NODES = ['pve1', 'pve2', 'pve3', 'pve4'].map((name) => ({ name, cpus: 16, memory_gib: 64 }));
const ISO: ScenarioStorage = { id: 'local', type: 'dir', content: ['iso'], size_gib: 90 };
const USERS = ['anna', 'boris', 'carla', 'dora'];
const STRATEGIES = ['balanced', 'smart'] as const;

interface World {
  readonly storages: readonly ScenarioStorage[];
  readonly template: Partial<ScenarioTemplate>;
  readonly full?: boolean;
}

function cluster({ storages, template }: World): Promise<Cluster> {
  const whole = { vmid: 101, name: 'debian', node: 'pve1', disks_gib: [1], tags: 'golden', ...template };
  return startCluster({
    scenario: scenario({ nodes: NODES, storages: [...storages, ISO], templates: [whole], guests: [] }),
  });
}

const images = (id: string, type: ScenarioStorage['type'], more: Partial<ScenarioStorage> = {}) => ({
  id,
  type,
  size_gib: 500,
  content: ['images'],
  ...more,
});

function lab(full: boolean, template = 'template_vmid: 101', more = ''): string {
  return `name: net
${more}machines:
  - device_type: linux
    name: pc
    ${template}
    full_clone: ${full}
    networks: [{ bridge: vmbr0 }, { bridge: lan }]
`;
}

function newClass(labText: string): { args: string[]; lab: string } {
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': labText,
    'users.yml': `users: [${USERS.map((name) => `${name}@pve`).join(', ')}]\n`,
  });
  const file = join(folder, 'lab.yml');
  return {
    lab: file,
    args: ['-c', file, '-u', join(folder, 'users.yml'), '--credentials', join(folder, 'c.csv')],
  };
}

const volid = (value = '') => value.split(',')[0];

/** `node scsi0 [ide2] [template]` by VMID, templates of the scenario left out. */
function vms(state: ClusterState): Record<number, string> {
  return Object.fromEntries(
    state.guests
      .filter(({ vmid }) => vmid !== 101 && vmid !== 111)
      .map(({ vmid, node, config }) => [
        vmid,
        [
          node,
          volid(config['scsi0']),
          ...(config['ide2'] ? [volid(config['ide2'])] : []),
          ...(config['ide3'] ? [`iso=${volid(config['ide3'])}`] : []),
          ...(config['template'] === '1' ? ['template'] : []),
          ...(config['lock'] === undefined ? [] : ['locked']),
        ].join(' '),
      ]),
  );
}

interface Case extends World {
  readonly name: string;
  /** VMs of stands and replicas; or what the refusal says. */
  readonly expected: Readonly<Record<number, string>> | readonly string[];
}

const CASES: Case[] = [
  {
    name: '(a) shared rbd: cloned onto every node, no replica',
    storages: [images('ceph', 'rbd')],
    template: { storage: 'ceph', cloud_init: 'ceph' },
    expected: {
      10000: 'pve1 ceph:base-101-disk-0/vm-10000-disk-0 ceph:vm-10000-cloudinit',
      10001: 'pve2 ceph:base-101-disk-0/vm-10001-disk-0 ceph:vm-10001-cloudinit',
      10002: 'pve3 ceph:base-101-disk-0/vm-10002-disk-0 ceph:vm-10002-cloudinit',
      10003: 'pve4 ceph:base-101-disk-0/vm-10003-disk-0 ceph:vm-10003-cloudinit',
    },
  },
  {
    name: '(b) local lvmthin: a replica per node, whose children the storage does not tell',
    storages: [images('thin', 'lvmthin')],
    template: { storage: 'thin', cloud_init: 'thin' },
    expected: {
      10000: 'pve1 thin:vm-10000-disk-0 thin:vm-10000-cloudinit',
      10001: 'pve2 thin:vm-10001-disk-0 thin:vm-10001-cloudinit',
      10002: 'pve3 thin:vm-10002-disk-0 thin:vm-10002-cloudinit',
      10003: 'pve4 thin:vm-10003-disk-0 thin:vm-10003-cloudinit',
      99997: 'pve4 thin:base-99997-disk-0 thin:vm-99997-cloudinit template',
      99998: 'pve3 thin:base-99998-disk-0 thin:vm-99998-cloudinit template',
      99999: 'pve2 thin:base-99999-disk-0 thin:vm-99999-cloudinit template',
    },
  },
  {
    name: '(c) local zfs: a replica per node',
    storages: [images('zfs', 'zfspool')],
    template: { storage: 'zfs' },
    expected: {
      10000: 'pve1 zfs:base-101-disk-0/vm-10000-disk-0',
      10001: 'pve2 zfs:base-99999-disk-0/vm-10001-disk-0',
      10002: 'pve3 zfs:base-99998-disk-0/vm-10002-disk-0',
      10003: 'pve4 zfs:base-99997-disk-0/vm-10003-disk-0',
      99997: 'pve4 zfs:base-99997-disk-0 template',
      99998: 'pve3 zfs:base-99998-disk-0 template',
      99999: 'pve2 zfs:base-99999-disk-0 template',
    },
  },
  {
    name: '(d) nfs, and an image on a local dir: one replica without the image serves all nodes',
    storages: [images('nfs', 'nfs')],
    template: { storage: 'nfs', iso: 'local:iso/tools.iso' },
    expected: {
      10000: 'pve1 nfs:101/base-101-disk-0.qcow2/10000/vm-10000-disk-0.qcow2 iso=local:iso/tools.iso',
      10001: 'pve2 nfs:99999/base-99999-disk-0.qcow2/10001/vm-10001-disk-0.qcow2 iso=none',
      10002: 'pve3 nfs:99999/base-99999-disk-0.qcow2/10002/vm-10002-disk-0.qcow2 iso=none',
      10003: 'pve4 nfs:99999/base-99999-disk-0.qcow2/10003/vm-10003-disk-0.qcow2 iso=none',
      99999: 'pve1 nfs:99999/base-99999-disk-0.qcow2 iso=none template',
    },
  },
  {
    name: '(d) disks on a local dir beside nfs: a replica per node on the dir',
    storages: [images('nfs', 'nfs'), images('dir', 'dir')],
    template: { storage: 'dir', iso: 'local:iso/tools.iso' },
    expected: {
      10000: 'pve1 dir:101/base-101-disk-0.qcow2/10000/vm-10000-disk-0.qcow2 iso=local:iso/tools.iso',
      10001: 'pve2 dir:99999/base-99999-disk-0.qcow2/10001/vm-10001-disk-0.qcow2 iso=none',
      10002: 'pve3 dir:99998/base-99998-disk-0.qcow2/10002/vm-10002-disk-0.qcow2 iso=none',
      10003: 'pve4 dir:99997/base-99997-disk-0.qcow2/10003/vm-10003-disk-0.qcow2 iso=none',
      99997: 'pve4 dir:99997/base-99997-disk-0.qcow2 iso=none template',
      99998: 'pve3 dir:99998/base-99998-disk-0.qcow2 iso=none template',
      99999: 'pve2 dir:99999/base-99999-disk-0.qcow2 iso=none template',
    },
  },
  {
    name: '(e) thick LVM, linked: refused',
    storages: [images('thick', 'lvm')],
    template: { storage: 'thick' },
    expected: ['[NO_NODE]', 'linked clones are impossible on thick (lvm); set full_clone: true'],
  },
  {
    name: '(e) thick LVM, full: replicas, full copies of them',
    storages: [images('thick', 'lvm')],
    template: { storage: 'thick' },
    full: true,
    expected: {
      10000: 'pve1 thick:vm-10000-disk-0',
      10001: 'pve2 thick:vm-10001-disk-0',
      10002: 'pve3 thick:vm-10002-disk-0',
      10003: 'pve4 thick:vm-10003-disk-0',
      99997: 'pve4 thick:vm-99997-disk-0 template',
      99998: 'pve3 thick:vm-99998-disk-0 template',
      99999: 'pve2 thick:vm-99999-disk-0 template',
    },
  },
  {
    name: 'a storage of each node, called differently: moved onto the one of its kind',
    storages: [
      images('ssd1', 'zfspool', { nodes: ['pve1'] }),
      images('ssd2', 'zfspool', { nodes: ['pve2', 'pve3'] }),
      images('other', 'lvmthin', { nodes: ['pve4'] }),
    ],
    template: { storage: 'ssd1' },
    expected: {
      10000: 'pve1 ssd1:base-101-disk-0/vm-10000-disk-0',
      10001: 'pve2 ssd2:base-99999-disk-0/vm-10001-disk-0',
      10002: 'pve3 ssd2:base-99998-disk-0/vm-10002-disk-0',
      10003: 'pve1 ssd1:base-101-disk-0/vm-10003-disk-0',
      99998: 'pve3 ssd2:base-99998-disk-0 template',
      99999: 'pve2 ssd2:base-99999-disk-0 template',
    },
  },
];

describe.each(STRATEGIES)('strategy %s', (strategy) => {
  test.each(CASES)('$name', async ({ expected, full = false, ...world }) => {
    const simulator = await cluster(world);
    const { args } = newClass(lab(full));
    const run = await runCli(['deploy', ...args, '--strategy', strategy], simulator);
    if (Array.isArray(expected)) {
      expect(run.code).toBe(3);
      for (const text of expected) expect(run.stderr).toContain(text);
      expect(vms(simulator.snapshot())).toEqual({});
      return;
    }
    expect([run.code, run.code === 0 ? '' : run.stdout + run.stderr]).toEqual([0, '']);
    expect(vms(simulator.snapshot())).toEqual(expected);
    const again = await runCli(['deploy', ...args, '--strategy', strategy], simulator);
    expect(again.stdout).toContain('4 stands: 4 unchanged');
  });
});

const ZFS: World = { storages: [images('zfs', 'zfspool')], template: { storage: 'zfs' } };

describe('a template that changes', () => {
  test('new stands get a fresh replica; the old one goes once nothing hangs on it', async () => {
    const simulator = await cluster(ZFS);
    const { args } = newClass(lab(false));
    const deploy = (only: string) =>
      runCli(['deploy', ...args, '--only', only, '--nodes', 'pve2'], simulator);
    const prune = () => runCli(['templates', 'prune', '--min-age', '0'], simulator);
    expect((await deploy('anna')).code).toBe(0);
    expect(await post(simulator, '/nodes/pve1/qemu/101/config', { memory: '4096' }, 'admin', 'PUT')).toBe(
      200,
    );

    const listed = await runCli(['templates', 'list', '--output', 'json'], simulator);
    const { templates } = JSON.parse(listed.stdout) as { templates: { replicas: unknown[] }[] };
    expect(templates[0]?.replicas).toMatchObject([
      { vmid: 99999, node: 'pve2', state: 'stale', clones: [10000] },
    ]);

    const second = await deploy('boris');
    expect([second.code, second.stderr]).toEqual([0, expect.any(String)]);
    const both = {
      10000: 'pve2 zfs:base-99999-disk-0/vm-10000-disk-0',
      10001: 'pve2 zfs:base-99998-disk-0/vm-10001-disk-0',
      99998: 'pve2 zfs:base-99998-disk-0 template',
      99999: 'pve2 zfs:base-99999-disk-0 template',
    };
    expect(vms(simulator.snapshot())).toEqual(both);
    for (const vmid of [10000, 10001])
      expect(await post(simulator, `/nodes/pve2/qemu/${vmid}/status/start`, {})).toBe(200);
    await simulator.idle();

    const early = await prune();
    expect([early.code, early.stdout]).toEqual([
      0,
      expect.stringContaining('VM 10000 is a linked clone of it'),
    ]);
    expect(vms(simulator.snapshot())).toEqual(both);

    const left = await runCli(['cleanup', '--user', 'anna@pve'], simulator);
    expect([left.code, left.stdout]).toEqual([0, expect.any(String)]);
    const orphans = await runCli(['cleanup', '--orphans', '--min-age', '0', '--dry-run'], simulator);
    expect(orphans.stdout).toContain('99999 on pve2');
    expect((await prune()).code).toBe(0);
    const state = simulator.snapshot();
    expect(Object.keys(vms(state))).toEqual(['10001', '99998']);
    expect(state.pools.find(({ poolid }) => poolid === 'deploy-stand-replicas')).toMatchObject({
      comment: expect.stringMatching(
        /^deploy-stand replicas\nsource=101 vmid=99998 node=pve2 since=\S+ state=made$/,
      ) as string,
      vms: [99998],
    });

    expect((await runCli(['cleanup', '--lab', 'net'], simulator)).code).toBe(0);
    expect((await prune()).code).toBe(0);
    const empty = simulator.snapshot();
    expect(vms(empty)).toEqual({});
    expect(empty.pools.map(({ poolid }) => poolid)).not.toContain('deploy-stand-replicas');
    expect(empty.volumes.map((volume) => volume.volid)).toEqual(['zfs:base-101-disk-0']);
  });
});

describe('templates replicate', () => {
  test('makes ready what a deploy needs, once; a failed copy concerns its node alone', async () => {
    const simulator = await cluster(ZFS);
    const { args, lab: file } = newClass(lab(false, 'template_tag: Golden'));
    const replicate = ['templates', 'replicate', '-c', file, '--nodes', 'pve2,pve3'];
    const dry = await runCli([...replicate, '--dry-run', '--detailed-exitcode'], simulator);
    expect([dry.code, dry.stdout]).toEqual([6, expect.stringContaining('2 template copies')]);
    simulator.addFault({
      match: { method: 'POST', path: /\/qemu\/99998\/migrate$/ },
      nth: 1,
      action: 'task-fail',
      exitstatus: 'migration aborted',
    });
    const first = await runCli(replicate, simulator);
    expect([first.code, first.stdout]).toEqual([5, expect.stringContaining('could not be moved to pve3')]);
    expect(vms(simulator.snapshot())).toEqual({
      99998: 'pve1 zfs:vm-99998-disk-0',
      99999: 'pve2 zfs:base-99999-disk-0 template',
    });
    expect((await runCli(replicate, simulator)).code).toBe(0);
    expect(vms(simulator.snapshot())).toEqual({
      99998: 'pve3 zfs:base-99998-disk-0 template',
      99999: 'pve2 zfs:base-99999-disk-0 template',
    });
    const again = await runCli(replicate, simulator);
    expect(again.stdout).toContain('Templates: nothing to do');
    const deployed = await runCli(['deploy', ...args, '--nodes', 'pve2,pve3'], simulator);
    expect(deployed.code).toBe(0);
    expect(Object.keys(vms(simulator.snapshot()))).toHaveLength(6);
  });

  test('in a deploy, a copy that fails leaves out the stands of its node', async () => {
    const simulator = await cluster(ZFS);
    simulator.addFault({
      match: { method: 'POST', path: /\/qemu\/99999\/migrate$/ },
      nth: 1,
      action: 'task-fail',
      exitstatus: 'migration aborted',
    });
    const { args } = newClass(lab(false));
    const run = await runCli(['deploy', ...args, '--output', 'json'], simulator);
    expect(run.code).toBe(5);
    const { summary } = JSON.parse(run.stdout) as {
      summary: { stands: { user: string; status: string; error?: { message: string } }[] };
    };
    expect(summary.stands.map(({ user, status }) => `${user} ${status}`)).toEqual([
      'anna@pve complete',
      'boris@pve incomplete',
      'carla@pve complete',
      'dora@pve complete',
    ]);
    expect(summary.stands[1]?.error?.message).toContain('VM 99999 could not be moved to pve2');
    expect((await runCli(['deploy', ...args], simulator)).code).toBe(0);
  });
});

test('a saved plan makes the replicas that it was made with', async () => {
  const file = 'examples/clusters/local-disks.yml';
  const simulator = await startCluster({ scenario: loadScenario(readFileSync(file, 'utf8'), file) });
  const { args, lab: labFile } = newClass(lab(false));
  const saved = join(dirname(labFile), 'plan.json');
  const dry = await runCli(['deploy', ...args, '--dry-run', '--out', saved], simulator);
  expect([dry.code, vms(simulator.snapshot())[99999]]).toEqual([0, undefined]);
  const text = readFileSync(saved, 'utf8');
  writeFiles(dirname(labFile), { 'edited.json': text.replace('"onboot": "0"', '"hookscript": "local:x"') });
  const edited = await runCli(
    ['deploy', ...args, '--plan', join(dirname(labFile), 'edited.json')],
    simulator,
  );
  expect([edited.code, edited.stderr]).toEqual([
    3,
    expect.stringMatching(/template\.configure:101@pve2: options is\s+\{"hookscript":"local:x"/),
  ]);
  const run = await runCli(['deploy', ...args, '--plan', saved], simulator);
  expect([run.code, run.code === 0 ? '' : run.stdout + run.stderr]).toEqual([0, '']);
  expect(vms(simulator.snapshot())).toMatchObject({
    10001: expect.stringContaining('pve2 local-zfs:base-99999-disk-0/vm-10001-disk-0') as string,
    99999: expect.stringContaining('pve2 local-zfs:base-99999-disk-0') as string,
  });
  const again = await runCli(['deploy', ...args], simulator);
  expect(again.stdout).toContain('4 stands: 4 unchanged');
});

test.each([{ pool: 'boss' }, { pool: undefined }])(
  'a forged copy (in pool $pool) with the notes of ours, at its number: never cloned from, changed or removed',
  async ({ pool }) => {
    const simulator = await cluster({ storages: [images('zfs', 'zfspool')], template: { storage: 'zfs' } });
    const { args, lab: file } = newClass(lab(false));
    const replicate = ['templates', 'replicate', '-c', file, '--nodes', 'pve2'];
    expect((await runCli(replicate, simulator)).code).toBe(0);
    const notes = simulator.snapshot().guests.find(({ vmid }) => vmid === 99999)?.config['description'] ?? '';
    expect(notes).toContain('replica');
    // Made and gone by an administrator's hand; whoever may make VMs makes one there that says all that ours said.
    expect(await post(simulator, '/nodes/pve2/qemu/99999', {}, 'admin', 'DELETE')).toBe(200);
    await simulator.idle();
    if (pool !== undefined) expect(await post(simulator, '/pools', { poolid: pool })).toBe(200);
    const made = { vmid: '99999', name: 'replica-101-pve2', description: notes, scsi0: 'zfs:1' };
    const inPool: Record<string, string> = pool === undefined ? {} : { pool };
    expect(await post(simulator, '/nodes/pve2/qemu', { ...made, ...inPool })).toBe(200);
    await simulator.idle();
    expect(await post(simulator, '/nodes/pve2/qemu/99999/template', {})).toBe(200);
    await simulator.idle();
    const forged = () => {
      const { guests, pools } = simulator.snapshot();
      const { node, config } = guests.find(({ vmid }) => vmid === 99999) ?? {};
      return {
        node,
        config,
        pools: pools.filter(({ vms }) => vms.includes(99999)).map(({ poolid }) => poolid),
      };
    };
    const before = forged();
    expect([before.config?.['template'], before.pools]).toEqual(['1', pool === undefined ? [] : [pool]]);

    const deployed = await runCli(['deploy', ...args, '--nodes', 'pve2'], simulator);
    expect([deployed.code, deployed.code === 0 ? '' : deployed.stdout + deployed.stderr]).toEqual([0, '']);
    const machines = Object.entries(vms(simulator.snapshot())).filter(([vmid]) => Number(vmid) < 10_010);
    expect(machines).toHaveLength(4);
    expect(machines.filter(([, text]) => text.includes('base-99999-'))).toEqual([]);
    expect(forged()).toEqual(before);
    await simulator.time.sleep(10 * 24 * 3600 * 1000);
    await runCli(['templates', 'prune', '--min-age', '0'], simulator);
    expect(forged()).toEqual(before);
  },
);
