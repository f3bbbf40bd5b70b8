/** Every command with exactly the privileges that the table asks for, and with each one of them taken away. */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadBalance } from '../../src/lib/config/balance/balance.ts';
import { parseLab, parseUsers } from '../../src/lib/config/load.ts';
import { CredentialsFile } from '../../src/lib/credentials/credentials-file.ts';
import { ConnectionError } from '../../src/lib/errors.ts';
import { readInventory } from '../../src/lib/inventory/read.ts';
import type { Inventory } from '../../src/lib/inventory/types.ts';
import { planCleanup } from '../../src/lib/plan/cleanup/cleanup.ts';
import { planDeploy } from '../../src/lib/plan/deploy/deploy.ts';
import { cleanupScope, deployScope } from '../../src/lib/privileges/scopes.ts';
import { planChecked, type PlanRequest } from '../../src/lib/workflow/preflight.ts';
import { examine } from '../../src/lib/privileges/examine.ts';
import { grantsFor, type Grant } from '../../src/lib/privileges/grants.ts';
import type { Command, Requirement } from '../../src/lib/privileges/types.ts';
import type { Profile } from '../../src/lib/plan/cluster/profile.ts';
import { createPveClient } from '../../src/lib/proxmox/client.ts';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import { createTaskWaiter } from '../../src/lib/proxmox/tasks.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import { balance, type BalanceWant } from '../../src/lib/workflow/balance.ts';
import { changeBridges, type BridgesWant } from '../../src/lib/workflow/bridges.ts';
import { cleanup, type CleanupWant } from '../../src/lib/workflow/cleanup.ts';
import type { RunOutcome } from '../../src/lib/outcome/types.ts';
import {
  applySavedPlan,
  deploy,
  previewDeploy,
  type DeployContext,
  type DeployWant,
} from '../../src/lib/workflow/deploy.ts';
import { changeTemplates, type TemplatesWant } from '../../src/lib/workflow/templates.ts';
import { changeUsers, type UsersWant } from '../../src/lib/workflow/users.ts';
import { secret, start, userWithToken, type Virtual } from './harness.ts';

/** The planning lock has to outlive a busy machine: 120 simulated seconds. */

const { lab } = parseLab(
  `name: net
machines:
  - { device_type: ecorouter, name: router, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: lan }] }
  - device_type: linux
    name: pc
    template_vmid: 101
    full_clone: true
    networks: [{ bridge: lan.7 }]
    cores: 2
    memory: 512
    pool_role: PVEVMUser
    baseline_snapshot: base
    cloud_init: { user: student, password: secret-1 }
    start: true
`,
  'lab.yml',
);
const { users } = parseUsers('users: [anna@pve]', 'users.yml');

/** As small as a cluster can be that has everything: every request costs as much as there is to list. */
const SMALL: Partial<Scenario> = {
  nodes: [{ name: 'pve1', bridges: ['vmbr0'] }],
  storages: [{ id: 'ceph', type: 'rbd' }],
  templates: [
    { vmid: 100, name: 'router', node: 'pve1', storage: 'ceph' },
    { vmid: 101, name: 'pc', node: 'pve1', storage: 'ceph' },
  ],
  guests: [],
  pools: [],
  users: [userWithToken('teacher@pve')],
  acl: [],
  latency: {
    user_cfg_write_ms: 1,
    config_write_ms: 1,
    linked_clone_s: 0.1,
    storage_lock_s: 0.1,
    full_clone_s_per_gib: 0.01,
    start_s: 0.1,
    stop_s: 0.1,
    network_reload_s: 0.1,
    network_write_ms: 1,
    snapshot_s: 0.1,
    destroy_s: 0.1,
  },
};

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface World extends Virtual {
  readonly teacher: DeployContext;
  readonly admin: DeployContext;
  /** The cluster in the teacher's eyes. */
  readonly see: () => Promise<Inventory>;
  /** What the table asks for, told by somebody who sees everything. */
  readonly grants: (command: Command, profile: Profile) => Promise<Grant[]>;
  /** Gives the teacher exactly these. */
  readonly allow: (grants: readonly Grant[]) => Promise<void>;
}

async function contextFor(
  { sim, time }: Virtual,
  tokenId: string,
  secretText: string,
): Promise<DeployContext> {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-'));
  folders.push(folder);
  const { clock } = time;
  const url = 'https://pve.simulated';
  const pve = createPveClient({
    connection: {
      name: 'test',
      hosts: [url],
      auth: { kind: 'token', tokenId, secret: secretText },
      tls: { verify: true },
      timeout: 30_000,
    },
    clock,
    connect: inProcess(sim.serve, time),
  });
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return {
    pve,
    tasks: createTaskWaiter(pve, clock, { signal }),
    clock,
    credentials: await CredentialsFile.open(join(folder, 'credentials.csv'), { url }),
    owner: 'test',
    caller: tokenId,
    soft: signal,
    hard: signal,
    onTrouble: (error) => {
      throw error;
    },
    onPhase: () => undefined,
    onPlan: () => undefined,
    onEvent: () => undefined,
  };
}

