/** Random clusters, troubles and selections for the property test of whole runs. Everything in a cluster is foreign before a deploy. */
import fc from 'fast-check';
import { parseLab, parseUsers } from '../../src/lib/config/load.ts';
import type { Lab } from '../../src/lib/config/types.ts';
import type { CleanupSelection } from '../../src/lib/plan/cleanup/context.ts';
import type { RequestFault } from '../../src/lib/simulator/faults.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { Trouble } from './in-process.ts';

const NAMES = ['anna', 'boris', 'carla'];
const NODES = ['pve1', 'pve2'];
export const USERS = parseUsers(
  `users: [${NAMES.map((name) => `${name}@pve`).join(', ')}]\n`,
  'users.yml',
).users;

const LAB_TEXTS = {
  net: `name: net
expires: 2026-12-01
machines:
  - { device_type: ecorouter, name: eco, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: hq }] }
  - { device_type: linux, name: pc, template_vmid: 101, start: true, networks: [{ bridge: hq.100 }] }
`,
  web: `name: web
machines:
  - { device_type: linux, name: www, template_vmid: 101, networks: [{ bridge: vmbr0 }, { bridge: dmz }] }
`,
};
export type LabName = keyof typeof LAB_TEXTS;
export const LABS: Readonly<Record<LabName, Lab>> = {
  net: parseLab(LAB_TEXTS.net, 'net.yml').lab,
  web: parseLab(LAB_TEXTS.web, 'web.yml').lab,
};

/** Bridges that a foreign guest may sit on: shared, unmarked ones of somebody, and ones that a deploy may create. */
const BRIDGES = ['vmbr0', 'vmbr0', 'vmbr1000', 'vmbr1001', 'vmbr1002', 'vmbr1003'];

const foreignGuest = fc.record({
  vmid: fc.constantFrom(300, 301, 302, 10000, 10001, 10003, 10004),
  name: fc.constantFrom('mail', 'pc', 'eco', 'www'),
  type: fc.constantFrom<'qemu' | 'lxc'>('qemu', 'qemu', 'lxc'),
  node: fc.constantFrom(...NODES),
  bridge: fc.constantFrom(...BRIDGES),
  pool: fc.constantFrom<string | undefined>(undefined, undefined, 'staff', ...NAMES),
  running: fc.boolean(),
  tags: fc.constantFrom<string | undefined>(undefined, 'deploy-stand;lab-net'),
  mark: fc.constantFrom<'none' | 'own' | 'copied'>('none', 'none', 'own', 'copied'),
  protection: fc.boolean(),
});

const foreignUser = fc.record({
  name: fc.constantFrom(...NAMES),
  comment: fc.constantFrom('', 'of the department', 'deploy-stand'),
  hasPool: fc.boolean(),
  poolComment: fc.constantFrom('', 'of the department'),
  hasRole: fc.boolean(),
});

const foreignBridge = fc.record({
  node: fc.constantFrom(...NODES),
  name: fc.constantFrom('vmbr1000', 'vmbr1001', 'vmbr7'),
  comments: fc.constantFrom<string | undefined>(undefined, 'uplink of the lab'),
});

/** A stand as the Python tool leaves it; its bridge may be shared with a foreign guest. */
const pythonStand = fc.record({
  name: fc.constantFrom(...NAMES),
  machines: fc.subarray(['eco', 'pc', 'www'], { minLength: 1 }),
  node: fc.constantFrom(...NODES),
  running: fc.boolean(),
  hasStranger: fc.constantFrom(false, false, false, true),
});

