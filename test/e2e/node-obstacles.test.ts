/** Templates, storages and networks that are tied to a node, or out of order there, through the command line: the class goes where it works. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Scenario, ScenarioStorage, ScenarioTemplate } from '../../src/lib/simulator/scenario-types.ts';
import { runCli, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';

const CEPH: ScenarioStorage = { id: 'ceph', type: 'rbd' };
const LOCAL: ScenarioStorage = { id: 'local', type: 'dir', content: ['snippets', 'iso'] };
const TEMPLATE: ScenarioTemplate = { vmid: 100, name: 'base', node: 'pve1', storage: 'ceph' };

function world(change: Partial<Scenario>, template: Partial<ScenarioTemplate> = {}): Scenario {
  return {
    version: '9.2',
    nodes: [{ name: 'pve1' }, { name: 'pve2' }, { name: 'pve3' }],
    storages: [CEPH, LOCAL],
    templates: [{ ...TEMPLATE, ...template }],
    guests: [],
    ...change,
  };
}

/** pve2 has not generated what was applied; on pve3 the vnet failed. */
const VNET_DOWN: Partial<Scenario> = {
  nodes: [{ name: 'pve1' }, { name: 'pve2' }, { name: 'pve3', failing_interfaces: ['labnet'] }],
  sdn: {
    zones: [{ zone: 'lab', type: 'simple', mtu: 9000 }],
    vnets: [{ vnet: 'labnet', zone: 'lab' }],
    pending_on: ['pve2'],
  },
};

function lab(network = 'vmbr0', more = ''): string {
  return `name: gwlab
machines:
  - { device_type: linux, name: gw, template_vmid: 100, start: true, networks: [{ bridge: "${network}" }, { bridge: hq }]${more} }
`;
}

async function deploy(cluster: Cluster, text: string): Promise<{ code: number; out: string; err: string }> {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': text, 'users.yml': 'users: [a@pve, b@pve, c@pve]\n' });
  const [labFile, users, passwords] = ['lab.yml', 'users.yml', 'c.csv'].map((name) => join(folder, name));
  const run = await runCli(
    ['deploy', '-c', labFile ?? '', '-u', users ?? '', '--credentials', passwords ?? ''],
    cluster,
  );
  const flat = (output: string): string => output.replaceAll(/\s+/g, ' ');
  return { code: run.code, out: flat(run.stdout), err: flat(run.stderr) };
}

/** Nodes of the machines, and whether all of them run. */
function placed(cluster: Cluster): { nodes: string[]; run: boolean } {
  const own = cluster.snapshot().guests.filter(({ config }) => config['name'] === 'gw');
  return {
    nodes: [...new Set(own.map(({ node }) => node))].sort(),
    run: own.length === 3 && own.every(({ runningSince }) => runningSince !== undefined),
  };
}

