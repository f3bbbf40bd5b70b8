/** How the evidence for the verdict is read while applying: seldom, together, and anew before it says no. */
import { expect, test } from 'vitest';
import { Ownership } from '../../src/lib/execute/ask-ownership.ts';
import { readInventory } from '../../src/lib/inventory/read.ts';
import { Readings } from '../../src/lib/workflow/readings.ts';
import { ownershipReads } from '../../src/lib/workflow/run.ts';
import { isWritable } from '../../src/lib/plan/stands/ownership.ts';
import { claim, OURS, reserved, RESERVED, SEALED } from './apply-step.ts';
import { PveWorld, refused, sealOf, vm } from './world.ts';

const VM = { vmid: 10001, pool: 'anna' };

type Scenario = NonNullable<ConstructorParameters<typeof PveWorld>[0]>;

/** A cluster, the reader of a run on it, and what it asks for; each way to PVE takes so many milliseconds. */
function reading(scenario: Scenario = {}, delay = 0) {
  const world = new PveWorld({ pools: [OURS], guests: [vm(10001, 'pve1')], ...scenario });
  const client = delay === 0 ? world.pve : world.client({ delay: () => delay });
  const asked: string[] = [];
  const pve: ConstructorParameters<typeof Ownership>[0] = {
    pools: (signal) => {
      asked.push('pools');
      return ownershipReads({ pve: client, hard: signal }).pools(signal);
    },
    comments: async (signal) => {
      asked.push('comments');
      const pools = await client.pools(signal);
      return pools.filter(({ pool }) => pool !== 'unseen');
    },
    users: (signal) => {
      asked.push('users');
      return client.users(signal);
    },
    pool: (pool, signal) => {
      asked.push(`pool ${pool}`);
      return client.pool(pool, signal);
    },
    resources: (signal) => {
      asked.push('resources');
      return client.resources(signal);
    },
    guestConfig: (guest, signal) => {
      asked.push(`config ${guest.vmid}`);
      return client.guestConfig(guest, signal);
    },
  };
  const ownership = new Ownership(pve, world.clock, new AbortController().signal);
  const verdict = (vmid = 10001) => world.drive(ownership.verdict({ vmid, pool: 'anna' }));
  return { world, asked, client, ownership, verdict };
}

const PAIR = ['pools', 'resources'];

test('one pair of reads serves all who ask within 5 s, and no one later', async () => {
  const { world, asked, verdict } = reading();
  for (let times = 0; times < 10; times += 1) expect(await verdict()).toBe('ours');
  await world.pass(4.5);
  expect(await verdict()).toBe('ours');
  expect(asked).toEqual(PAIR);
  await world.pass(1);
  await verdict();
  expect(asked).toEqual([...PAIR, ...PAIR]);
});

test('all who ask at once share one pair: the first time, and when it has grown old', async () => {
  const { world, asked, verdict } = reading();
  const all = () => Promise.all(Array.from({ length: 20 }, () => verdict()));
  expect(new Set(await all())).toEqual(new Set(['ours']));
  expect(asked).toEqual(PAIR);
  await world.pass(6);
  await all();
  expect(asked).toEqual([...PAIR, ...PAIR]);
});

test('who asks while it is being read waits for it', async () => {
  const { world, asked, client, verdict } = reading({}, 1000);
  // The first request of a login goes alone.
  await world.drive(client.version());
  const first = verdict();
  await world.pass(1);
  const started = world.clock.now();
  expect(await verdict()).toBe('ours');
  expect(world.since(started)).toBeLessThan(1.5);
  expect(await first).toBe('ours');
  expect(asked).toEqual(PAIR);
});

test('before it says no it reads anew, once', async () => {
  const { world, asked, verdict } = reading({ pools: [{ ...OURS, vms: [] }] });
  expect(await verdict()).toBe('left-pool');
  // It was read for this very question.
  expect(asked).toEqual(PAIR);
  await world.pass(1);
  await world.drive(world.admin.updatePool('anna', { addVmids: [10001] }));
  expect(await verdict()).toBe('ours');
  expect(asked).toEqual([...PAIR, ...PAIR]);
  await world.pass(1);
  expect(await verdict(10009)).toBe('foreign');
  expect(asked).toHaveLength(6);
});