const clusterSpec = fc.record({
  python: fc.uniqueArray(pythonStand, { maxLength: 2, selector: ({ name }) => name }),
  version: fc.constantFrom<'7.4' | '8.4' | '9.2'>('7.4', '8.4', '9.2'),
  storage: fc.constantFrom<'rbd' | 'lvmthin'>('rbd', 'rbd', 'lvmthin'),
  guests: fc.uniqueArray(foreignGuest, { maxLength: 4, selector: ({ vmid }) => vmid }),
  users: fc.uniqueArray(foreignUser, { maxLength: 2, selector: ({ name }) => name }),
  bridges: fc.uniqueArray(foreignBridge, { maxLength: 3, selector: ({ node, name }) => `${node} ${name}` }),
  staged: fc.constantFrom(false, false, false, true),
  templateMark: fc.boolean(),
  seed: fc.nat(1000),
});
type Spec = typeof clusterSpec extends fc.Arbitrary<infer T> ? T : never;

function notesOf({ mark, vmid, name }: Spec['guests'][number]): { description?: string } {
  if (mark === 'none') return {};
  const id = mark === 'own' ? vmid : vmid + 1;
  return { description: `mine\ndeploy-stand lab=net user=anna@pve machine=${name} vmid=${id} spec=abc.def` };
}

/** Router and host on one bridge, the web server on another, as the labs have it. */
function pythonGuests({ name, machines, node, running, hasStranger }: Spec['python'][number]) {
  const at = NAMES.indexOf(name);
  const hq = `vmbr11${at}0`;
  const nets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    eco: { net1: 'vmxnet3=1C:87:76:40:01:02,bridge=vmbr0', net2: `vmxnet3=1C:87:76:40:01:03,bridge=${hq}` },
    pc: { net0: `virtio=BC:24:11:00:00:0${at},bridge=${hq}` },
    www: { net1: `virtio=BC:24:11:00:00:1${at},bridge=vmbr11${at}1` },
  };
  const own = machines.map((machine, index) => ({
    vmid: 500 + at * 10 + index,
    name: machine,
    node,
    pool: name,
    running,
    description: 'homework',
    config: nets[machine] ?? {},
  }));
  const stranger = { vmid: 509 + at * 10, name: 'probe', node, bridge: hq, running };
  return hasStranger ? [...own, stranger] : own;
}

function build(spec: Spec): Scenario {
  const pooled = [
    ...spec.users.filter(({ hasPool }) => hasPool),
    ...spec.python.map(({ name }) => ({ name, poolComment: 'group 1', hasRole: true })),
  ];
  const pools = new Set(['staff', ...pooled.map(({ name }) => name)]);
  const userids = new Set([...spec.users, ...spec.python].map(({ name }) => name));
  const template = spec.templateMark
    ? {
        tags: 'deploy-stand',
        description: 'deploy-stand lab=net user=anna@pve machine=pc vmid=10000 spec=a.b',
      }
    : {};
  return {
    version: spec.version,
    seed: spec.seed,
    nodes: NODES.map((name) => ({
      name,
      bridges: [
        'vmbr0',
        ...spec.python.flatMap((stand) => {
          const at = NAMES.indexOf(stand.name);
          return stand.node === name ? [`vmbr11${at}0`, `vmbr11${at}1`] : [];
        }),
        ...spec.bridges
          .filter((one) => one.node === name)
          .map((one) => ({
            name: one.name,
            ...(one.comments === undefined ? {} : { comments: one.comments }),
          })),
      ],
      ...(spec.staged && name === 'pve2' ? { staged: [{ name: 'vmbr9', comments: 'not yet' }] } : {}),
    })),
    storages: [{ id: 'disks', type: spec.storage }],
    templates: [
      { vmid: 100, name: 'eco-tpl', node: 'pve1', ...template },
      { vmid: 101, name: 'pc-tpl', node: 'pve1', ...template },
    ],
    users: [
      { userid: 'teacher@pve', password: 'seedseed' },
      ...[...userids].map((name) => ({
        userid: `${name}@pve`,
        comment: spec.users.find((user) => user.name === name)?.comment ?? '',
      })),
    ],
    pools: [...pools].map((pool) => ({
      pool,
      comment: pooled.find(({ name }) => name === pool)?.poolComment ?? 'of the staff',
    })),
    acl: [
      { path: '/pool/staff', role: 'PVEVMAdmin', user: 'teacher@pve' },
      ...pooled
        .filter(({ hasRole }) => hasRole)
        .map(({ name }) => ({ path: `/pool/${name}`, role: 'PVEVMAdmin', user: `${name}@pve` })),
    ],
    guests: [
      ...spec.python.flatMap(pythonGuests),
      ...spec.guests.map((one) => ({
        vmid: one.vmid,
        name: one.name,
        node: one.node,
        type: one.type,
        bridge: one.bridge,
        running: one.running,
        ...(one.pool !== undefined && pools.has(one.pool) ? { pool: one.pool } : {}),
        ...(one.tags === undefined ? {} : { tags: one.tags }),
        ...notesOf(one),
        ...(one.protection ? { config: { protection: '1' } } : {}),
      })),
    ],
  };
}

