import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadLab, parseLab } from '../../../src/lib/config/load.ts';
import { runs } from '../../runs.ts';

const machine = (more: string): string => `
name: net-lab
machines:
  - device_type: linux
    name: pc
    template_vmid: 100
${more}`;

const networks = (...lines: string[]): string =>
  machine(`    networks:\n${lines.map((line) => `      - { ${line} }`).join('\n')}`);

describe('a lab as the older tool wrote it', () => {
  test('quoted', () => {
    const { lab, warnings } = parseLab(
      `machines:
  - device_type: "linux"           # Тип: linux или ecorouter
    name: "student-pc"             # Имя создаваемой машины
    template_node: "pve1"
    template_vmid: 100
    networks:
      - bridge: "vmbr0"            # Интернет
      - bridge: "lab-net"
      - bridge: "**vmbr100**"      # Зарезервированный интерфейс
    full_clone: false
`,
      'deployment_config.yml',
      { name: 'net-lab' },
    );
    expect(warnings).toEqual([]);
    expect(lab).toEqual({
      name: 'net-lab',
      machines: [
        {
          name: 'student-pc',
          deviceType: 'linux',
          template: { by: 'vmid', vmid: 100, node: 'pve1' },
          fullClone: false,
          networks: [
            { target: { kind: 'real', bridge: 'vmbr0', reserved: false } },
            { target: { kind: 'alias', alias: 'lab-net' } },
            { target: { kind: 'real', bridge: 'vmbr100', reserved: true } },
          ],
          start: false,
          tags: [],
          line: 2,
        },
      ],
      placement: { strategy: 'balanced', exclude: [] },
      access: { role: 'PVEVMAdmin' },
      vmidRange: { first: 10000, last: 99999 },
      bridgeRange: { first: 1000, last: 4094 },
      passwords: { length: 12, alphabet: 'unambiguous' },
      file: 'deployment_config.yml',
    });
  });

  test.each([
    ['labs/net/lab.yml', 'lab'],
    ['deployment_config.yml', 'deployment-config'],
    ['Сети 3.yaml', 'seti-3'],
    ['--__Router__Lab--.yml', 'router-lab'],
    [`${'long-name-'.repeat(5)}.yml`, 'long-name-long-name-long-name-l'],
  ])('without a name: %s is lab %s', (file, name) => {
    expect(parseLab('machines: [{ name: pc, template_vmid: 100 }]', file).lab.name).toBe(name);
  });

  test('keys that it keeps for itself are ignored with one note, and change nothing', () => {
    const plain = `machines:
- name: gw
  template_vmid: 100
  networks:
  - bridge: '**vmbr0**'
`;
    const written = `metadata: {created: today}
local_templates:
  100:NODE2: {node: NODE2, vmid: 104}
stand_type: x
machines:
- name: gw
  template_vmid: 100
  replicas: {node2: '103'}
  networks:
  - bridge: '**vmbr0**'
    comment: uplink
`;
    const { lab, warnings } = parseLab(written, 'lab.yml');
    expect(warnings).toEqual([
      'lab.yml:1:1 metadata: ignored: older tools keep this key for themselves; so is every local_templates, stand_type, replicas, comment',
    ]);
    expect(lab.machines).toEqual([{ ...parseLab(plain, 'lab.yml').lab.machines[0], line: 6 }]);
    expect(lab.machines[0]?.deviceType).toBe('linux');
  });

  test('unquoted, upper-case node, list at the margin, CRLF, BOM', () => {
    const text = `\uFEFFmachines:
- device_type: ecorouter
  name: eco
  template_node: SRV1-PVE
  template_vmid: '100'
  networks:
  - bridge: vmbr0
    reserved: false
  - bridge: hq
- device_type: linux
  name: lin
  template_node: SRV1-PVE
  template_vmid: 101
`.replaceAll('\n', '\r\n');
    const { lab } = parseLab(text, 'eco.yml');
    expect(lab.name).toBe('eco');
    expect(lab.machines.map(({ name, template, networks: nics }) => ({ name, template, nics }))).toEqual([
      {
        name: 'eco',
        template: { by: 'vmid', vmid: 100, node: 'SRV1-PVE' },
        nics: [
          { target: { kind: 'real', bridge: 'vmbr0', reserved: false } },
          { target: { kind: 'alias', alias: 'hq' } },
        ],
      },
      { name: 'lin', template: { by: 'vmid', vmid: 101, node: 'SRV1-PVE' }, nics: [] },
    ]);
    expect(lab.machines.map(({ line }) => line)).toEqual([2, 10]);
  });
});

