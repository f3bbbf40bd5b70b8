import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../../src/lib/plan/document/step.ts';
import type { RequestFault } from '../../../src/lib/simulator/faults.ts';
import { readNetwork } from '../../../src/lib/inventory/network.ts';
import type { Scenario } from '../../../src/lib/simulator/scenario.ts';
import type { ScenarioNode } from '../../../src/lib/simulator/scenario-types.ts';
import { Ownership } from '../../../src/lib/execute/ask-ownership.ts';
import { handlers } from '../../../src/lib/execute/handlers/index.ts';
import { ownershipReads } from '../../../src/lib/workflow/run.ts';
import { apply, claim, count, MARK, OURS, step } from '../apply-step.ts';
import { busy, lost, onPve1, PveWorld, refused, taskEnds, VERSIONS, vm } from '../world.ts';

describe('user.create', () => {
  const payload: StepPayloads['user.create'] = {
    userid: 'anna@pve',
    comment: 'deploy-stand since=2026-01-15T09:00:00Z',
    groups: ['class'],
    firstName: 'Anna',
    password: 'generate',
  };
  const groups = [{ group: 'class' }];
  const USERS = ['POST', '/access/users'] as const;

  async function create(world: PveWorld, more: Partial<StepPayloads['user.create']> = {}) {
    const log: string[] = [];
    const secrets = {
      passwordFor: (userid: string) => {
        log.push(`pending ${userid} ${world.writes.length}`);
        return Promise.resolve('first-password');
      },
      settle: (userid: string, state: string) => {
        log.push(`${state} ${userid}`);
        return Promise.resolve();
      },
    };
    const { outcome } = await apply(world, 'user.create', { ...payload, ...more }, secrets);
    return { outcome, log };
  }

  test.each(VERSIONS)(
    '%s: the password is pending before PVE hears of it, and set after',
    async (version) => {
      const world = new PveWorld({ version, groups });
      expect(await create(world)).toEqual({ outcome: 'done', log: ['pending anna@pve 0', 'set anna@pve'] });
      expect(world.users()).toMatchObject([
        { userid: 'anna@pve', comment: payload.comment, groups: ['class'], firstname: 'Anna' },
      ]);
      expect(await world.canLogIn('anna@pve', 'first-password')).toBe(true);
    },
  );

  test('a directory keeps its own passwords', async () => {
    const world = new PveWorld({ groups });
    expect(await create(world, { password: 'directory' })).toEqual({
      outcome: 'done',
      log: ['directory anna@pve'],
    });
    expect(world.users()[0]).not.toHaveProperty('passwordHash');
  });

  test.each([
    { name: 'somebody else made the user', comment: 'by hand', state: 'unchanged' },
    { name: 'a former try of this step made the user', comment: payload.comment, state: 'set' },
  ])('$name: nothing is written, the password is $state', async ({ comment, state }) => {
    const world = new PveWorld({ groups, users: [{ userid: 'anna@pve', comment }] });
    const { outcome, log } = await create(world);
    expect(outcome).toBe('already-done');
    expect(log.at(-1)).toBe(`${state} anna@pve`);
    expect(world.writes).toEqual([]);
  });

  test.each([
    { when: 'before', outcome: 'done' },
    { when: 'after', outcome: 'already-done' },
  ] as const)(
    'an answer lost $when processing makes one user with a known password',
    async ({ when, outcome }) => {
      const world = new PveWorld({ groups }).fault(lost(USERS, when));
      const created = await create(world);
      expect(created.outcome).toBe(outcome);
      expect(created.log.at(-1)).toBe('set anna@pve');
      expect(world.writes).toEqual(['POST /access/users']);
      expect(await world.canLogIn('anna@pve', 'first-password')).toBe(true);
    },
  );

  test('a lock timeout is waited out with the same password', async () => {
    const world = new PveWorld({ groups }).fault(busy(USERS));
    expect((await create(world)).log).toEqual(['pending anna@pve 0', 'set anna@pve']);
  });

  test('a refusal leaves the password pending', async () => {
    const log: string[] = [];
    const secrets = {
      passwordFor: () => Promise.resolve('first-password'),
      settle: (_userid: string, state: string) => Promise.resolve(void log.push(state)),
    };
    await expect(apply(new PveWorld(), 'user.create', payload, secrets)).rejects.toThrow('no such group');
    expect(log).toEqual([]);
  });
});