describe('the class goes where it works, and the plan says why not elsewhere', () => {
  test.each<{ name: string; scenario: Scenario; lab?: string; nodes: string[]; says: string }>([
    {
      name: 'a hook that one node has',
      scenario: world(
        { snippets: [{ volid: 'local:snippets/hook.pl', nodes: ['pve2'] }] },
        { config: { hookscript: 'local:snippets/hook.pl' } },
      ),
      nodes: ['pve2'],
      says: 'no stand goes to pve1, pve3: machine gw: hookscript local:snippets/hook.pl is not there, only on pve2 (put local:snippets/hook.pl on every node that is to take stands, or on a storage that all share)',
    },
    {
      name: 'cloud-init files that two nodes have',
      scenario: world(
        { snippets: [{ volid: 'local:snippets/u.yml', nodes: ['pve1', 'pve3'] }] },
        { config: { cicustom: 'user=local:snippets/u.yml' }, cloud_init: 'ceph' },
      ),
      nodes: ['pve1', 'pve3'],
      says: 'no stand goes to pve2: machine gw: cicustom local:snippets/u.yml is not on pve2, only on pve1, pve3',
    },
    {
      name: 'a vnet of a zone that one node has',
      scenario: world({
        sdn: {
          zones: [{ zone: 'lab', type: 'vlan', bridge: 'vmbr0', nodes: ['pve1'] }],
          vnets: [{ vnet: 'labnet', zone: 'lab', tag: 5 }],
        },
      }),
      lab: lab('**labnet**'),
      nodes: ['pve1'],
      says: 'no stand goes to pve2, pve3: vnet labnet is not there: its zone lab is on pve1 (add the node to zone lab in Datacenter → SDN and apply it)',
    },
    {
      name: 'a vnet that is not generated on one node, and did not come up on another (9.2)',
      scenario: world(VNET_DOWN),
      lab: lab('**labnet**'),
      nodes: ['pve1'],
      says: 'no stand goes to pve2: zone lab of vnet labnet is not up to date on pve2 (apply it in Datacenter → SDN) warning: no stand goes to pve3: vnet labnet is in error on pve3 (see the last "srvreload" task of pve3, mend what it says and apply Datacenter → SDN again)',
    },
    {
      name: 'the same on 8.4, whose rows are of another type; the MTU is the zone’s',
      scenario: world({ ...VNET_DOWN, version: '8.4' }),
      lab: lab('**labnet**", mtu: "9000').replace('"9000"', '9000'),
      nodes: ['pve1'],
      says: 'no stand goes to pve3: vnet labnet is in error on pve3',
    },
    {
      name: 'a bridge without autostart',
      scenario: world({
        nodes: [
          { name: 'pve1', bridges: ['vmbr0', { name: 'vmbr5', autostart: false }] },
          { name: 'pve2', bridges: ['vmbr0', 'vmbr5'] },
          { name: 'pve3', bridges: ['vmbr0'], staged: [{ name: 'vmbr5', comments: 'of others' }] },
        ],
      }),
      lab: lab('vmbr5'),
      nodes: ['pve2'],
      says: 'no stand goes to pve1: bridge vmbr5 is not up on pve1 (configured without autostart) (set Autostart of vmbr5 in pve1 → System → Network and apply it)',
    },
    {
      name: 'a tag on a bridge that takes none',
      scenario: world({
        nodes: [
          { name: 'pve1', bridges: ['vmbr0', 'vmbr5'] },
          { name: 'pve2', bridges: ['vmbr0', { name: 'vmbr5', vlan_aware: true }] },
          { name: 'pve3', bridges: ['vmbr0', { name: 'vmbr5', type: 'OVSBridge' }] },
        ],
      }),
      lab: lab('vmbr5.7'),
      nodes: ['pve2', 'pve3'],
      says: 'no stand goes to pve1: vmbr5 on pve1 has no port and is not VLAN-aware, so that it takes no tag',
    },
    {
      name: 'an MTU that a bridge does not have',
      scenario: world({
        nodes: [
          { name: 'pve1', bridges: ['vmbr0', 'vmbr5'] },
          { name: 'pve2', bridges: ['vmbr0', { name: 'vmbr5', mtu: 9000, ports: 'eno2' }] },
          { name: 'pve3', bridges: ['vmbr0', { name: 'vmbr5', type: 'OVSBridge', mtu: 9000 }] },
        ],
      }),
      lab: lab('vmbr5", mtu: "9000').replace('"9000"', '9000'),
      nodes: ['pve2', 'pve3'],
      says: 'no stand goes to pve1: bridge vmbr5 on pve1 has MTU 1500, the NIC 9000 (set MTU 9000 on vmbr5 in pve1 → System → Network, or write "mtu: 1" for the bridge\'s own)',
    },
    {
      name: 'a machine type that an older node does not know',
      scenario: world(
        { nodes: [{ name: 'pve1' }, { name: 'pve2', pve_version: '8.4.5' }, { name: 'pve3' }] },
        { config: { machine: 'pc-q35-10.0+pve0' } },
      ),
      nodes: ['pve1', 'pve3'],
      says: 'no stand goes to pve2: machine gw: QEMU on pve2 does not know machine type pc-q35-10.0+pve0 (newest: q35-9.2) (upgrade pve2,',
    },
    {
      name: 'a disc on a storage that is for discs no longer: copies leave it out',
      scenario: world(
        { storages: [CEPH, { id: 'discs', type: 'nfs', content: ['snippets'] }] },
        { config: { ide2: 'discs:iso/tools.iso,media=cdrom' } },
      ),
      nodes: ['pve2', 'pve3'],
      says: 'no stand goes to pve1: machine gw: storage discs does not hold ISO images (allow ISO images on storage discs in Datacenter → Storage)',
    },
    {
      name: 'a disc that is nowhere any more: copies leave it out',
      scenario: world(
        { storages: [CEPH, { id: 'discs', type: 'nfs', content: ['iso'] }] },
        { config: { ide2: 'discs:iso/tools.iso,media=cdrom' } },
      ),
      nodes: ['pve2', 'pve3'],
      says: 'no stand goes to pve1: machine gw: ide2 discs:iso/tools.iso is not on pve1 (',
    },
    {
      name: 'a CPU type that older nodes cannot give',
      scenario: world(
        {
          nodes: [
            { name: 'pve1', cpu_flags: ['sse4_1', 'ssse3'] },
            { name: 'pve2' },
            { name: 'pve3', cpu_flags: [] },
          ],
        },
        { config: { cpu: 'cputype=x86-64-v2-AES' } },
      ),
      nodes: ['pve2'],
      says: 'no stand goes to pve1, pve3: machine gw: the CPU there is too old for CPU type x86-64-v2-AES (lacks aes, pni, popcnt, …) (choose a CPU type in the template that every node can give, such as kvm64)',
    },
    {
      name: 'a node whose BIOS keeps KVM from it',
      scenario: world(
        { nodes: [{ name: 'pve1', kvm: false }, { name: 'pve2' }, { name: 'pve3' }] },
        { config: { cpu: 'x86-64-v2-AES' } },
      ),
      nodes: ['pve2', 'pve3'],
      says: 'no stand goes to pve1: machine gw: KVM is not available on pve1 (enable virtualisation in the BIOS of pve1, or switch KVM off in the template (slow))',
    },
    {
      name: 'memory that its host cannot read',
      scenario: world(
        {
          nodes: [
            { name: 'pve1', cpu_flags: ['sev'] },
            { name: 'pve2', cpu_flags: ['sev', 'sev_es'] },
            { name: 'pve3' },
          ],
        },
        { config: { 'amd-sev': 'es,no-debug=1', bios: 'ovmf' } },
      ),
      nodes: ['pve2'],
      says: 'no stand goes to pve1, pve3: machine gw: the CPU there has no AMD SEV-ES (leave `amd-sev` out of the template, or enable it in the BIOS of nodes that can)',
    },
    {
      name: 'more cores than a node has threads',
      scenario: world({
        nodes: [
          { name: 'pve1', cpus: 4 },
          { name: 'pve2', cpus: 16 },
          { name: 'pve3', cpus: 4 },
        ],
      }),
      lab: lab('vmbr0', ', cores: 8'),
      nodes: ['pve2'],
      says: 'no stand goes to pve1, pve3: machine gw: has 8 CPUs, the node 4 (give the machine fewer `cores`)',
    },
    {
      name: 'a mapped device',
      scenario: world(
        { mappings: [{ kind: 'pci', id: 'gpu', nodes: ['pve3'] }] },
        { config: { hostpci0: 'mapping=gpu,pcie=1' } },
      ),
      nodes: ['pve3'],
      says: 'no stand goes to pve1, pve2: machine gw: hostpci0 uses pci mapping gpu, which has nothing there (add pve1 to mapping gpu of PCI devices in Datacenter → Resource Mappings)',
    },
    {
      name: 'storage that is kept to some nodes',
      scenario: world({ storages: [{ ...CEPH, nodes: ['pve1', 'pve2'] }, LOCAL] }),
      nodes: ['pve1', 'pve2'],
      says: 'no stand goes to pve3: machine gw: template 100 is on ceph of pve1',
    },
  ])('$name', async ({ scenario, nodes, says, lab: text = lab() }) => {
    const cluster = await startCluster({ scenario });
    const run = await deploy(cluster, text);
    expect([run.code, run.err]).toEqual([0, expect.any(String)]);
    expect(run.out).toContain(says);
    expect(placed(cluster)).toEqual({ nodes, run: true });
  });
});

