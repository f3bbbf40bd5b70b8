/** The class, the strangers around it, and the commands that are run for it. */
import { parseBalance } from '../../src/lib/config/balance/balance.ts';
import { parseLab, parseUsers } from '../../src/lib/config/load.ts';
import type { CleanupSelection } from '../../src/lib/plan/cleanup/context.ts';
import type { UsersWork } from '../../src/lib/plan/users/context.ts';
import type { Scenario } from '../../src/lib/simulator/scenario-types.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import type { PowerOptions } from '../../src/lib/plan/day-two/power-types.ts';
import { changeAccess, type AccessWant } from '../../src/lib/workflow/access.ts';
import { balance } from '../../src/lib/workflow/balance.ts';
import { changeBridges } from '../../src/lib/workflow/bridges.ts';
import { cleanup } from '../../src/lib/workflow/cleanup.ts';
import type { RunOutcome } from '../../src/lib/outcome/types.ts';
import { deploy, type DeployContext } from '../../src/lib/workflow/deploy.ts';
import { extend } from '../../src/lib/workflow/extend.ts';
import { power } from '../../src/lib/workflow/power.ts';
import { reclone } from '../../src/lib/workflow/reset.ts';
import { changeSnapshots, type SnapshotsWant } from '../../src/lib/workflow/snapshots.ts';
import { changeTemplates } from '../../src/lib/workflow/templates.ts';
import { changeUsers } from '../../src/lib/workflow/users.ts';
import { secret, userWithToken } from '../simulator/harness.ts';

export const USERS = parseUsers('users: [anna@pve, boris@pve]\n', 'users.yml').users;
export const EVERYBODY = USERS.map(({ userid }) => userid);

/** The cloud-init password of every machine `pc`. */
const CLOUD_INIT_PASSWORD = 'not-for-strangers';

const labText = (memory: number, more = '') => `name: net
expires: 2026-12-01
machines:
  - { device_type: ecorouter, name: eco, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: hq }] }
  - device_type: linux
    name: pc
    template: pc-tpl
    start: true
    memory: ${memory}
    pool_role: PVEVMUser
    cloud_init: { user: student, password: ${CLOUD_INIT_PASSWORD} }
    networks: [{ bridge: hq }]
${more}`;
const LATE =
  '  - { device_type: linux, name: late, template_tag: golden, baseline_snapshot: true, networks: [{ bridge: dmz }] }\n';

const NET = parseLab(labText(1024), 'net.yml').lab;
const NET_CHANGED = parseLab(labText(2048), 'net.yml').lab;
const NET_LARGER = parseLab(labText(1024, LATE), 'net.yml').lab;

const token = (userid: string, comment = '') => ({ ...userWithToken(userid), comment });
export const tokenOf = (userid: string): string => `${userid}!t=${secret}`;

/** `anna@pve` was there before us; `boris@pve` is made by the first deploy. */
/** `isWatched`: somebody reads all machines, so that the seal of a clone in no pool is no secret. */
export function scenarioOf(version: Version, isWatched = false): Scenario {
  return {
    version,
    nodes: ['pve1', 'pve2'].map((name) => ({ name, cpus: 16, memory_gib: 64, bridges: ['vmbr0', 'vmbr7'] })),
    storages: [{ id: 'disks', type: 'rbd' }],
    templates: [
      { vmid: 100, name: 'eco-tpl', node: 'pve1', storage: 'disks', disks_gib: [1] },
      {
        ...{ vmid: 101, name: 'pc-tpl', node: 'pve1', storage: 'disks', disks_gib: [1] },
        ...{ tags: 'golden', cloud_init: 'disks' },
      },
    ],
    guests: [
      { vmid: 300, name: 'mail', node: 'pve1', storage: 'disks', pool: 'staff', running: true, load: 0.6 },
      { vmid: 301, name: 'pc', node: 'pve2', storage: 'disks' },
      { vmid: 10002, name: 'shop', node: 'pve2', storage: 'disks', pool: 'zzz', running: true },
    ],
    users: [
      token('anna@pve', 'of the department'),
      token('tenant@pve'),
      token('boss@pve'),
      token('auditor@pve'),
      { userid: 'teacher@pve', password: 'seedseed' },
    ],
    pools: ['aaa', 'audit', 'boss', 'staff', 'zzz'].map((pool) => ({ pool, comment: `of ${pool}` })),
    acl: [
      { path: '/pool/staff', role: 'PVEVMAdmin', user: 'teacher@pve' },
      { path: '/pool/aaa', role: 'PVEVMAdmin', user: 'tenant@pve' },
      { path: '/pool/zzz', role: 'PVEVMAdmin', user: 'tenant@pve' },
      { path: '/pool/boss', role: 'PVEVMAdmin', user: 'boss@pve' },
      { path: '/pool/boss', role: 'PVEPoolAdmin', user: 'boss@pve' },
      { path: '/pool/audit', role: 'PVEVMAdmin', user: 'auditor@pve' },
      ...(isWatched ? ['auditor@pve', 'boss@pve'] : []).map((user) => ({
        ...{ path: '/vms', role: 'PVEAuditor', user },
      })),
    ],
  };
}