describe.each(VERSIONS)('pool.create on %s', (version) => {
  const payload = { pool: 'anna', comment: 'deploy-stand user=anna@pve' };
  const POOLS = ['POST', '/pools'] as const;

  test.each<{ name: string; comment?: string; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'already ours', comment: payload.comment, outcome: 'already-done' },
    { name: 'lost before', faults: [lost(POOLS, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(POOLS, 'after')], outcome: 'already-done' },
    { name: 'lock timeout', faults: [busy(POOLS)], outcome: 'done' },
  ])('$name', async ({ comment, faults = [], outcome }) => {
    const pools = comment === undefined ? [] : [{ pool: 'anna', comment }];
    const world = new PveWorld({ version, pools }).fault(...faults);
    expect((await apply(world, 'pool.create', payload)).outcome).toBe(outcome);
    expect(world.pool('anna')?.comment).toBe(payload.comment);
    expect(count(world, 'POST /pools')).toBeLessThanOrEqual(1);
  });

  test('somebody else has a pool of that name', async () => {
    const world = new PveWorld({ version, pools: [{ pool: 'anna', comment: 'hers' }] });
    await expect(apply(world, 'pool.create', payload)).rejects.toMatchObject({ code: 'POOL_TAKEN' });
    expect(world.pool('anna')?.comment).toBe('hers');
  });
});

describe.each(VERSIONS)('pool.update on %s', (version) => {
  const payload = { pool: 'anna', comment: claim('pc{1..3}:10001-10003') };
  const UPDATE = ['PUT', version === '7.4' ? '/pools/anna' : '/pools'] as const;

  test.each<{ name: string; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', faults: [lost(UPDATE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(UPDATE, 'after')], outcome: 'already-done' },
    { name: 'lock timeout', faults: [busy(UPDATE)], outcome: 'done' },
  ])('$name: the comment, and no member', async ({ faults = [], outcome }) => {
    const pools = [{ pool: 'anna', comment: 'deploy-stand user=anna@pve', vms: [10001] }];
    const world = new PveWorld({ version, pools }).fault(...faults);
    expect((await apply(world, 'pool.update', payload)).outcome).toBe(outcome);
    expect(world.pool('anna')).toEqual({ comment: payload.comment, vmids: [10001] });
    expect(world.writes).toHaveLength(1);
    expect(world.sent[0]?.params).not.toHaveProperty('vms');
  });
});