describe('nothing is written where no node will do', () => {
  test.each<{ name: string; scenario: Scenario; lab?: string; says: string; hint: string }>([
    {
      name: 'storage of the template is offline',
      scenario: world({ storages: [{ ...CEPH, offline: true }, LOCAL] }),
      says: 'pve1, pve2, pve3: machine gw: template 100 on pve1: storage ceph is offline on pve1',
      hint: 'see why it cannot be reached: `pvesm status --storage ceph` on pve1',
    },
    {
      name: 'storage of the template is disabled',
      scenario: world({ storages: [{ ...CEPH, disabled: true }, LOCAL] }),
      says: 'template 100 on pve1: storage ceph is disabled',
      hint: 'enable it: `pvesm set ceph --disable 0`',
    },
    {
      name: 'storage of the template is not defined any more',
      scenario: world({}, { config: { scsi0: 'gone:vm-100-disk-0,size=2G' } }),
      says: 'template 100 on pve1: storage gone is not defined',
      hint: 'define storage gone again',
    },
    {
      name: 'storage of the template holds no disks',
      scenario: world({ storages: [{ ...CEPH, content: ['rootdir'] }, LOCAL] }),
      says: 'template 100 on pve1: storage ceph does not hold VM images',
      hint: 'allow disk images on storage ceph',
    },
    {
      name: 'a snippet that nobody has',
      scenario: world({}, { config: { hookscript: 'local:snippets/gone.pl' } }),
      says: 'pve1, pve2, pve3: machine gw: hookscript local:snippets/gone.pl is not there',
      hint: 'put local:snippets/gone.pl on every node',
    },
    {
      name: '7.4: disks on a storage that is for disks no longer',
      scenario: {
        ...world({ storages: [{ ...CEPH, content: ['rootdir'] }] }),
        version: '7.4',
      },
      says: 'storage ceph does not hold VM images',
      hint: 'allow disk images on storage ceph in Datacenter → Storage',
    },
    {
      name: 'a mapping that is not there any more',
      scenario: world({}, { config: { hostpci0: 'mapping=gone' } }),
      says: 'pve1, pve2, pve3: machine gw: hostpci0 uses pci mapping gone, which has nothing there',
      hint: 'add pve1 to mapping gone of PCI devices in Datacenter → Resource Mappings',
    },
    {
      name: 'a device without a mapping, which only root may clone',
      scenario: world({}, { config: { hostpci0: '0000:01:00.0' } }),
      says: 'machine gw: uses hostpci0 without a mapping, and only root@pam may clone that',
      hint: 'make a resource mapping of it',
    },
    {
      name: 'a vnet that was never applied',
      scenario: world({
        sdn: {
          zones: [{ zone: 'lab', type: 'vlan', bridge: 'vmbr0' }],
          vnets: [{ vnet: 'labnet', zone: 'lab', tag: 5, staged: true }],
        },
      }),
      lab: lab('**labnet**'),
      says: 'pve1, pve2, pve3: vnet labnet is not applied yet',
      hint: 'apply it in Datacenter → SDN',
    },
    {
      name: 'an MTU that no tunnel of the zone leaves',
      scenario: world({
        sdn: { zones: [{ zone: 'wide', type: 'vxlan' }], vnets: [{ vnet: 'net', zone: 'wide', tag: 5 }] },
      }),
      lab: lab('**net**", mtu: "1500').replace('"1500"', '1500'),
      says: 'pve1, pve2, pve3: vnet net there has MTU 1450, the NIC 1500',
      hint: 'set MTU 1500 for zone wide in Datacenter → SDN and apply it, or write "mtu: 1"',
    },
  ])('$name', async ({ scenario, says, hint, lab: text = lab() }) => {
    const cluster = await startCluster({ scenario });
    const run = await deploy(cluster, text);
    expect(run.code).toBe(3);
    expect(run.err).toContain(says);
    expect(run.err).toContain(hint);
    expect(writes(cluster)).toEqual([]);
  });
});