test('of many that would say no, all share the new reading', async () => {
  const vmids = [10001, 10002, 10003, 10004];
  const pool = { ...OURS, comment: claim('pc{1..4}:10001-10004'), vms: [] };
  const { world, asked, verdict } = reading({ pools: [pool], guests: vmids.map((vmid) => vm(vmid, 'pve1')) });
  await verdict();
  await world.pass(1);
  await world.drive(world.admin.updatePool('anna', { addVmids: vmids }));
  expect(await Promise.all(vmids.map((vmid) => verdict(vmid)))).toEqual(vmids.map(() => 'ours'));
  expect(asked).toEqual([...PAIR, ...PAIR]);
});

test('what this run writes itself it knows without reading', async () => {
  const { world, asked, ownership, verdict } = reading({
    pools: [RESERVED],
    guests: [vm(10001, 'pve1', { description: SEALED })],
  });
  expect(await verdict()).toBe('unjoined');
  await world.drive(world.admin.updatePool('anna', { comment: claim(), addVmids: [10001] }));
  ownership.wrote('anna', claim(), { members: [10001] });
  expect(await verdict()).toBe('ours');
  // Taken out of the claim, it is not taken for ours for another 5 s.
  await world.drive(world.admin.updatePool('anna', { comment: claim('pc:10002') }));
  ownership.wrote('anna', claim('pc:10002'));
  expect(await verdict()).toBe('foreign');
  expect(asked).toEqual([...PAIR, 'config 10001', ...PAIR]);
});

test('a configuration that the caller has read is not read again; neither is one of a VM that is made', async () => {
  const { world, asked, ownership } = reading({
    pools: [RESERVED],
    guests: [vm(10001, 'pve1', { description: SEALED })],
  });
  const values = { description: SEALED };
  expect(await world.drive(ownership.verdict(VM, values))).toBe('unjoined');
  await world.drive(ownership.assertOurs(VM));
  expect(asked).toEqual(PAIR);
  const made = reading();
  await made.verdict();
  expect(made.asked).toEqual(PAIR);
});

test('a seal that fitted is looked at again after 5 s', async () => {
  const { world, asked, verdict } = reading({
    pools: [RESERVED],
    guests: [vm(10001, 'pve1', { description: SEALED })],
  });
  await verdict();
  await verdict();
  await world.pass(6);
  await world.drive(
    world.admin.updateVmConfig({ node: 'pve1', vmid: 10001 }, { set: { description: 'x' }, remove: [] }),
  );
  expect(await verdict()).toBe('foreign');
  expect(asked.filter((what) => what === 'config 10001')).toHaveLength(2);
});

test('a VM that was made since the list was read is judged by what the caller has read', async () => {
  const { world, ownership, verdict } = reading({ pools: [RESERVED], guests: [] });
  expect(await verdict()).toBe('open');
  expect(await world.drive(ownership.verdict(VM, { description: SEALED }))).toBe('unjoined');
  expect(await world.drive(ownership.verdict(VM, { description: 'by hand' }))).toBe('foreign');
});

test('what seems to be there is judged by a reading that was begun since, before it is given up', async () => {
  const { world, asked, ownership, verdict } = reading();
  expect(await verdict()).toBe('ours');
  await world.drive(world.admin.deleteVm({ node: 'pve1', vmid: 10001 }, { purge: true }));
  await world.pass(2);
  expect(await verdict()).toBe('ours');
  expect(await world.drive(ownership.isUnused(VM))).toBe(true);
  expect(asked).toEqual([...PAIR, ...PAIR]);
});

test('a VM on a node that is off is not asked for its configuration', async () => {
  const nodes = [{ name: 'pve1' }, { name: 'pve2', online: false }, { name: 'pve3' }];
  const guests = [vm(10001, 'pve2', { description: SEALED })];
  const { asked, verdict } = reading({ nodes, guests, pools: [RESERVED] });
  expect(await verdict()).toBe('away');
  expect(asked).toEqual(PAIR);
});

test("a reading that failed is nobody else's trouble", async () => {
  const { world, verdict } = reading();
  world.fault(refused(['GET', '/pools'], 'something broke'));
  await expect(Promise.all([verdict(), verdict()])).rejects.toThrow('something broke');
  expect(await verdict()).toBe('ours');
});