describe('bridge', () => {
  test.each([
    ['bridge: vmbr0', { target: { kind: 'real', bridge: 'vmbr0', reserved: false } }],
    ['bridge: vmbr0.30', { target: { kind: 'real', bridge: 'vmbr0', reserved: false }, tag: 30 }],
    ['bridge: vmbr0, reserved: true', { target: { kind: 'real', bridge: 'vmbr0', reserved: true } }],
    ['bridge: "**vmbr100**"', { target: { kind: 'real', bridge: 'vmbr100', reserved: true } }],
    ['bridge: "**vmbr100.20**"', { target: { kind: 'real', bridge: 'vmbr100', reserved: true }, tag: 20 }],
    ['bridge: "**lan**", reserved: true', { target: { kind: 'real', bridge: 'lan', reserved: true } }],
    ['bridge: lan, reserved: true', { target: { kind: 'real', bridge: 'lan', reserved: true } }],
    ['bridge: lan.7, reserved: true', { target: { kind: 'real', bridge: 'lan', reserved: true }, tag: 7 }],
    ['bridge: lan, reserved: false', { target: { kind: 'alias', alias: 'lan' } }],
    ['bridge: hq', { target: { kind: 'alias', alias: 'hq' } }],
    ['bridge: hq.100', { target: { kind: 'alias', alias: 'hq' }, tag: 100 }],
    ['bridge: hq.100, tag: 100', { target: { kind: 'alias', alias: 'hq' }, tag: 100 }],
    ['bridge: hq, tag: 4094', { target: { kind: 'alias', alias: 'hq' }, tag: 4094 }],
    ['bridge: vmbr-lan', { target: { kind: 'alias', alias: 'vmbr-lan' } }],
    ['bridge: 10', { target: { kind: 'alias', alias: '10' } }],
    ['bridge: 010', { target: { kind: 'alias', alias: '010' } }],
  ])('%s', (written, expected) => {
    expect(parseLab(networks(written), 'lab.yml').lab.machines[0]?.networks).toEqual([expected]);
  });

  test('everything that a network can say', () => {
    const written =
      'bridge: hq, model: e1000, trunks: [10, "20-30"], mac: "bc:24:11:00:00:01", firewall: false, link_down: true';
    expect(parseLab(networks(written), 'lab.yml').lab.machines[0]?.networks).toEqual([
      {
        target: { kind: 'alias', alias: 'hq' },
        model: 'e1000',
        trunks: ['10', '20-30'],
        mac: 'BC:24:11:00:00:01',
        firewall: false,
        linkDown: true,
      },
    ]);
    const [network] = parseLab(networks('bridge: hq, trunks: "10;20-30", mtu: 1400'), 'lab.yml').lab
      .machines[0]!.networks;
    expect(network).toEqual({ target: { kind: 'alias', alias: 'hq' }, trunks: ['10', '20-30'], mtu: 1400 });
  });
});

test('everything that a machine can say', () => {
  const text = machine(`    full_clone: true
    storage: local-lvm
    cores: 2
    memory: 2048
    pool_role: PVEVMUser
    cloud_init:
      user: student
      password: 0123
      ssh_keys: |
        # of the teacher
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample teacher
      nameserver: [192.0.2.53, "2001:db8::53"]
      searchdomain: lab.example
      upgrade: false
      ip_config: { 0: "ip=dhcp" }
    start: true
    start_order: 3
    baseline_snapshot: true
    tags: [Year-2, networking, networking, deploy-stand, lab-net-lab, 2026]
    networks:
      - bridge: hq
`);
  expect(parseLab(text, 'lab.yml').lab.machines[0]).toEqual({
    name: 'pc',
    deviceType: 'linux',
    template: { by: 'vmid', vmid: 100 },
    fullClone: true,
    storage: 'local-lvm',
    cores: 2,
    memory: 2048,
    poolRole: 'PVEVMUser',
    cloudInit: {
      user: 'student',
      password: '0123',
      sshKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample teacher'],
      nameserver: '192.0.2.53 2001:db8::53',
      searchdomain: 'lab.example',
      upgrade: false,
      ipConfig: { 0: 'ip=dhcp' },
    },
    start: true,
    startOrder: 3,
    baselineSnapshot: 'baseline',
    tags: ['2026', 'networking', 'year-2'],
    networks: [{ target: { kind: 'alias', alias: 'hq' } }],
    line: 4,
  });
});