test('what templates name is read with one list each, and nothing of it where they name nothing', async () => {
  const asked = async (scenario: Scenario): Promise<string[]> => {
    const cluster = await startCluster({ scenario });
    const folder = workFolder();
    writeFiles(folder, { 'lab.yml': lab(), 'users.yml': 'users: [a@pve]\n' });
    const args = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
    expect((await runCli(['deploy', ...args, '--dry-run'], cluster)).code).toBe(0);
    return cluster.requests
      .map(({ rawPath }) => rawPath.replace('/api2/json', ''))
      .filter((path) => /^\/storage|content|mapping|capabilities|zones|pve.\/status$/.test(path))
      .sort();
  };
  expect(await asked(world({}))).toEqual([]);
  const named = world(
    {
      snippets: [{ volid: 'local:snippets/hook.pl' }],
      mappings: [{ kind: 'pci', id: 'gpu', nodes: ['pve1'] }],
    },
    {
      config: {
        hookscript: 'local:snippets/hook.pl',
        hostpci0: 'mapping=gpu',
        machine: 'pc-q35-9.2',
        cpu: 'x86-64-v3',
      },
    },
  );
  const onNodes = (path: string): string[] => ['pve1', 'pve2', 'pve3'].map((node) => `/nodes/${node}${path}`);
  expect(await asked(named)).toEqual(
    [
      '/cluster/mapping/pci',
      ...onNodes('/capabilities/qemu/machines'),
      ...onNodes('/status'),
      ...onNodes('/storage/local/content'),
    ].sort(),
  );
});