test('two labs of one pool: each machine is judged by the line that names it', async () => {
  const web = `lab=web vms=${reserved(sealOf(10001)).replace('pc', 'web')} since=2026-01-15T09:00:00Z`;
  const comment = `${claim('pc:10005')}\n${web}`;
  const { world, ownership } = reading({
    pools: [{ pool: 'anna', comment, vms: [10005] }],
    guests: [vm(10001, 'pve1', { description: SEALED }), vm(10005, 'pve1')],
  });
  const verdicts = await world.drive(
    Promise.all([10001, 10005].map((vmid) => ownership.verdict({ vmid, pool: 'anna' }))),
  );
  expect(verdicts).toEqual(['unjoined', 'ours']);
  expect(verdicts.every(isWritable)).toBe(true);
});

test('rights of the caller that could not be read once are asked for again', async () => {
  const world = new PveWorld({ pools: [OURS], guests: [vm(10001, 'pve1')] });
  let asked = 0;
  const permissions: typeof world.pve.permissions = (signal) => {
    asked += 1;
    return asked === 1 ? Promise.reject(new Error('no answer')) : world.pve.permissions(signal);
  };
  const { signal } = new AbortController();
  const reads = ownershipReads({ pve: { ...world.pve, permissions }, hard: signal });
  await expect(reads.pools(signal)).rejects.toThrow('no answer');
  for (const times of [2, 2]) {
    expect((await world.drive(reads.pools(signal))).pools.map(({ pool }) => pool)).toContain('anna');
    expect(asked).toBe(times);
  }
});

test('a pool and a user of a moment are read from the lists that all share; a turn under the lock begins anew', async () => {
  const { world, asked, ownership } = reading({
    users: [{ userid: 'anna@pve', comment: 'of the class' }],
  });
  for (let times = 0; times < 5; times += 1) {
    expect(await world.drive(ownership.pool('anna'))).toMatchObject({ vmids: OURS.vms });
    expect((await world.drive(ownership.user('anna@pve')))?.comment).toBe('of the class');
  }
  expect(await world.drive(ownership.pool('nobody'))).toBeUndefined();
  expect(asked).toEqual([...PAIR, 'users']);
  await world.pass(1);
  await world.drive(ownership.pool('anna', world.clock.now()));
  expect(asked).toEqual([...PAIR, 'users', ...PAIR]);
  await world.pass(6);
  await world.drive(Promise.all([ownership.pool('anna'), ownership.user('anna@pve')]));
  expect(asked.slice(5).sort()).toEqual([...PAIR, 'users'].sort());
});

test('what a comment says later is told by the next list of all that begins; what the list does not show is read alone', async () => {
  const { world, asked, ownership } = reading();
  const later = async (pool: string, afterMs: number) => {
    await world.clock.sleep(afterMs);
    return ownership.commentLater(pool);
  };
  const write = async () => {
    await world.clock.sleep(200);
    await world.pve.updatePool('anna', { comment: 'written meanwhile' });
  };
  await world.pve.createPool('unseen', 'somewhere');
  const all = [later('anna', 0), later('unseen', 300), later('nobody', 300), write()];
  expect(await world.drive(Promise.all(all))).toEqual([
    'written meanwhile',
    'somewhere',
    undefined,
    undefined,
  ]);
  expect(asked).toEqual(['comments', 'pool unseen', 'pool nobody']);
  await world.drive(later('anna', 0));
  expect(asked.slice(3)).toEqual(['comments']);
});

test('roles and groups are read again after half a minute, or when a right names a role that was made since', async () => {
  const world = new PveWorld({
    pools: [OURS],
    guests: [vm(10001, 'pve1')],
    users: [{ userid: 'eve@pve' }],
  });
  const { signal } = new AbortController();
  const asked = { roles: 0, users: 0, acls: 0 };
  const counted = <K extends keyof typeof asked>(key: K): (typeof world.pve)[K] =>
    ((...args: []) => {
      asked[key] += 1;
      return world.pve[key](...args);
    }) as (typeof world.pve)[K]; // all three take a signal only
  const lists = { roles: counted('roles'), users: counted('users'), acls: counted('acls') };
  const reads = ownershipReads({ pve: { ...world.pve, ...lists }, hard: signal });
  const read = () => world.drive(reads.pools(signal));
  for (let times = 0; times < 5; times += 1) {
    await read();
    await world.pass(5);
  }
  expect(asked).toEqual({ roles: 1, users: 1, acls: 5 });
  await world.pass(10);
  await read();
  expect(asked).toMatchObject({ roles: 2, users: 2 });
  await world.drive(world.admin.createRole('Helpers', ['VM.Audit']));
  await world.drive(
    world.admin.grant({ path: '/pool/anna', role: 'Helpers', userid: 'eve@pve', propagate: true }),
  );
  const { pools } = await read();
  expect(asked).toMatchObject({ roles: 3 });
  // Of a role that is not known it is taken that it may write the pool.
  expect(pools.find(({ pool }) => pool === 'anna')?.delegated).toBeUndefined();
});