async function world(version: Version, change: Partial<Scenario> = {}): Promise<World> {
  const started = await start({ ...SMALL, version, ...change });
  const { root, sim } = started;
  const { tokenId, secret: rootSecret } = sim.credentials;
  const admin = await contextFor(started, tokenId, rootSecret);
  const teacher = await contextFor(started, 'teacher@pve!t', secret);
  let present: readonly Grant[] = [];
  const scope = {
    templates: lab.machines.map(({ template }) => template),
    claimed: () => sim.snapshot().guests.map(({ vmid }) => vmid),
    bridgeUse: () => ['pve1'],
    rights: true,
  };
  return {
    ...started,
    admin,
    teacher,
    see: () => readInventory(teacher, scope),
    grants: async (command, profile) => {
      const have = await readInventory(admin, scope);
      return grantsFor(examine({ command, lab, users, have, profile }).required);
    },
    allow: async (grants) => {
      for (const { path, role } of present) {
        await root.ok('PUT', '/access/acl', { path, roles: role, users: 'teacher@pve', delete: 1 });
      }
      for (const role of new Set(present.map((grant) => grant.role))) {
        await root.ok('DELETE', `/access/roles/${role}`);
      }
      for (const [role, privileges] of new Map(grants.map((grant) => [grant.role, grant.privileges]))) {
        await root.ok('POST', '/access/roles', { roleid: role, privs: privileges.join(',') });
      }
      for (const { path, role, propagate } of grants) {
        const form = { path, roles: role, users: 'teacher@pve', propagate: propagate ? 1 : 0 };
        await root.ok('PUT', '/access/acl', form);
      }
      present = grants;
    },
  };
}

/** Calls back with each privilege in turn taken away. */
async function withoutEach(
  { root }: World,
  grants: readonly Grant[],
  look: (privilege: string, path: string) => Promise<void>,
): Promise<void> {
  for (const { path, role, privileges } of grants) {
    for (const privilege of privileges) {
      const rest = privileges.filter((other) => other !== privilege);
      await root.ok('PUT', `/access/roles/${role}`, { privs: rest.join(',') });
      await look(privilege, path);
    }
    await root.ok('PUT', `/access/roles/${role}`, { privs: privileges.join(',') });
  }
}

const isNamed = (lacking: readonly Requirement[], privilege: string, path: string): boolean =>
  lacking.some(({ anyOf, grantOn }) => anyOf.includes(privilege) && (grantOn === path || path === '/pool'));

/** Plans as the command does, from what the caller saw when it had all privileges: tells which one's lack is not named. */
async function unnamed(
  it: World,
  grants: readonly Grant[],
  requestOf: (have: Inventory) => PlanRequest,
): Promise<string[]> {
  const have = await it.see();
  const found: string[] = [];
  expect(planChecked(requestOf(have), {}).lacking).toEqual([]);
  await withoutEach(it, grants, async (privilege, path) => {
    const rights = await it.teacher.pve.permissions();
    const { lacking } = planChecked(requestOf({ ...have, rights }), {});
    if (!isNamed(lacking, privilege, path)) found.push(`${privilege} ${path}`);
  });
  return found;
}

/** Runs the command itself: also what has to be seen before the plan is named, and nothing is written. */
async function unrefused(
  it: World,
  grants: readonly Grant[],
  run: () => Promise<RunOutcome>,
): Promise<string[]> {
  const found: string[] = [];
  await withoutEach(it, grants, async (privilege, path) => {
    const since = it.sim.requests.length;
    const error: unknown = await run().catch((thrown: unknown) => thrown);
    const wrote = it.sim.requests.slice(since).some(({ method }) => method !== 'GET');
    const refused =
      error instanceof ConnectionError &&
      error.code === 'MISSING_PRIVILEGES' &&
      error.issues.some((issue) => issue.message.includes(privilege));
    if (!refused || wrote) found.push(`${privilege} ${path}`);
  });
  return found;
}

const DEPLOY: DeployWant = { lab, users, options: { adopt: false, updateRunning: false } };
const CLEANUP: CleanupWant = {
  selection: { by: 'stands', lab: 'net', labMachines: lab.machines, users },
  options: {
    keepUsers: false,
    adopt: false,
    includeMembers: false,
    forceProtected: false,
    lockWaitSeconds: 60,
    minAgeSeconds: 0,
  },
};