describe('acl.grant', () => {
  const ACL = ['PUT', '/access/acl'] as const;

  test.each<{ name: string; faults?: RequestFault[] }>([
    { name: 'happy path' },
    { name: 'lost before', faults: [lost(ACL, 'before')] },
    { name: 'lost after', faults: [lost(ACL, 'after')] },
    { name: 'lock timeout', faults: [busy(ACL)] },
  ])('$name', async ({ faults = [] }) => {
    const pools = [{ pool: 'anna', comment: 'deploy-stand user=anna@pve' }];
    const world = new PveWorld({ users: [{ userid: 'anna@pve' }], pools });
    world.fault(...faults);
    const payload = { path: '/pool/anna', role: 'PVEVMAdmin', userid: 'anna@pve', propagate: true };
    expect((await apply(world, 'acl.grant', payload)).outcome).toBe('done');
    expect(world.grants()).toEqual(['/pool/anna PVEVMAdmin anna@pve true']);
  });

  test.each(['of somebody', 'deploy-stand user=boris@pve', undefined])('pool by now: %s', async (comment) => {
    const pools = comment === undefined ? [] : [{ pool: 'anna', comment }];
    const world = new PveWorld({ users: [{ userid: 'anna@pve' }], pools });
    const payload = { path: '/pool/anna', role: 'PVEVMAdmin', userid: 'anna@pve', propagate: true };
    await expect(apply(world, 'acl.grant', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.grants()).toEqual([]);
  });

  test('what another step had begun to ask before it was written does not say that its stand is open', async () => {
    const world = new PveWorld({
      users: [{ userid: 'anna@pve' }],
      pools: [OURS],
      guests: [vm(10001, 'pve1')],
    });
    const pve = world.client({ delay: () => 800 });
    await world.drive(pve.version());
    const { signal } = new AbortController();
    const ownership = new Ownership(ownershipReads({ pve, hard: signal }), world.clock, signal);
    world.before(ACL, async () => {
      world.begin(() => ownership.poolNow('anna'));
      await world.clock.sleep(900);
      const comment = `${OURS.comment} frozen=2026-02-01T00:00:00Z`;
      await world.admin.updatePool('anna', { comment });
    });
    const payload = { path: '/vms/10001', role: 'PVEVMUser', userid: 'anna@pve', propagate: false };
    const given = step('acl.grant', { ...payload, pool: 'anna' });
    const granted = handlers['acl.grant'](given, { ...world.io(), ownership });
    await expect(world.drive(granted)).rejects.toMatchObject({ code: 'FROZEN' });
    expect(world.grants()).toEqual([]);
  });
});

describe.each(VERSIONS)('bridge.create on %s', (version) => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', vlanAware: true, comment: MARK };
  const CREATE = ['POST', '/nodes/pve1/network'] as const;
  const LOCKED = "can't lock file '/etc/network/.pve-interfaces.lock' - got timeout";
  const withBridge = (comments: string): PveWorld =>
    new PveWorld({ version, ...onPve1({ staged: [{ name: 'vmbr1000', comments }] }) });

  test.each<{ name: string; comments?: string; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'already ours', comments: `${MARK}\n`, outcome: 'already-done' },
    { name: 'lost before', faults: [lost(CREATE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(CREATE, 'after')], outcome: 'already-done' },
    { name: 'the file is locked', faults: [refused(CREATE, LOCKED)], outcome: 'done' },
  ])('$name', async ({ comments, faults = [], outcome }) => {
    const world = comments === undefined ? new PveWorld({ version }) : withBridge(comments);
    world.fault(...faults);
    expect((await apply(world, 'bridge.create', payload)).outcome).toBe(outcome);
    expect(await world.bridges()).toEqual(['vmbr0', 'vmbr1000']);
    expect((await world.network()).rows[1]).toMatchObject({ active: false, comments: MARK });
  });

  test.each([
    {
      name: 'somebody else',
      comments: 'uplink to the lab',
      says: /created by somebody else \("uplink to the lab"\)/,
    },
    { name: 'another stand', comments: MARK.replace('anna', 'boris'), says: /boris@pve/ },
    { name: 'nobody in particular', comments: '', says: /created by somebody else$/ },
  ])('taken by $name', async ({ comments, says }) => {
    const world = withBridge(comments);
    const applied = apply(world, 'bridge.create', payload);
    await expect(applied).rejects.toMatchObject({ code: 'BRIDGE_TAKEN' });
    await expect(applied).rejects.toThrow(says);
    expect(world.writes).toEqual([]);
  });
});