test('what planning has read serves its handlers, for 5 s from its first request, and the first run only', async () => {
  const world = new PveWorld({ pools: [OURS], guests: [vm(10001, 'pve1')] });
  const readings = new Readings(world.clock);
  const hard = new AbortController().signal;
  let requests = 0;
  const pve = new Proxy(world.pve, {
    get: (api, method): unknown => {
      if (method !== 'serverTime') requests += 1;
      return Reflect.get(api, method);
    },
  });
  const context = { pve, hard, readings };
  await world.drive(readInventory(context, { templates: [], claimed: () => [] }));
  const run = () => new Ownership(ownershipReads(context), world.clock, hard);
  const [first, second] = [run(), run()];
  const asks = async (ownership: Ownership) => {
    const before = requests;
    expect(await world.drive(ownership.verdict(VM))).toBe('ours');
    return requests - before;
  };
  await world.pass(4);
  expect(await asks(first)).toBe(0);
  expect(await asks(second)).toBeGreaterThan(0);
  await world.pass(1);
  // Roles, groups and rights are kept for longer: pools, access control list and guests are not.
  expect(await asks(first)).toBe(3);
});

test('who asks a pool while it is being asked shares the answer; the next one asks anew', async () => {
  const { world, asked, ownership } = reading({}, 100);
  const now = () => ownership.assertOursNow(VM);
  await world.drive(Promise.all([now(), now(), now()]));
  expect(asked.filter((one) => one === 'pool anna')).toHaveLength(1);
  await world.drive(now());
  expect(asked.filter((one) => one === 'pool anna')).toHaveLength(2);
});

test('who may go by a moment ago shares that answer, unless this run has written the pool since', async () => {
  const { world, asked, ownership } = reading();
  const recent = () => world.drive(ownership.assertOursNow(VM, undefined, 1000));
  const times = () => asked.filter((one) => one === 'pool anna').length;
  await recent();
  await world.pass(0.5);
  await recent();
  expect(times()).toBe(1);
  await world.pass(0.6);
  await recent();
  expect(times()).toBe(2);
  ownership.wrote('anna', claim(), { members: [10001] });
  await recent();
  expect(times()).toBe(3);
});

test('where those of a class ask at once, lists that were begun then tell them all', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `s${i}`);
  const of = names.map((pool, i) => ({ vmid: 10_001 + i, pool }));
  const pools = of.map(({ vmid, pool }) => ({
    pool,
    comment: claim(`pc:${vmid}`).replaceAll('anna', pool),
    vms: [vmid],
  }));
  const { world, asked, ownership } = reading({ pools, guests: of.map(({ vmid }) => vm(vmid, 'pve1')) }, 100);
  const all = () => world.drive(Promise.allSettled(of.map((one) => ownership.assertOursNow(one))));
  expect((await all()).filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(asked.filter((one) => one.startsWith('pool '))).toHaveLength(3);
  // Who left a moment ago is found out: no list from before is believed.
  await world.drive(world.admin.updatePool('s9', { removeVmids: [10_010] }));
  const left = (await all()).flatMap(({ status }, i) => (status === 'rejected' ? names[i] : []));
  expect(left).toEqual(['s9']);
  expect(asked.filter((one) => one.startsWith('pool '))).toHaveLength(6);
});

test('who was taken out of a pool by this run is no member any more, without reading', async () => {
  const { world, asked, ownership, verdict } = reading();
  expect(await verdict()).toBe('ours');
  await world.drive(world.admin.updatePool('anna', { comment: RESERVED.comment, removeVmids: [10001] }));
  ownership.wrote('anna', RESERVED.comment, { left: [10001] });
  expect(await world.drive(ownership.verdict(VM, { description: SEALED }))).toBe('unjoined');
  expect((await world.drive(ownership.pool('anna')))?.vmids).toEqual([]);
  expect(asked).toEqual(PAIR);
});