test('everything that the top level can say', () => {
  const text = machine(`placement:
  strategy: smart
  nodes: [pve1, PVE2, pve1]
  exclude: [pve9]
  reserve: { memory: 16GiB, cores: 10% }
  max_stands_per_node: 12
  overcommit: { cpu: 6, memory: 1.25 }
  linked_growth: 12.5 %
  spread: [[a@pve, b@pve]]
  together: [[c@pve, d@pve]]
  pin: { a@pve: pve1, b@pve: [pve1, PVE2] }
  movable: true
access: { role: PVEVMUser }
vmid_range: { first: 20000, last: 29999 }
expires: 2026-12-24
passwords: { length: 8, alphabet: digits }
`);
  const { lab } = parseLab(text, 'lab.yml');
  expect(lab.placement).toEqual({
    strategy: 'smart',
    nodes: ['pve1', 'PVE2'],
    exclude: ['pve9'],
    reserve: { memory: { kind: 'absolute', value: 16384 }, cores: { kind: 'percent', value: 10 } },
    maxStandsPerNode: 12,
    overcommit: { cpu: 6, memory: 1.25 },
    linkedGrowth: 12.5,
    spread: [['a@pve', 'b@pve']],
    together: [['c@pve', 'd@pve']],
    pin: { 'a@pve': ['pve1'], 'b@pve': ['pve1', 'PVE2'] },
    movable: true,
  });
  expect(lab.access).toEqual({ role: 'PVEVMUser' });
  expect(lab.vmidRange).toEqual({ first: 20000, last: 29999 });
  expect(lab.expires).toBe('2026-12-24');
  expect(lab.passwords).toEqual({ length: 8, alphabet: 'digits' });
});

test.each([
  ['vmid_range: 20000-29999', { first: 20000, last: 29999 }],
  ['vmid_range: "20000 - 20000"', { first: 20000, last: 20000 }],
])('%s', (line, expected) => {
  expect(parseLab(machine(line), 'lab.yml').lab.vmidRange).toEqual(expected);
});

const OUTER = { connection: 'main', range: { first: 1000, last: 1999 } };

test.each([
  ['bridge_range: 1200-1299', undefined, { first: 1200, last: 1299 }],
  ['bridge_range: { first: 1200, last: 1299 }', OUTER, { first: 1200, last: 1299 }],
  ['', OUTER, { first: 1000, last: 1999 }],
  ['', undefined, { first: 1000, last: 4094 }],
])('%j inside %j', (line, outerBridges, expected) => {
  expect(parseLab(machine(line), 'lab.yml', { outerBridges }).lab.bridgeRange).toEqual(expected);
});

describe('template', () => {
  test.each([
    ['template: debian12', { by: 'name', name: 'debian12' }],
    ['template_tag: Golden-Debian', { by: 'tag', tag: 'golden-debian' }],
    ['template: 12', { by: 'name', name: '12' }],
    ['template_vmid: 9000', { by: 'vmid', vmid: 9000 }],
    ['template_vmid: "9000"', { by: 'vmid', vmid: 9000 }],
    ['template_vmid: 9000, template_node: PVE-1', { by: 'vmid', vmid: 9000, node: 'PVE-1' }],
  ])('%s', (written, expected) => {
    const text = `name: a\nmachines: [{ device_type: linux, name: pc, ${written} }]`;
    expect(parseLab(text, 'lab.yml').lab.machines[0]?.template).toEqual(expected);
  });
});

describe('name', () => {
  const text = 'machines: [{ device_type: linux, name: pc, template_vmid: 100 }]';
  test.each([
    ['labs/router-lab.yml', undefined, 'router-lab'],
    ['labs/a.yaml', undefined, 'a'],
    ['labs/lab.yml', 'given', 'given'],
    ['labs/router-lab.yml', 'given', 'given'],
  ])('%s with --lab-name %s', (file, name, expected) => {
    expect(parseLab(text, file, { name }).lab.name).toBe(expected);
  });

  test('written in the file, as text whatever it looks like', () => {
    expect(parseLab(`name: 2026\n${text}`, 'lab.yml').lab.name).toBe('2026');
  });
});

describe('placement by flags', () => {
  const specific = machine('placement: { strategy: specific }');
  const onPve1 = machine('placement: { node: pve1 }');
  test.each([
    ['a node implies specific', onPve1, {}, { strategy: 'specific', node: 'pve1', exclude: [] }],
    ['--node completes it', specific, { node: 'pve2' }, { strategy: 'specific', node: 'pve2', exclude: [] }],
    ['--node wins', onPve1, { node: 'pve2' }, { strategy: 'specific', node: 'pve2', exclude: [] }],
    ['--strategy drops the node', onPve1, { strategy: 'local' }, { strategy: 'local', exclude: [] }],
    [
      '--nodes and --exclude',
      machine(''),
      { nodes: ['a', 'b'], exclude: ['c'] },
      { strategy: 'balanced', nodes: ['a', 'b'], exclude: ['c'] },
    ],
  ] as const)('%s', (_, text, placement, expected) => {
    expect(parseLab(text, 'lab.yml', { placement }).lab.placement).toEqual(expected);
  });
});