export const scenarios: fc.Arbitrary<Scenario> = clusterSpec.map(build);

const CFS = "cfs-lock 'file-user_cfg' error: got lock request timeout";

/** Strikes one request; nothing that PVE cannot do. */
const fault: fc.Arbitrary<RequestFault> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      match: fc.constant({ method: 'WRITE', path: /^(?!\/access\/ticket)/ }),
      nth: fc.integer({ min: 1, max: 45 }),
      action: fc.constantFrom<'drop-before' | 'drop-after'>('drop-before', 'drop-after'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      match: fc.constant({ method: 'WRITE', path: /^(?!\/access\/ticket)/ }),
      nth: fc.integer({ min: 1, max: 45 }),
      action: fc.constant('fail' as const),
      status: fc.constantFrom(500, 500, 596, 403),
      text: fc.constantFrom(`update failed: ${CFS}`, 'no space left on device', 'Connection timed out'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      match: fc.constant({ method: 'WRITE', path: /\/(qemu|network|status)\b/ }),
      nth: fc.integer({ min: 1, max: 15 }),
      action: fc.constant('task-fail' as const),
      exitstatus: fc.constantFrom(
        'got signal 9',
        `clone failed: cfs-lock 'storage-disks' error: got lock request timeout`,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      match: fc.record({ method: fc.constant('DELETE'), path: fc.constant(/\/qemu\/\d+$/) }),
      nth: fc.integer({ min: 1, max: 3 }),
      action: fc.constant('task-fail' as const),
      exitstatus: fc.constant(`access permissions cleanup for VM failed: ${CFS}`),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      match: fc.constant({ method: 'GET', path: /^\/(?!version)/ }),
      nth: fc.integer({ min: 1, max: 120 }),
      action: fc.constant('fail' as const),
      status: fc.constantFrom(500, 596),
      text: fc.constant('Connection timed out'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      match: fc.constant({ method: 'WRITE', path: /./ }),
      nth: fc.integer({ min: 1, max: 30 }),
      action: fc.constant('slow' as const),
      ms: fc.constantFrom(20_000, 40_000),
    }),
  },
);

export const troubles: fc.Arbitrary<Trouble> = fc.record(
  { faults: fc.array(fault, { maxLength: 3 }), killAt: fc.integer({ min: 1, max: 45 }) },
  { requiredKeys: ['faults'] },
);

export const selections: fc.Arbitrary<CleanupSelection> = fc.oneof(
  fc.record({
    by: fc.constant('stands' as const),
    lab: fc.constantFrom('net', 'web'),
    labMachines: fc.constant([...LABS.net.machines, ...LABS.web.machines]),
    users: fc
      .subarray([...USERS], { minLength: 1 })
      .map((users) => users.map(({ userid, pool }) => ({ userid, pool }))),
  }),
  fc.record({ by: fc.constant('stands' as const), lab: fc.constantFrom('net', 'web') }),
  fc.record({
    by: fc.constant('stands' as const),
    users: fc.subarray(
      USERS.map(({ userid }) => ({ userid })),
      { minLength: 1 },
    ),
  }),
  fc.constant({ by: 'expired' as const }),
  fc.constant({ by: 'orphans' as const }),
);
