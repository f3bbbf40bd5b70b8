/**
 * Every changing command, killed at each of its writes, and left without the answer or the request of each of them:
 * it ends like an undisturbed run, with the real credentials and audit files.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
// While a command is being loaded, the time of a cluster where HA is at work runs on: by hours, or not at all.
import '../../src/commands/balance/run.ts';
import type { ProgramIo } from '../../src/commands/io.ts';
import { handlers } from '../../src/lib/execute/handlers/index.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { createProgram } from '../../src/program.ts';
import { recordsOf } from '../audit/audit-schema.ts';
import { VERSIONS } from '../execute/world.ts';
import { isLong } from '../runs.ts';
import { comparable, macsOf } from './cluster-view.ts';
import { startFrom, watchWrites, type Wreck } from './killing.ts';
import { dealOut } from './losing.ts';
import {
  canLogin,
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  writes,
  type Cluster,
  type ClusterOptions,
  type RunOptions,
  type RunOutcome,
} from './harness.ts';

interface Story {
  readonly scenario?: Scenario;
  /** Where it is refused. */
  readonly notOn?: (typeof VERSIONS)[number];
  readonly files: Readonly<Record<string, string>>;
  /** Command lines that come before, in the same folder; `@` stands for the folder. */
  readonly before?: readonly string[];
  /** What else is there before; seconds pass, somebody else changes something. */
  readonly prepare?: (state: ClusterState) => ClusterState;
  /** Seconds that pass after that, and before the next run where it waits: what HA does has begun and ended by then. */
  readonly rest?: number;
  readonly command: string;
  /** There are at least so many writes. */
  readonly writes: number;
  /** Who can log in in the end, with what the credentials file says. */
  readonly logins?: readonly string[];
  /** It leaves alone what a task works on; so the next run begins when PVE has come to rest. */
  readonly waits?: true;
  /** The addresses of all cards are those of before. */
  readonly keepsMacs?: true;
  /** Runs with the password of root instead of the token. */
  readonly ticket?: true;
}

const LAB = `name: net
machines:
  - { device_type: ecorouter, name: eco, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: lan }] }
  - { device_type: linux, name: host, template_vmid: 101, start: true, networks: [{ bridge: lan }, { bridge: "**vmbr500**" }] }
`;
const USERS = 'users: [anna@pve, boris@pve]\n';
const CLASS = '-c @lab.yml -u @users.yml --credentials @c.csv';

const TWO_NODES: Scenario = scenario({
  nodes: ['pve1', 'pve2', 'pve3'].map((name) => ({ name })),
  storages: [
    { id: 'zfs', type: 'zfspool', content: ['images'] },
    { id: 'local', type: 'dir', content: ['iso'] },
  ],
  templates: [
    {
      vmid: 101,
      name: 'debian',
      node: 'pve1',
      storage: 'zfs',
      disks_gib: [1],
      cloud_init: 'zfs',
      iso: 'local:iso/tools.iso',
      config: { onboot: '1', protection: '1' },
    },
  ],
  guests: [],
});
const ONE_MACHINE =
  'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [] }]\n';

const FULL: Scenario = {
  version: '8.4',
  nodes: [
    { name: 'pve1', cpus: 8, memory_gib: 8 },
    { name: 'pve2', cpus: 8, memory_gib: 32 },
  ],
  storages: [{ id: 'ceph', type: 'rbd', size_gib: 900, content: ['images', 'rootdir'] }],
  templates: [{ vmid: 101, name: 'tpl', node: 'pve1', storage: 'ceph', disks_gib: [2] }],
  guests: [],
};

/** A stand of the older Python tool. */
const FOREIGN_STAND: Scenario = scenario({
  nodes: [{ name: 'pve1', bridges: ['vmbr0', 'vmbr1000'] }],
  storages: [{ id: 'ceph', type: 'rbd' }],
  templates: [100, 101].map((vmid) => ({ vmid, name: `tpl${vmid}`, node: 'pve1' })),
  users: [{ userid: 'anna@pve' }],
  pools: [{ pool: 'anna', comment: 'group 1' }],
  acl: [{ path: '/pool/anna', role: 'PVEVMAdmin', user: 'anna@pve' }],
  guests: [
    ...[
      {
        vmid: 110,
        name: 'eco',
        running: false,
        config: { net1: 'virtio=BC:24:11:00:01:10,bridge=vmbr1000' },
      },
    ],
    ...[{ vmid: 111, name: 'host', bridge: 'vmbr1000' }],
  ].map((guest) => ({ ...guest, node: 'pve1', pool: 'anna' })),
});