function deployRequest(have: Inventory): PlanRequest {
  return {
    have,
    make: () => planDeploy({ ...DEPLOY, have }),
    scope: () => deployScope(lab, users, have, true),
    takesLock: () => true,
  };
}

function cleanupRequest(have: Inventory): PlanRequest {
  return {
    have,
    make: () => planCleanup({ ...CLEANUP, have }),
    scope: () => cleanupScope(CLEANUP.selection, have, { keepUsers: false, locks: true }),
    takesLock: () => true,
  };
}

function notDone({ rounds }: RunOutcome): unknown[] {
  return rounds.flatMap(({ result }) => result.results.filter(({ status }) => status !== 'done'));
}

test.each([
  { version: '7.4', profile: 'full' },
  { version: '8.4', profile: 'full' },
  { version: '9.2', profile: 'full' },
  { version: '7.4', profile: 'confined' },
  { version: '9.2', profile: 'confined' },
] as const)('deploy and cleanup on $version, profile $profile', async ({ version, profile }) => {
  const it = await world(version);
  const before = it.sim.snapshot();

  const forDeploy = await it.grants('deploy', profile);
  await it.allow(forDeploy);
  // The privileges of the role on the pools do for all but the claim, so without this one the profile is the other.
  const spared = profile === 'full' && version !== '7.4' ? ['VM.Allocate /vms'] : [];
  expect(await unnamed(it, forDeploy, deployRequest)).toEqual(spared);
  const made = await deploy(DEPLOY, it.teacher);
  expect(notDone(made)).toEqual([]);
  expect(made.plan.profile).toBe(profile);
  expect((await deploy(DEPLOY, it.teacher)).plan.steps).toEqual([]);

  const forCleanup = await it.grants('cleanup', profile);
  await it.allow(forCleanup);
  expect(await unnamed(it, forCleanup, cleanupRequest)).toEqual([]);
  expect(notDone(await cleanup(CLEANUP, it.teacher))).toEqual([]);
  const after = it.sim.snapshot();
  expect({ guests: after.guests.length, pools: after.pools }).toEqual({
    guests: before.guests.length,
    pools: [],
  });
  expect(after.users.map(({ userid }) => userid)).toEqual(before.users.map(({ userid }) => userid));
});

test('deploy itself refuses before it writes, also what it could not even plan', async () => {
  const it = await world('9.2');
  const forDeploy = await it.grants('deploy', 'confined');
  await it.allow(forDeploy);
  expect(await unrefused(it, forDeploy, () => deploy(DEPLOY, it.teacher))).toEqual([]);
});

test('a confined deploy takes no number of a guest that is out of its sight', async () => {
  const it = await world('9.2', {
    guests: [{ vmid: 10000, name: 'foreign', node: 'pve1', storage: 'ceph' }],
  });
  await it.allow(await it.grants('deploy', 'confined'));
  const made = await deploy(DEPLOY, it.teacher);
  expect(notDone(made)).toEqual([]);
  expect(made.rounds).toHaveLength(1);
  expect(made.plan.stands[0]?.vms.map(({ vmid }) => vmid)).toEqual([10001, 10002]);
});

test('nor does a plan that is saved first; one of which a number is used meanwhile is refused', async () => {
  const it = await world('9.2', {
    guests: [{ vmid: 10000, name: 'foreign', node: 'pve1', storage: 'ceph' }],
  });
  await it.allow(await it.grants('deploy', 'confined'));
  const { plan } = await previewDeploy(DEPLOY, it.teacher);
  expect(plan.stands[0]?.vms.map(({ vmid }) => vmid)).toEqual([10001, 10002]);
  const claiming = { ...it.teacher, pve: { ...it.teacher.pve, isVmidFree: () => Promise.resolve(false) } };
  await expect(applySavedPlan(plan, DEPLOY, claiming)).rejects.toMatchObject({
    code: 'PLAN_STALE',
    message: "taken by guests out of the caller's sight: VMID 10001, 10002",
  });
  expect(it.sim.snapshot().pools).toEqual([]);
  const made = await applySavedPlan(plan, DEPLOY, it.teacher);
  expect([notDone(made), made.plan.steps]).toEqual([[], plan.steps]);
});

test('users, on the newest version', async () => {
  const it = await world('9.2');
  const want: UsersWant = {
    work: { by: 'sync', users, role: 'PVEVMAdmin', disable: false, prune: false },
    passwords: lab.passwords,
  };
  const grants = await it.grants('users', 'confined');
  await it.allow(grants);
  expect(await unrefused(it, grants, () => changeUsers(want, it.teacher))).toEqual([]);
  expect(notDone(await changeUsers(want, it.teacher))).toEqual([]);
  const gone = await changeUsers({ ...want, work: { by: 'delete', users, named: false } }, it.teacher);
  expect(notDone(gone)).toEqual([]);
  expect(it.sim.snapshot().users.map(({ userid }) => userid)).not.toContain('anna@pve');
});