/** Independent stand-in, S1: it landed on the template's node without a word, exit 0, and doctor had nothing to say. */
test.each(['7.4', '9.2'] as const)(
  'S1, %s: whoever cannot make copies of a local template is told of every node that drops out, and by doctor of the right',
  async (version) => {
    const secret = '11111111-0000-4000-a000-000000000003';
    const since8 = version === '7.4' ? [] : ['SDN.Audit', 'SDN.Use'];
    const privileges = [
      ...['Datastore.AllocateSpace', 'Datastore.Audit', 'Permissions.Modify', 'Pool.Allocate', 'Pool.Audit'],
      ...['Realm.AllocateUser', 'Sys.Audit', 'Sys.Modify', 'User.Modify', 'VM.Audit', 'VM.Clone', ...since8],
    ];
    const onPools = ['VM.Allocate', 'VM.Config.Network', 'VM.Config.Options', 'VM.PowerMgmt', 'VM.Snapshot'];
    const cluster = await startCluster({
      scenario: world(
        {
          version,
          storages: [{ id: 'local-lvm', type: 'lvmthin' }],
          users: [{ userid: 'teach@pve', tokens: [{ id: 'cli', secret, privsep: false }] }],
          roles: { All: privileges, Pools: [...privileges, ...onPools] },
          acl: [
            { path: '/', role: 'All', user: 'teach@pve' },
            { path: '/pool', role: 'Pools', user: 'teach@pve' },
          ],
        },
        { storage: 'local-lvm' },
      ),
    });
    const env = { PVE_TOKEN_ID: 'teach@pve!cli', PVE_TOKEN_SECRET: secret };
    const folder = workFolder();
    writeFiles(folder, { 'lab.yml': lab(), 'users.yml': 'users: [a@pve]\n' });
    const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
    const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');
    const says =
      'no stand goes to pve2, pve3: machine gw: a copy of the template has to be made first, which takes VM.Allocate on /vms';

    const told = await runCli(['doctor', ...files], cluster, { env });
    expect([told.code, flat(told.stdout)]).toEqual([0, expect.stringContaining(`note: ${says}`)]);
    const made = await runCli(
      ['deploy', ...files, '--credentials', join(folder, 'c.csv'), '--output', 'json'],
      cluster,
      { env },
    );
    expect([made.code, made.stderr]).toEqual([0, expect.any(String)]);
    const { plan } = JSON.parse(made.stdout) as { plan: { warnings: { text: string }[] } };
    expect(flat(JSON.stringify(plan.warnings))).toContain(says);
  },
);

test.each(['8.4', '9.2'] as const)('%s: doctor knows what the CPU of a template takes', async (version) => {
  const secret = '11111111-0000-4000-a000-000000000004';
  const cluster = await startCluster({
    scenario: world({
      version,
      templates: [
        { ...TEMPLATE, config: { cpu: 'custom-lab,flags=+aes' } },
        { ...TEMPLATE, vmid: 101, config: { cpu: 'x86-64-v3' } },
      ],
      users: [{ userid: 'teach@pve', tokens: [{ id: 'cli', secret, privsep: false }] }],
      acl: [{ path: '/vms', role: 'PVEVMAdmin', user: 'teach@pve' }],
    }),
  });
  const folder = workFolder();
  const two = `${lab()}  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: hq }] }\n`;
  writeFiles(folder, { 'lab.yml': two, 'users.yml': 'users: [a@pve]\n' });
  const run = await runCli(
    ['doctor', '-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml'), '--output', 'json'],
    cluster,
    { env: { PVE_TOKEN_ID: 'teach@pve!cli', PVE_TOKEN_SECRET: secret } },
  );
  const { rows } = JSON.parse(run.stdout) as {
    rows: { privileges: string[]; advice: boolean; reason: string; on: string[] }[];
  };
  const told = rows.filter(({ reason }) => /CPU (?:model|type)/.test(reason));
  expect(told.map(({ privileges, on, advice }) => [privileges, on, advice])).toEqual([
    ...(version === '9.2' ? [[['Mapping.Use'], ['/mapping/cpu'], true]] : []),
    [['Sys.Audit'], ['/nodes'], true],
  ]);
});