/** What was made this very hour may belong to a run that is under way. */
const longAgo = (state: ClusterState): ClusterState =>
  JSON.parse(
    JSON.stringify(state).replaceAll(/since=[\dTZ:-]+/g, 'since=2026-01-01T00:00:00Z'),
  ) as ClusterState;

/** HA is to empty the node, and tries in vain: the other one has no such bridge. */
const inMaintenance = (state: ClusterState): ClusterState => {
  const old = longAgo(state);
  return {
    ...old,
    nodes: old.nodes.map((node) => ({ ...node, maintenance: node.name === 'pve1' })),
    ha: { groups: [], resources: [10_000, 10_001].map((vmid) => ({ sid: `vm:${vmid}`, state: 'started' })) },
  };
};

/** Anna made a machine in her pool. */
const withMember = (state: ClusterState): ClusterState => {
  const [ours] = state.guests.filter(({ config }) => config['template'] !== '1');
  const mine = { ...structuredClone(ours!), vmid: 500, config: { name: 'mine', protection: '0' } };
  return {
    ...state,
    guests: [...state.guests, mine],
    pools: state.pools.map((pool) =>
      pool.poolid === 'anna' ? { ...pool, vms: [...pool.vms, 500].sort((a, b) => a - b) } : pool,
    ),
  };
};

/** Machines and pools of ours are gone; bridges and users stay. */
const withOrphans = (state: ClusterState): ClusterState => {
  const old = longAgo(state);
  return {
    ...old,
    guests: old.guests.filter(({ vmid }) => vmid < 10_000),
    pools: old.pools.filter(({ poolid }) => !['anna', 'boris'].includes(poolid)),
  };
};

/** One machine is protected, HA looks after another. */
const withGuarded = (state: ClusterState): ClusterState => ({
  ...state,
  guests: state.guests.map((guest) =>
    guest.vmid === 10_000 ? { ...guest, config: { ...guest.config, protection: '1' } } : guest,
  ),
  ha: { ...state.ha, resources: [...state.ha.resources, { sid: 'vm:10001', state: 'started' }] },
});

/** Students took their cards out. */
const withoutCards = (state: ClusterState): ClusterState => ({
  ...state,
  guests: state.guests.map((guest) => {
    const cards = Object.entries(guest.config).filter(([key]) => !/^net\d/.test(key));
    return guest.snapshots.length === 0 ? guest : { ...guest, config: Object.fromEntries(cards) };
  }),
});

/** The first machine does not hear the power button. */
const withDeafGuest = (state: ClusterState): ClusterState => ({
  ...state,
  guests: state.guests.map((guest) => (guest.vmid === 10_000 ? { ...guest, habits: { deaf: true } } : guest)),
});

/** What an administrator gave Anna beside what the file says of her. */
const withDetails = (state: ClusterState): ClusterState => ({
  ...state,
  users: state.users.map((user) =>
    user.userid === 'anna@pve'
      ? { ...user, email: 'anna@example.edu', firstname: 'Anna', groups: ['class'], expire: 1_900_000_000 }
      : user,
  ),
  groups: { ...state.groups, class: '' },
  acl: [
    ...state.acl,
    ...['/pool/infra', '/vms/300'].map((path) => ({
      ...{ path, role: 'PVEAuditor', propagate: false },
      ...{ type: 'user' as const, subject: 'anna@pve' },
    })),
  ],
});