export interface Command {
  readonly run: (context: DeployContext) => Promise<RunOutcome>;
  /** Users whose stands it is about. */
  readonly users: readonly string[];
  /** It takes their stands away, or says whose it leaves. */
  readonly removes?: true;
  /** `--adopt`: its user wants gone what is called like a machine and nothing shows who made, students' own among it. */
  readonly adopts?: true;
  /** Its configuration says that it may move guests of others. */
  readonly movesForeign?: true;
}

const only = (name: string) => USERS.filter(({ userid }) => userid === name);

const deployOf = (lab: typeof NET, users = USERS, updateRunning = false): Command => ({
  run: (context) => deploy({ lab, users, options: { adopt: false, updateRunning } }, context),
  users: users.map(({ userid }) => userid),
});

const cleanupOf = (
  selection: CleanupSelection,
  users: readonly string[] = EVERYBODY,
  more: { readonly adopt?: true; readonly includeMembers?: true } = {},
): Command => ({
  run: (context) =>
    cleanup(
      {
        selection,
        options: {
          ...{ keepUsers: false, adopt: false, includeMembers: false, forceProtected: true },
          ...{ lockWaitSeconds: 60, minAgeSeconds: 0, ...more },
        },
      },
      context,
    ),
  users,
});

const usersOf = (work: UsersWork): Command => ({
  run: (context) => changeUsers({ work, passwords: { length: 12, alphabet: 'unambiguous' } }, context),
  users: EVERYBODY,
});

const balanceOf = (text: string, more: Partial<Command> = {}, evacuate?: readonly string[]): Command => {
  const { config } = parseBalance(text, 'balance.yml');
  return {
    run: (context) => balance({ config, ...(evacuate ? { evacuate } : {}) }, context),
    users: EVERYBODY,
    ...more,
  };
};

const SELECTION = { lab: 'net', labMachines: NET_LARGER.machines } as const;
const lockWaitSeconds = 60;

const powerOf = (action: PowerOptions['action'], more: Partial<PowerOptions> = {}): Command => ({
  run: (context) =>
    power(
      {
        stands: SELECTION,
        lab: NET_LARGER,
        options: {
          ...{ action, timeoutSeconds: 60, lockWaitSeconds, force: true, pause: false, fit: false },
          ...more,
        },
      },
      context,
    ),
  users: EVERYBODY,
});

const snapshotsOf = (work: SnapshotsWant['work']): Command => ({
  run: (context) =>
    changeSnapshots({ selection: SELECTION, lab: NET_LARGER, work, lockWaitSeconds }, context),
  users: EVERYBODY,
});

const recloneOf = (discardSnapshots: boolean, users?: readonly string[]): Command => ({
  run: (context) =>
    reclone(
      {
        selection: { ...SELECTION, ...(users ? { users: users.map((userid) => ({ userid })) } : {}) },
        lab: NET,
        ...{ outdated: false, start: false, discardSnapshots, lockWaitSeconds },
      },
      context,
    ),
  users: users ?? EVERYBODY,
});