test('bridges, on the newest version', async () => {
  const comments = 'deploy-stand lab=old user=old@pve net=lan since=2026-01-01T00:00:00Z';
  const it = await world('9.2', {
    nodes: [{ name: 'pve1', bridges: ['vmbr0', { name: 'vmbr1000', comments }] }],
  });
  const prune: BridgesWant = { do: 'prune', minAgeSeconds: 0 };
  const grants = await it.grants('bridges', 'full');
  await it.allow(grants);
  expect(await unrefused(it, grants, () => changeBridges(prune, it.teacher))).toEqual([]);
  expect(notDone(await changeBridges(prune, it.teacher))).toEqual([]);
  const create: BridgesWant = { do: 'create', names: ['vmbr50'], vlanAware: false };
  expect(notDone(await changeBridges(create, it.teacher))).toEqual([]);
  expect(it.sim.snapshot().nodes[0]?.interfaces.map(({ iface }) => iface)).toEqual(
    expect.arrayContaining(['vmbr0', 'vmbr50']),
  );
});

test('templates, on the newest version', async () => {
  const local = { type: 'lvmthin', content: ['images'], size_gib: 100 } as const;
  const it = await world('9.2', {
    nodes: ['pve1', 'pve2'].map((name) => ({ name, bridges: ['vmbr0'] })),
    // A copy for pve2 changes its storage, and loses an image that only pve1 has.
    storages: [
      { ...local, id: 'thin1', nodes: ['pve1'] },
      { ...local, id: 'thin2', nodes: ['pve2'] },
      { id: 'local', type: 'dir', content: ['iso'] },
    ],
    templates: [{ vmid: 100, name: 'router', node: 'pve1', storage: 'thin1', iso: 'local:iso/tools.iso' }],
  });
  const [router] = lab.machines;
  const replicate: TemplatesWant = { do: 'replicate', lab: { ...lab, machines: [router!] } };
  const grants = await it.grants('templates', 'confined');
  await it.allow(grants);
  expect(await unrefused(it, grants, () => changeTemplates(replicate, it.teacher))).toEqual([]);
  expect(notDone(await changeTemplates(replicate, it.teacher))).toEqual([]);
  expect(it.sim.snapshot().guests.map(({ vmid, node }) => [vmid, node])).toContainEqual([99999, 'pve2']);
  expect(notDone(await changeTemplates({ do: 'prune', minAgeSeconds: 0 }, it.teacher))).toEqual([]);
  expect(it.sim.snapshot().guests.map(({ vmid }) => vmid)).toEqual([100]);
});

test('balance, on the newest version', async () => {
  const local = { type: 'lvmthin', content: ['images'], size_gib: 100 } as const;
  const it = await world('9.2', {
    nodes: ['pve1', 'pve2'].map((name) => ({ name, cpus: 16, memory_gib: 32, bridges: ['vmbr0'] })),
    // The router changes its storage on its way.
    storages: [
      { id: 'ceph', type: 'rbd' },
      { ...local, id: 'thin1', nodes: ['pve1'] },
      { ...local, id: 'thin2', nodes: ['pve2'] },
    ],
    templates: [
      { vmid: 100, name: 'router', node: 'pve1', storage: 'thin1' },
      { vmid: 101, name: 'pc', node: 'pve1', storage: 'ceph' },
    ],
  });
  const { plan } = await deploy(DEPLOY, it.admin);
  // For a cycle of pvestatd nobody knows what new VMs need.
  await it.time.sleep(12_000);
  const from = plan.stands[0]?.node ?? '';
  // What nobody wrote is not wanted at the cost of rights.
  const storageMap = { written: { thin1: ['thin2'], thin2: ['thin1'] }, automatic: true };
  const want: BalanceWant = { config: { ...loadBalance(undefined).config, storageMap }, evacuate: [from] };
  const grants = await it.grants('balance', 'confined');
  await it.allow(grants);
  expect(await unrefused(it, grants, () => balance(want, it.teacher))).toEqual([]);
  const moved = await balance(want, it.teacher);
  expect(notDone(moved)).toEqual([]);
  const kinds = new Set(moved.plan.steps.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(['bridge.create', 'bridge.delete', 'network.reload', 'vm.migrate']);
  expect(moved.plan.steps).toContainEqual(expect.objectContaining({ storageMap: { thin1: 'thin2' } }));
});