const POWER = { files: { 'lab.yml': LAB, 'users.yml': USERS } };
/** One machine, with its baseline, that runs. */
const ONE_ON = {
  files: {
    'lab.yml':
      'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, start: true, baseline_snapshot: true, networks: [{ bridge: vmbr0 }] }]\n',
    'users.yml': 'users: [anna@pve]\n',
  },
  before: [`deploy ${CLASS}`],
};
/** A stand on the node that is to be emptied. */
const FULL_OF_STAND = {
  scenario: FULL,
  files: {
    'lab.yml': `name: net
placement: { strategy: specific, node: pve1, overcommit: { memory: 4 } }
machines:
  - { device_type: linux, name: a, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
  - { device_type: linux, name: b, template_vmid: 101, start: true, networks: [{ bridge: lan }, { bridge: vmbr0 }] }
`,
    'users.yml': 'users: [anna@pve]\n',
    'balance.yml': 'cooldown: 1s\nblacklist: 1s\n',
  },
  before: [`deploy ${CLASS}`],
  command: 'balance evacuate pve1 -c @balance.yml',
};
const SWITCHED_ON = [`deploy ${CLASS}`, 'power start --lab net'];

const stories: Readonly<Record<string, Story>> = {
  deploy: {
    files: { 'lab.yml': LAB, 'users.yml': USERS },
    command: `deploy ${CLASS}`,
    writes: 20,
    logins: ['anna@pve', 'boris@pve'],
  },
  'deploy with our own role': {
    files: {
      'lab.yml': `${LAB.replaceAll('bridge: lan', 'bridge: vmbr0')}access: { role: student }\n`,
      'users.yml': 'users: [anna@pve]\n',
    },
    command: `deploy ${CLASS}`,
    writes: 10,
    logins: ['anna@pve'],
  },
  'deploy of a saved plan': {
    files: { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n' },
    before: [`deploy ${CLASS} --dry-run --out @plan.json`],
    command: `deploy ${CLASS} --plan @plan.json`,
    writes: 10,
    logins: ['anna@pve'],
  },
  'deploy of a saved plan with a copy of the template': {
    scenario: TWO_NODES,
    files: { 'lab.yml': `${ONE_MACHINE}placement: { nodes: [pve2] }\n`, 'users.yml': 'users: [anna@pve]\n' },
    before: [`deploy ${CLASS} --dry-run --out @plan.json`],
    command: `deploy ${CLASS} --plan @plan.json`,
    writes: 10,
    logins: ['anna@pve'],
  },
  'deploy of a further machine': {
    files: {
      'first.yml': LAB,
      'lab.yml': `${LAB}  - { device_type: linux, name: late, template_vmid: 101, networks: [{ bridge: dmz }] }\n`,
      'users.yml': 'users: [anna@pve]\n',
    },
    before: ['deploy -c @first.yml -u @users.yml --credentials @c.csv'],
    command: `deploy ${CLASS}`,
    writes: 5,
    logins: ['anna@pve'],
  },
  'deploy --prune': {
    files: {
      'first.yml': `${LAB}  - { device_type: linux, name: old, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
  - { device_type: linux, name: older, template_vmid: 101, pool_role: PVEVMUser, networks: [{ bridge: lan }] }
`,
      'lab.yml': `${LAB}  - { device_type: linux, name: new, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
`,
      'users.yml': 'users: [anna@pve]\n',
    },
    before: ['deploy -c @first.yml -u @users.yml --credentials @c.csv'],
    command: `deploy ${CLASS} --prune`,
    writes: 10,
    logins: ['anna@pve'],
  },
  cleanup: {
    files: {
      'lab.yml': LAB,
      'web.yml': LAB.replace('name: net', 'name: web'),
      'users.yml': USERS,
    },
    before: [`deploy ${CLASS}`, 'deploy -c @web.yml -u @users.yml --credentials @w.csv'],
    command: 'cleanup --lab net',
    writes: 10,
  },
  'cleanup of everything': {
    files: { 'lab.yml': LAB, 'users.yml': USERS },
    before: [`deploy ${CLASS}`],
    prepare: withGuarded,
    command: `cleanup ${CLASS} --force-protected`,
    writes: 17,
  },
  'cleanup with what students made': {
    files: { 'lab.yml': LAB, 'users.yml': USERS },
    before: [`deploy ${CLASS}`],
    prepare: withMember,
    command: `cleanup ${CLASS} --include-members`,
    writes: 17,
  },
  'cleanup --orphans': {
    ...POWER,
    before: [`deploy ${CLASS}`],
    prepare: withOrphans,
    command: 'cleanup --orphans --min-age 0',
    writes: 4,
  },
  'bridges prune': {
    ...POWER,
    before: [`deploy ${CLASS}`],
    prepare: withOrphans,
    command: 'bridges prune --min-age 0',
    writes: 3,
  },
  'deploy --adopt': {
    // Without SDN.Use a student's cards tell nothing of the bridge.
    notOn: '7.4',
    scenario: FOREIGN_STAND,
    files: { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n' },
    command: `deploy ${CLASS} --adopt`,
    writes: 5,
  },
  'access freeze': {
    files: {
      'lab.yml': LAB.replace('template_vmid: 101,', 'template_vmid: 101, pool_role: PVEVMUser,'),
      'users.yml': USERS,
    },
    before: [`deploy ${CLASS}`],
    command: 'access freeze -c @lab.yml -u @users.yml --snapshot exam --stop',
    writes: 13,
  },
  'access thaw': {
    files: {
      'lab.yml': LAB.replace('template_vmid: 101,', 'template_vmid: 101, pool_role: PVEVMUser,'),
      'users.yml': USERS,
    },
    before: [`deploy ${CLASS}`, 'access freeze -c @lab.yml -u @users.yml'],
    command: 'access thaw -c @lab.yml -u @users.yml',
    writes: 7,
  },
  extend: {
    files: {
      'lab.yml': `${LAB}expires: 2027-02-01\n`,
      'users.yml': 'users: [{ userid: anna@pve, expire: 2027-02-01 }, boris@pve]\n',
    },
    before: [`deploy ${CLASS}`],
    command: 'extend -c @lab.yml -u @users.yml --until 2027-03-01',
    writes: 4,
  },
  'power start': { ...POWER, before: [`deploy ${CLASS}`], command: 'power start --lab net', writes: 2 },
  // One guest does not hear the power button.
  'power shutdown': {
    ...POWER,
    before: SWITCHED_ON,
    prepare: withDeafGuest,
    command: 'power shutdown --lab net --timeout 10s --force',
    writes: 4,
  },
  'power stop': { ...ONE_ON, command: 'power stop --lab net', writes: 1 },
  'power suspend --pause': { ...ONE_ON, command: 'power suspend --lab net --pause', writes: 1 },
  'power reboot': { ...POWER, before: SWITCHED_ON, command: 'power reboot --lab net', writes: 4 },
  'power suspend': { ...POWER, before: SWITCHED_ON, command: 'power suspend --lab net', writes: 4 },
  'power resume': {
    ...POWER,
    before: [...SWITCHED_ON, 'power suspend --lab net'],
    command: 'power resume --lab net',
    writes: 4,
  },
  'snapshot create': {
    files: { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n' },
    before: [`deploy ${CLASS}`, 'snapshot create old --lab net'],
    command: 'snapshot create exam --lab net --vmstate --keep 1',
    writes: 4,
  },
  'snapshot rollback': {
    files: { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n' },
    before: [`deploy ${CLASS}`, 'snapshot create exam --lab net'],
    prepare: withoutCards,
    command: 'snapshot rollback exam --lab net',
    writes: 2,
    keepsMacs: true,
  },
  'snapshot delete': {
    ...ONE_ON,
    before: [...ONE_ON.before, 'snapshot create exam --lab net'],
    command: 'snapshot delete exam --lab net',
    writes: 1,
  },
  'access freeze --suspend': { ...ONE_ON, command: 'access freeze --lab net --suspend', writes: 3 },
  reset: { ...ONE_ON, prepare: withoutCards, command: 'reset --lab net --start', writes: 1, keepsMacs: true },
  'reset --reclone': {
    files: {
      'lab.yml': LAB.replace('start: true', 'start: true, pool_role: PVEAuditor, baseline_snapshot: true'),
      'users.yml': 'users: [anna@pve]\n',
    },
    before: [`deploy ${CLASS}`],
    command: `reset --reclone -c @lab.yml -u @users.yml`,
    writes: 15,
    keepsMacs: true,
    waits: true,
  },
  'users sync': {
    files: {
      'first.yml': 'users: [anna@pve, boris@pve]\n',
      'users.yml':
        'users: [{ userid: anna@pve, email: anna@example.edu }, carla@pve, { userid: dora@pve, expire: 2031-01-01 }]\n',
    },
    before: ['users sync -u @first.yml --credentials @c.csv'],
    command: 'users sync -u @users.yml --credentials @c.csv --prune',
    writes: 8,
    logins: ['anna@pve', 'carla@pve', 'dora@pve'],
  },
  'users create': {
    files: { 'users.yml': 'users: [anna@pve]\n' },
    command: 'users create -u @users.yml --credentials @c.csv',
    writes: 3,
    logins: ['anna@pve'],
  },
  'users passwd': {
    files: { 'users.yml': USERS },
    before: ['users sync -u @users.yml --credentials @c.csv'],
    command: 'users passwd -u @users.yml --credentials @c.csv',
    writes: 2,
    logins: ['anna@pve', 'boris@pve'],
    ticket: true,
  },
  'users passwd --recreate': {
    files: { 'users.yml': USERS },
    before: ['users sync -u @users.yml --credentials @c.csv'],
    prepare: withDetails,
    command: 'users passwd -u @users.yml --recreate --credentials @c.csv',
    writes: 8,
    logins: ['anna@pve', 'boris@pve'],
  },
  'deploy with a copy of the template': {
    scenario: TWO_NODES,
    files: { 'lab.yml': `${ONE_MACHINE}placement: { nodes: [pve2] }\n`, 'users.yml': 'users: [anna@pve]\n' },
    command: `deploy ${CLASS}`,
    writes: 10,
    logins: ['anna@pve'],
  },
  'users delete': {
    files: { 'users.yml': USERS },
    before: ['users sync -u @users.yml --credentials @c.csv'],
    command: 'users delete -u @users.yml --credentials @c.csv',
    writes: 6,
  },
  'templates replicate': {
    scenario: TWO_NODES,
    files: { 'lab.yml': ONE_MACHINE },
    command: 'templates replicate -c @lab.yml',
    writes: 12,
  },
  'templates prune': {
    scenario: TWO_NODES,
    files: { 'lab.yml': ONE_MACHINE },
    before: ['templates replicate -c @lab.yml'],
    prepare: longAgo,
    command: 'templates prune --min-age 0',
    writes: 4,
    waits: true,
  },
  'bridges create': {
    files: {},
    command: 'bridges create vmbr700,vmbr701 --vlan-aware --nodes pve1,pve2',
    writes: 6,
  },
  balance: { ...FULL_OF_STAND, prepare: longAgo, writes: 8, waits: true },
  'balance (HA takes the machines, once it can)': {
    ...FULL_OF_STAND,
    prepare: inMaintenance,
    rest: 120,
    writes: 8,
    waits: true,
  },
  'balance (containers that are restarted)': {
    scenario: {
      ...FULL,
      guests: [501, 502].map((vmid) => ({
        ...{ vmid, name: `ct${vmid}`, type: 'lxc', node: 'pve1', storage: 'ceph' },
        ...{ memory_mib: 512, running: vmid === 501 },
      })),
    },
    files: {
      'balance.yml':
        "guests: all\ncontainers: restart\nwindows: [{ from: '00:00', to: '24:00' }]\ncooldown: 1s\nblacklist: 1s\n",
    },
    command: 'balance evacuate pve1 -c @balance.yml',
    writes: 6,
    waits: true,
  },
};

const wordsOf = (line: string, folder: string): string[] =>
  line.split(' ').map((word) => word.replace('@', `${folder}/`));

interface Stage {
  readonly folder: string;
  readonly argv: readonly string[];
}

/** A folder as it is before the command, or as a run that was killed has left it. */
function setStage(story: Story, kept: Readonly<Record<string, string>>): Stage {
  const folder = workFolder();
  writeFiles(folder, story.files);
  writeFiles(folder, kept, 0o600);
  return { folder, argv: wordsOf(`${story.command} --audit-file @audit.jsonl`, folder) };
}

interface Origin {
  readonly state: ClusterState | undefined;
  /** What the command lines before have written beside the cluster. */
  readonly kept: Readonly<Record<string, string>>;
  /** Addresses of all cards, those in snapshots among them. */
  readonly macs: readonly string[];
}

/** What comes before is the same for many. */
const begun = new Map<string, Promise<Pick<Origin, 'kept'> & { readonly state: ClusterState }>>();

async function begin(story: Story, before: readonly string[]) {
  const { folder } = setStage(story, {});
  const cluster = await startCluster(story.scenario ? { scenario: story.scenario } : {});
  for (const line of before) {
    const run = await runCli(wordsOf(line, folder), cluster);
    expect([line, run.code, run.code === 0 ? '' : run.stdout + run.stderr]).toEqual([line, 0, '']);
  }
  // A cycle of pvestatd, until which nobody knows what new machines need.
  await cluster.time.sleep(12_000);
  const names = ['c.csv', 'w.csv', 'plan.json'].filter((name) => existsSync(join(folder, name)));
  const kept = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  return { state: cluster.snapshot(), kept };
}

async function afterRest({ scenario: of, rest = 0 }: Story, state: ClusterState): Promise<ClusterState> {
  if (rest === 0) return state;
  const cluster = await startCluster({ ...(of ? { scenario: of } : {}), state });
  await cluster.time.sleep(rest * 1000);
  return cluster.snapshot();
}

async function originOf(story: Story): Promise<Origin> {
  if (!story.before) return { state: undefined, kept: {}, macs: [] };
  const key = JSON.stringify([story.scenario, story.files, story.before]);
  const beginning = begun.get(key) ?? begin(story, story.before);
  begun.set(key, beginning);
  const { state, kept } = await beginning;
  const prepared = story.prepare ? story.prepare(state) : state;
  return { state: await afterRest(story, prepared), kept, macs: macsOf(state) };
}

/** Writes that the cluster has seen, logins aside. */
const seenBy = (cluster: Cluster): string[] =>
  writes(cluster).filter((write) => !write.endsWith('/access/ticket'));

const complaint = (run: RunOutcome): string => (run.code === 0 ? '' : run.stdout + run.stderr);

const optionsOf = (story: Story, { credentials }: Pick<Cluster, 'credentials'>): Pick<RunOptions, 'env'> =>
  story.ticket
    ? {
        env: {
          ...{ PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '' },
          ...{ PVE_USER: credentials.user, PVE_PASSWORD: credentials.password },
        },
      }
    : {};

interface Known {
  readonly origin: Origin;
  readonly wrecks: readonly Wreck[];
  /** Of the steps that wrote. */
  readonly kinds: readonly string[];
  /** The cluster in the end, undisturbed. */
  readonly expected: unknown;
}

/** `which`: of what was done to it, in the words of a failing test. */
interface End {
  readonly which: unknown;
  readonly folder: string;
  readonly cluster: Cluster;
  /** What it had done before it was killed. */
  readonly before?: readonly string[];
  readonly known: Pick<Known, 'origin'> & Partial<Known>;
}

async function expectEnd(story: Story, { which, folder, cluster, before = [], known }: End): Promise<void> {
  await cluster.idle();
  const state = cluster.snapshot();
  if (known.expected !== undefined)
    expect({ which, state: comparable(state) }).toEqual({ which, state: known.expected });
  if (story.keepsMacs) {
    const strange = macsOf(state).filter((mac) => !known.origin.macs.includes(mac));
    expect([which, strange]).toEqual([which, []]);
  }
  const records = recordsOf(readFileSync(join(folder, 'audit.jsonl'), 'utf8'));
  const begun = records
    .filter(({ type }) => type === 'write.start')
    .map(({ method, path }) => `${String(method)} ${String(path)}`);
  const seen = [...before, ...seenBy(cluster).map(decodeURIComponent)];
  expect([which, seen.filter((write) => !begun.includes(write))]).toEqual([which, []]);
  if (!story.logins) return;
  const rows = readFileSync(join(folder, 'c.csv'), 'utf8').trim().split('\n').slice(1);
  for (const userid of story.logins) {
    const [, password = '', mark] = rows.find((row) => row.startsWith(`${userid},`))?.split(',') ?? [];
    const works = await canLogin(cluster, userid, password);
    expect([which, userid, mark, works]).toEqual([which, userid, 'set', true]);
  }
}

function clusterAt(story: Story, { state }: Origin): ClusterOptions {
  return { ...(story.scenario ? { scenario: story.scenario } : {}), ...(state ? { state } : {}) };
}

async function undisturbed(story: Story): Promise<Known> {
  const origin = await originOf(story);
  const { folder, argv } = setStage(story, origin.kept);
  const { cluster, run, wrecks } = await watchWrites(argv, folder, clusterAt(story, origin), (one) =>
    optionsOf(story, one),
  );
  expect([run.code, complaint(run)]).toEqual([0, '']);
  await expectEnd(story, { which: 'undisturbed', folder, cluster, known: { origin } });
  expect(wrecks.length).toBeGreaterThanOrEqual(story.writes);
  const steps = recordsOf(readFileSync(join(folder, 'audit.jsonl'), 'utf8')).map(({ step }) => String(step));
  const kinds = [...new Set(steps.map((step) => step.split(':', 1)[0]!))];
  return { origin, wrecks, kinds, expected: comparable(cluster.snapshot()) };
}

const known = new Map<Story, Promise<Known>>();

function knownOf(story: Story): Promise<Known> {
  const run = known.get(story) ?? undisturbed(story);
  known.set(story, run);
  return run;
}

const on = (version: (typeof VERSIONS)[number], [name, story]: [string, Story]): [string, Story] => [
  `${name}, on ${version}`,
  { ...story, scenario: { ...(story.scenario ?? scenario()), version } },
];

/**
 * A long run tells the same stories on each version: paths, words of refusals and rights differ. By the times of 7.4 a
 * removal of the killed run is met in its last moment.
 */
const told = Object.entries(stories).flatMap((one): [string, Story][] => {
  const [name, { notOn }] = one;
  if (isLong) return VERSIONS.filter((version) => version !== notOn).map((version) => on(version, one));
  return [name === 'cleanup' ? on('7.4', one) : one];
});

describe.each(told)('%s', (_, story) => {
  test('killed after each write, then the same command again', async () => {
    const known = await knownOf(story);
    for (const wreck of known.wrecks) {
      const { folder, argv } = setStage(story, wreck.files);
      const cluster = await startFrom(wreck, clusterAt(story, known.origin));
      if (story.waits) {
        await cluster.idle();
        if (story.rest !== undefined) await cluster.time.sleep(story.rest * 1000);
      }
      const which = `killed after ${wreck.writes.length}: ${wreck.writes.at(-1)}`;
      const again = await runCli(argv, cluster, optionsOf(story, cluster));
      expect([which, again.code, complaint(again)]).toEqual([which, 0, '']);
      await expectEnd(story, { which, folder, cluster, before: wreck.writes, known });
    }
  });

  test('each write lost: its answer, and the request itself', async () => {
    const known = await knownOf(story);
    const runs = dealOut(known.wrecks.at(-1)!.writes, ['drop-after', 'drop-before']);
    for (const which of runs) {
      const { folder, argv } = setStage(story, known.origin.kept);
      const cluster = await startCluster(clusterAt(story, known.origin));
      for (const fault of which) cluster.addFault(fault);
      const run = await runCli(argv, cluster, optionsOf(story, cluster));
      expect([which, run.code, complaint(run)]).toEqual([which, 0, '']);
      const lost = cluster.requests.filter(({ status }) => status === 0).length;
      // The others may have made one of them needless, as a lock is not taken again while it is held: each by itself, then.
      if (which.length > 1 && lost < which.length) runs.push(...which.map((fault) => [fault]));
      else expect([which, lost]).toEqual([which, which.length]);
      await expectEnd(story, { which, folder, cluster, known });
    }
  });
});

test('each command that plans changes is here, and each kind of step', async () => {
  const program = createProgram({ env: {}, stdout: {}, stderr: {} } as unknown as ProgramIo); // nothing is run by it
  const named = (command: Command, above = ''): string[] => {
    const name = `${above}${command.name()}`;
    const isPlanned = command.options.some(({ long }) => long === '--dry-run');
    return [...(isPlanned ? [name] : []), ...command.commands.flatMap((one) => named(one, `${name} `))];
  };
  const lines = Object.values(stories).map(({ command }) => command);
  const commands = program.commands.flatMap((command) => named(command));
  // A round of `balance` moves guests by the same steps as an evacuation.
  expect(commands.filter((one) => !lines.some((line) => `${line} `.startsWith(`${one} `)))).toEqual([]);
  const kinds = new Set<string>();
  for (const story of Object.values(stories)) (await knownOf(story)).kinds.forEach((kind) => kinds.add(kind));
  expect(Object.keys(handlers).filter((kind) => !kinds.has(kind))).toEqual([]);
});