const accessOf = (work: AccessWant['work']): Command => ({
  run: (context) => changeAccess({ selection: { lab: 'net' }, work }, context),
  users: EVERYBODY,
});

const pruning = {
  ...{ adopt: false, updateRunning: false },
  prune: { forceProtected: true, lockWaitSeconds },
};

export const COMMANDS = {
  deploy: deployOf(NET),
  'deploy for anna': deployOf(NET, only('anna@pve')),
  'deploy changed': deployOf(NET_CHANGED, USERS, true),
  'deploy larger': deployOf(NET_LARGER),
  'deploy, prune': {
    run: (context) => deploy({ lab: NET, users: USERS, options: pruning }, context),
    users: EVERYBODY,
  },
  'power start': powerOf('start'),
  'power shutdown': powerOf('shutdown'),
  'power suspend': powerOf('suspend'),
  'snapshot create': snapshotsOf({ do: 'create', name: 's1', withMemory: true, keep: 1 }),
  'snapshot delete': snapshotsOf({ do: 'delete', name: 's2' }),
  'reset to baseline': snapshotsOf({ do: 'rollback', command: 'reset', start: true }),
  'reset to a snapshot': snapshotsOf({ do: 'rollback', command: 'reset', to: 's1', start: false }),
  'reset by cloning': recloneOf(false),
  'reset by cloning, all': recloneOf(true),
  'reset anna by cloning': recloneOf(true, ['anna@pve']),
  freeze: accessOf({
    ...{ do: 'freeze', allLabs: false, stop: false, suspend: true, snapshot: 's3', lockWaitSeconds },
  }),
  thaw: accessOf({ do: 'thaw', allLabs: false }),
  extend: {
    run: (context) =>
      extend({ selection: { lab: 'net' }, options: { until: { days: 7 }, shorten: false } }, context),
    users: EVERYBODY,
  },
  'users create': usersOf({ by: 'create', users: USERS }),
  'users sync': usersOf({ by: 'sync', users: USERS, role: 'PVEVMAdmin', disable: false, prune: true }),
  'users sync to anna': usersOf({
    ...{ by: 'sync', users: only('anna@pve'), role: 'PVEVMAdmin' },
    ...{ disable: true, prune: false },
  }),
  'users recreate': usersOf({
    ...{ by: 'passwd', users: USERS, named: true },
    ...{ recreate: true, forceForeign: false },
  }),
  'users delete': usersOf({ by: 'delete', users: USERS, named: true }),
  'cleanup class': {
    ...cleanupOf({ by: 'stands', lab: 'net', labMachines: NET_LARGER.machines, users: USERS }),
    removes: true,
  },
  'cleanup class, adopt': {
    ...cleanupOf({ by: 'stands', lab: 'net', labMachines: NET_LARGER.machines, users: USERS }, EVERYBODY, {
      adopt: true,
    }),
    adopts: true,
  },
  'cleanup boris': {
    ...cleanupOf({ by: 'stands', users: [{ userid: 'boris@pve' }] }, ['boris@pve']),
    removes: true,
  },
  'cleanup lab': { ...cleanupOf({ by: 'stands', lab: 'net' }), removes: true },
  'cleanup expired': cleanupOf({ by: 'expired' }),
  'cleanup orphans': cleanupOf({ by: 'orphans' }),
  'bridges prune': {
    run: (context) => changeBridges({ do: 'prune', minAgeSeconds: 0 }, context),
    users: EVERYBODY,
  },
  'templates prune': {
    run: (context) => changeTemplates({ do: 'prune', minAgeSeconds: 0 }, context),
    users: EVERYBODY,
  },
  balance: balanceOf('guests: ours\nmode: spread\nspread_limit: 0.01\n'),
  'balance all': balanceOf('guests: all\nmode: spread\nspread_limit: 0.01\n', { movesForeign: true }),
  'evacuate pve1': balanceOf('guests: ours\n', {}, ['pve1']),
} satisfies Record<string, Command>;
export type CommandName = keyof typeof COMMANDS;