test('anchors and merge keys save typing', () => {
  const text = `name: a
machines:
  - &first { device_type: linux, name: one, template_vmid: 100, cores: 2 }
  - { <<: *first, name: two }
`;
  const { lab } = parseLab(text, 'lab.yml');
  expect(lab.machines.map(({ name, cores }) => ({ name, cores }))).toEqual([
    { name: 'one', cores: 2 },
    { name: 'two', cores: 2 },
  ]);
});

test.each([
  ['bridge: HQ', 'bridge: hq', '"hq" and "HQ" differ only in case: they are two networks'],
  [
    'bridge: VMBR0',
    'bridge: hq',
    '"VMBR0" is an alias: only lower-case vmbrN is a real bridge (write vmbr0 if that bridge is meant)',
  ],
  [
    'bridge: "**abcdefghijk**"',
    'bridge: hq',
    '"abcdefghijk" has more than 10 characters: it cannot carry every VLAN tag',
  ],
  ['bridge: "**a-b**"', 'bridge: hq', 'PVE cannot create a bridge named "a-b"; it has to exist'],
])('warns about %s', (one, two, expected) => {
  const { warnings } = parseLab(networks(one, two), 'lab.yml');
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/^lab\.yml:\d+:\d+ machines\[0\]\.networks\[\d\]\.bridge: /);
  expect(warnings[0]).toContain(expected);
});

test('warns about passwords that newer servers refuse', () => {
  expect(parseLab(machine('passwords: { length: 5, alphabet: digits }'), 'lab.yml').warnings).toEqual([
    'lab.yml:7:22 passwords.length: PVE 8.3 and later refuse passwords of 5 characters; the least is 8',
  ]);
});

test('the same lab, however its YAML is laid out', () => {
  const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
  const bridge = fc.oneof(
    fc.constantFrom('vmbr0', 'vmbr0.5', '**lan**', '**vmbr100.20**'),
    fc.stringMatching(/^[a-z][a-z0-9]{0,8}(\.[1-9][0-9]{0,2})?$/).filter((text) => !/^(vmbr|lan)/.test(text)),
  );
  const machines = fc.uniqueArray(
    fc.record({
      device_type: fc.constantFrom('linux', 'ecorouter'),
      name,
      template_vmid: fc.oneof(
        fc.integer({ min: 100, max: 999_999 }),
        fc.integer({ min: 100, max: 999 }).map(String),
      ),
      full_clone: fc.boolean(),
      networks: fc.array(fc.record({ bridge }), { maxLength: 8 }),
    }),
    { minLength: 1, maxLength: 6, selector: (entry) => entry.name },
  );
  fc.assert(
    fc.property(fc.record({ name, machines }), (lab) => {
      const texts = [
        stringify(lab),
        stringify(lab, { indentSeq: false, defaultStringType: 'QUOTE_SINGLE', lineWidth: 0 }),
        stringify(lab, { collectionStyle: 'flow' }).replaceAll('\n', '\r\n'),
        JSON.stringify(lab),
      ];
      const parsed = texts.map((text) => {
        const result = parseLab(text, 'lab.yml').lab;
        return { ...result, machines: result.machines.map((entry) => ({ ...entry, line: 0 })) };
      });
      for (const other of parsed) expect(other).toEqual(parsed[0]);
      expect(parsed[0]?.machines.map((entry) => entry.networks.length)).toEqual(
        lab.machines.map((entry) => entry.networks.length),
      );
    }),
    runs(60, 5000),
  );
});

test('reads from a file', () => {
  expect(loadLab('examples/router-lab/lab.yml').lab.machines.map(({ name }) => name)).toEqual([
    'router',
    'host1',
    'host2',
  ]);
});

test.each<[written: string, role: string]>([
  ['student', 'DeployStandStudent'],
  ['DeployStandStudent', 'DeployStandStudent'],
  ['PVEVMUser', 'PVEVMUser'],
  // Only this word is ours.
  ['Student', 'Student'],
])('role %s is the role %s of PVE, on the pool and on a machine', (written, role) => {
  const text = `name: net\naccess: { role: ${written} }\nmachines: [{ device_type: linux, name: pc, template_vmid: 100, networks: [{ bridge: vmbr0 }], pool_role: ${written} }]\n`;
  const { lab } = parseLab(text, 'lab.yml');
  expect([lab.access.role, lab.machines[0]?.poolRole]).toEqual([role, role]);
});