describe.each(VERSIONS)('bridge.create where PVE does not list every bridge, on %s', (version) => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', vlanAware: false, comment: MARK, own: [10001] };
  const on = (bridge: string) => ({ net0: `virtio=BC:24:11:00:00:01,bridge=${bridge}` });
  const guests = [
    vm(400, 'pve1', { config: on('vmbr1000') }),
    vm(401, 'pve1', { config: on('vmbr1003') }),
    vm(402, 'pve2', { config: on('vmbr1001') }),
  ];
  const withGuests = (more: Partial<Scenario> = {}): PveWorld =>
    new PveWorld({ version, ...onPve1({ sourced_bridges: ['vmbr1000'] }), guests, ...more });
  const reads = (world: PveWorld) => world.reads.filter((line) => /\/(pending|config)$/.test(line));

  test('a number that a guest of the node names is taken, and what others name with it', async () => {
    const world = withGuests();
    const applied = apply(world, 'bridge.create', payload);
    await expect(applied).rejects.toMatchObject({
      code: 'BRIDGE_TAKEN',
      message: expect.stringContaining('vmbr1000 on pve1 is named by guest 400') as unknown,
      taken: [
        { bridge: 'vmbr1000', vmids: [400] },
        { bridge: 'vmbr1003', vmids: [401] },
      ],
    });
    expect(world.writes).toEqual([]);
  });

  test("the stand's own guests, and those of another node, may name it", async () => {
    const world = withGuests();
    const own = { ...payload, own: [400] };
    expect((await apply(world, 'bridge.create', own)).outcome).toBe('done');
    expect((await apply(world, 'bridge.create', { ...payload, bridge: 'vmbr1001' })).outcome).toBe('done');
  });

  test('a reserved one may be named by all', async () => {
    const { own, ...reserved } = payload;
    expect(own).toEqual([10001]);
    const world = withGuests();
    expect((await apply(world, 'bridge.create', reserved)).outcome).toBe('done');
    expect(reads(world)).toEqual([]);
  });

  test('the guests of a node are read once, by whichever step is first', async () => {
    const world = withGuests();
    const names = ['vmbr1005', 'vmbr1006', 'vmbr1007'];
    await Promise.all(names.map((bridge) => apply(world, 'bridge.create', { ...payload, bridge })));
    expect(reads(world).sort()).toEqual([400, 401].map((vmid) => `GET /nodes/pve1/qemu/${vmid}/pending`));
    expect(await world.bridges()).toEqual(['vmbr0', ...names]);
  });

  test('what a running VM will be on after its next start counts, and what it is on now', async () => {
    const running = vm(400, 'pve1', { running: true, config: on('vmbr1000') });
    const world = withGuests({ guests: [running] });
    const change = { set: { net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr1002' }, remove: [] };
    // The change stays pending.
    const changed = world.drive(world.admin.updateVmConfig({ node: 'pve1', vmid: 400 }, change));
    await expect(changed).rejects.toThrow('hotplug problem');
    for (const bridge of ['vmbr1000', 'vmbr1002']) {
      const applied = apply(world, 'bridge.create', { ...payload, bridge });
      await expect(applied).rejects.toMatchObject({ code: 'BRIDGE_TAKEN' });
    }
  });

  test('a container counts, too', async () => {
    const container = { vmid: 500, node: 'pve1', name: 'dns', type: 'lxc' as const, bridge: 'vmbr1000' };
    const applied = apply(withGuests({ guests: [container] }), 'bridge.create', payload);
    await expect(applied).rejects.toThrow('named by guest 500');
  });

  test('one that cannot be read leaves it open whether the number is free: nothing is made', async () => {
    const broken = refused(['GET', '/nodes/pve1/qemu/401/pending'], 'unable to parse the configuration');
    const world = withGuests().fault(broken);
    const applied = apply(world, 'bridge.create', { ...payload, bridge: 'vmbr1005' });
    await expect(applied).rejects.toMatchObject({
      code: 'GUESTS_UNREADABLE',
      message: expect.stringContaining('configuration of guest 401 there cannot be read') as unknown,
    });
    expect(world.writes).toEqual([]);
  });

  test('one that left since the list was made names nothing', async () => {
    const gone = "Configuration file 'nodes/pve1/qemu-server/401.conf' does not exist";
    const world = withGuests().fault(refused(['GET', '/nodes/pve1/qemu/401/pending'], gone));
    expect((await apply(world, 'bridge.create', { ...payload, bridge: 'vmbr1003' })).outcome).toBe('done');
  });
});

describe('bridge.update', () => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', vlanAware: true, comment: MARK } as const;
  const UPDATE = ['PUT', '/nodes/pve1/network/vmbr1000'] as const;
  const withBridge = (comments: string, vlan_aware = false): PveWorld =>
    new PveWorld(onPve1({ bridges: ['vmbr0', { name: 'vmbr1000', comments, vlan_aware }] }));

  test.each<{ name: string; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', faults: [lost(UPDATE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(UPDATE, 'after')], outcome: 'already-done' },
  ])('$name', async ({ faults = [], outcome }) => {
    const world = withBridge(MARK).fault(...faults);
    expect((await apply(world, 'bridge.update', payload)).outcome).toBe(outcome);
    expect((await world.network()).rows[1]).toMatchObject({ iface: 'vmbr1000', vlanAware: true });
    expect(world.writes).toHaveLength(1);
  });

  test('already VLAN-aware: nothing is written', async () => {
    const world = withBridge(MARK, true);
    expect((await apply(world, 'bridge.update', payload)).outcome).toBe('already-done');
    expect(world.writes).toEqual([]);
  });

  test.each([
    { name: 'gone', world: () => new PveWorld() },
    { name: 'not ours any more', world: () => withBridge('mine') },
  ])('a bridge that is $name is left alone', async ({ world: make }) => {
    const world = make();
    await expect(apply(world, 'bridge.update', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.writes).toEqual([]);
  });
});

describe('network.reload', () => {
  const payload = { node: 'pve1', bridges: ['vmbr1000', 'vmbr1001'] };
  const RELOAD = ['PUT', '/nodes/pve1/network'] as const;
  const WRITE = RELOAD.join(' ');
  const ours = ['vmbr1000', 'vmbr1001'].map((name) => ({ name, comments: MARK }));
  const STAGED = onPve1({ staged: ours });
  const UP = onPve1({ bridges: ['vmbr0', ...ours] });
  const BUSY = "command 'ifreload -a' failed: exit code 89";
  const FAILED = "command 'ifreload -a' failed: exit code 1";

  /** Somebody's reload consumes the staged file and fails. */
  async function failToReload(world: PveWorld): Promise<void> {
    world.fault(taskEnds(RELOAD, FAILED));
    await world.drive(world.admin.reloadNetwork('pve1'));
    await world.pass(10);
  }

  test.each<{
    name: string;
    scenario?: Partial<Scenario>;
    faults?: RequestFault[];
    prepare?: (world: PveWorld) => Promise<unknown>;
    outcome: string;
    reloads: number;
  }>([
    { name: 'happy path', outcome: 'done', reloads: 1 },
    { name: 'everything is up: nothing is done', scenario: UP, outcome: 'already-done', reloads: 0 },
    {
      name: 'up, but edits of ours are staged',
      scenario: UP,
      prepare: (world) =>
        world.drive(world.admin.updateBridge('pve1', { iface: 'vmbr1000', vlanAware: true, comment: MARK })),
      outcome: 'done',
      reloads: 1,
    },
    {
      name: 'down with nothing staged (a former reload failed)',
      prepare: failToReload,
      outcome: 'done',
      reloads: 1,
    },
    {
      name: 'a bridge that was never staged is not waited for',
      scenario: onPve1({ staged: ours.slice(0, 1) }),
      outcome: 'done',
      reloads: 1,
    },
    {
      name: 'a reload that loses against another one is done again',
      faults: [taskEnds(RELOAD, BUSY)],
      outcome: 'done',
      reloads: 2,
    },
    {
      name: 'another reload is running, and brings them up',
      prepare: (world) => world.drive(world.admin.reloadNetwork('pve1')),
      outcome: 'already-done',
      reloads: 2,
    },
    {
      name: 'a reload that fails is followed by one more',
      faults: [taskEnds(RELOAD, FAILED)],
      outcome: 'done',
      reloads: 2,
    },
    { name: 'lost before', faults: [lost(RELOAD, 'before')], outcome: 'done', reloads: 1 },
    {
      name: 'lost after: the running reload is waited for, not doubled',
      faults: [lost(RELOAD, 'after')],
      outcome: 'already-done',
      reloads: 1,
    },
  ])('$name', async ({ scenario = STAGED, faults = [], prepare, outcome, reloads }) => {
    const world = new PveWorld(scenario);
    await prepare?.(world);
    world.fault(...faults);
    expect((await apply(world, 'network.reload', payload)).outcome).toBe(outcome);
    expect(count(world, WRITE)).toBe(reloads);
    const { rows, changes } = await world.network();
    // What PVE says of `active` may be of an earlier moment; this is the kernel's word.
    const running = world.state().nodes.find(({ name }) => name === 'pve1')?.running ?? {};
    expect(rows.map(({ iface }) => iface).filter((iface) => running[iface] === undefined)).toEqual([]);
    expect(changes).toBe('');
  });

  test('edits of somebody else are never put into force', async () => {
    const world = new PveWorld(onPve1({ staged: [...ours, { name: 'vmbr7', comments: 'mine' }] }));
    await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject({
      code: 'FOREIGN_PENDING_CHANGES',
      message: expect.stringContaining('vmbr7') as string,
      hint: expect.stringContaining('+auto vmbr7') as string,
    });
    expect(world.writes).toEqual([]);
  });

  test('edits of somebody else do not matter when there is nothing to apply', async () => {
    const staged = [{ name: 'vmbr7', comments: 'mine' }];
    const world = new PveWorld(onPve1({ bridges: ['vmbr0', ...ours], staged }));
    expect((await apply(world, 'network.reload', payload)).outcome).toBe('already-done');
    expect(world.writes).toEqual([]);
  });

  test('a change that was not put into force is told, though the bridge is up', async () => {
    const world = new PveWorld(UP);
    for (const iface of ['vmbr1001', 'vmbr1000'])
      await world.drive(world.admin.updateBridge('pve1', { iface, vlanAware: true, comment: MARK }));
    world.fault(taskEnds(RELOAD, FAILED), taskEnds(RELOAD, FAILED, 2));
    await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject({
      code: 'RELOAD_FAILED',
      message: expect.stringContaining('changes of vmbr1000, vmbr1001 may not be in force') as string,
      hint: expect.stringContaining('`ifreload -a` on pve1') as string,
    });
  });

  test('a staged change of its bridges that is not known as ours keeps it from being done already', async () => {
    const world = new PveWorld(UP);
    await world.drive(world.admin.updateBridge('pve1', { iface: 'vmbr1000', comment: 'of a person' }));
    await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject({
      code: 'FOREIGN_PENDING_CHANGES',
    });
    expect(count(world, WRITE)).toBe(0);
  });

  /** An interface of somebody else makes each reload fail; ours come up all the same. */
  const withBond = (more: Partial<ScenarioNode> = {}) =>
    onPve1({
      staged: ours,
      interfaces: [{ iface: 'bond7', type: 'bond', options: { autostart: '1' } }],
      failing_interfaces: ['bond7'],
      ...more,
    });

  describe.each(VERSIONS)('PVE %s', (version) => {
    /** A page that is open in a browser: every worker of the node's pveproxy is asked while a reload is under way. */
    function watched(scenario: Partial<Scenario>, untilSecond = 60): PveWorld {
      const world = new PveWorld({ version, ...scenario });
      for (let second = 0.5; second < untilSecond; second += 0.5)
        world.later(second, () => world.admin.network('pve1'));
      return world;
    }

    test('readers keep "not active" of workers: what is up is believed, after good reloads and after failed ones', async () => {
      for (const scenario of [STAGED, withBond()]) {
        const world = watched(scenario);
        expect((await apply(world, 'network.reload', payload)).outcome).toBe('done');
        const reloads = count(world, WRITE);
        expect(reloads).toBeLessThanOrEqual(2);
        // Again, by another run: nothing is reloaded for what only a worker says.
        expect((await apply(world, 'network.reload', payload)).outcome).toBe('already-done');
        expect(count(world, WRITE)).toBe(reloads);
      }
    });

    test('bridges that carry VLANs may be up without them after a failed reload: told, also when run again', async () => {
      const aware = [{ name: 'vmbr1000', comments: MARK, vlan_aware: true }];
      const world = new PveWorld({
        version,
        ...withBond({ staged: aware, failing_interfaces: ['vmbr1000'] }),
      });
      const failed = {
        code: 'RELOAD_FAILED',
        message: expect.stringContaining('changes of vmbr1000 may not be in force') as string,
      };
      await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject(failed);
      const online = {
        name: 'pve1',
        online: true,
        maintenance: false,
        cpus: 1,
        cpu: 0,
        memoryTotal: 1,
        memoryUsed: 0,
      };
      const nodes = await world.drive(readNetwork(world.pve, online, undefined));
      expect(nodes.bridges.filter(({ active }) => !active).map(({ iface }) => iface)).toEqual(['vmbr1000']);
      await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject(failed);
    });
  });

  test('bridges that stay down after two reloads fail the step', async () => {
    const world = new PveWorld(STAGED).fault(taskEnds(RELOAD, FAILED), taskEnds(RELOAD, FAILED, 2));
    await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject({
      code: 'BRIDGES_DOWN',
      message: 'vmbr1000, vmbr1001 on pve1 did not come up',
      hint: expect.stringContaining('TASK ERROR') as string,
    });
    expect(count(world, WRITE)).toBe(2);
  });
});
