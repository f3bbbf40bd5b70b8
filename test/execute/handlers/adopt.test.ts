/** Handlers of a takeover: each looks whether things are as the planner saw them, and runs twice without harm. */
import { describe, expect, test } from 'vitest';
import type { RequestFault } from '../../../src/lib/simulator/faults.ts';
import type { ScenarioBridge, ScenarioGuest } from '../../../src/lib/simulator/scenario-types.ts';
import { apply, MARK, VM_MARK } from '../apply-step.ts';
import { busy, lost, onPve1, PveWorld, VERSIONS, vm } from '../world.ts';

const CLAIM = 'deploy-stand user=anna@pve adopted\nlab=net vmids=10001 since=2026-01-15T09:00:00Z';

interface Found {
  readonly guest?: Partial<ScenarioGuest>;
  readonly comment?: string;
  readonly vms?: readonly number[];
}

/** VM 10001 in pool `anna`, as the Python tool leaves both. */
function python({ guest = {}, comment = CLAIM, vms = [10001] }: Found = {}): PveWorld {
  return new PveWorld({
    guests: [vm(10001, 'pve1', { name: 'pc', description: 'homework\n', ...guest })],
    pools: [{ pool: 'anna', comment, vms }],
  });
}

/** Somebody empties the pool and removes it. */
async function dropPool({ admin }: PveWorld): Promise<void> {
  await admin.updatePool('anna', { removeVmids: [10001] });
  await admin.deletePool('anna');
}

const edit = ({ admin }: PveWorld, set: Readonly<Record<string, string>>) =>
  admin.updateVmConfig({ node: 'pve1', vmid: 10001 }, { set, remove: [] });

describe('vm.mark', () => {
  const payload = {
    node: 'pve1',
    vmid: 10001,
    pool: 'anna',
    description: 'homework\n',
    newDescription: `homework\n${VM_MARK} spec=adopted`,
  };
  const CONFIG = ['PUT', '/nodes/pve1/qemu/10001/config'] as const;

  test.each<{ name: string; prepare?: (world: PveWorld) => unknown; outcome: string; tags?: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', prepare: (world) => world.fault(lost(CONFIG, 'before')), outcome: 'done' },
    { name: 'lost after', prepare: (world) => world.fault(lost(CONFIG, 'after')), outcome: 'already-done' },
    { name: 'lock timeout', prepare: (world) => world.fault(busy(CONFIG, 'x')), outcome: 'done' },
    {
      name: 'changed between look and write, but not the notes',
      prepare: (world) => world.before(CONFIG, () => edit(world, { tags: 'y' })),
      outcome: 'done',
      tags: 'y',
    },
  ])('$name: one write, of the notes alone', async ({ prepare, outcome, tags = 'x' }) => {
    const world = python({ guest: { tags: 'x', bridge: 'vmbr1000' } });
    const before = world.config('pve1', 10001);
    prepare?.(world);
    expect((await apply(world, 'vm.mark', payload)).outcome).toBe(outcome);
    expect(world.writes).toEqual([CONFIG.join(' ')]);
    expect(Object.keys(world.sent[0]?.params ?? {}).sort()).toEqual(['description', 'digest']);
    expect(world.config('pve1', 10001)).toEqual({ ...before, tags, description: payload.newDescription });
    expect((await apply(world, 'vm.mark', payload)).outcome).toBe('already-done');
    expect(world.writes).toHaveLength(1);
  });

  test.each<{ name: string; found?: Found; change?: (world: PveWorld) => Promise<unknown> }>([
    { name: 'other notes', change: (world) => edit(world, { description: 'mine now' }) },
    { name: 'a lock', found: { guest: { config: { lock: 'backup' } } } },
    {
      name: 'made a template',
      change: ({ admin }) => admin.convertToTemplate({ node: 'pve1', vmid: 10001 }),
    },
    {
      name: 'taken out of the pool',
      change: ({ admin }) => admin.updatePool('anna', { removeVmids: [10001] }),
    },
    { name: 'its pool is gone', change: dropPool },
    { name: 'gone', change: ({ admin }) => admin.deleteVm({ node: 'pve1', vmid: 10001 }, { purge: true }) },
  ])('$name: left alone', async ({ found, change = () => Promise.resolve() }) => {
    const world = python(found);
    await world.drive(change(world));
    await world.pass(10);
    await expect(apply(world, 'vm.mark', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.writes).toEqual([]);
  });

  test('other notes between look and write: left alone', async () => {
    const world = python();
    world.before(CONFIG, () => edit(world, { description: 'mine now' }));
    await expect(apply(world, 'vm.mark', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.config('pve1', 10001)?.['description']).toBe('mine now');
  });
});

describe.each(VERSIONS)('bridge.update with a new comment on %s', (version) => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', comment: '', newComment: MARK };
  const UPDATE = ['PUT', '/nodes/pve1/network/vmbr1000'] as const;
  const withBridge = (bridge: Omit<ScenarioBridge, 'name'> = {}) =>
    new PveWorld({ version, ...onPve1({ bridges: ['vmbr0', { name: 'vmbr1000', ...bridge }] }) });

  test.each<{ name: string; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', faults: [lost(UPDATE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(UPDATE, 'after')], outcome: 'already-done' },
  ])('$name: the mark, and awareness only where it was asked for', async ({ faults = [], outcome }) => {
    const world = withBridge().fault(...faults);
    const bridge = async () => (await world.network()).rows[1];
    expect((await apply(world, 'bridge.update', payload)).outcome).toBe(outcome);
    expect(await bridge()).toMatchObject({ vlanAware: false, comments: MARK });
    expect((await apply(world, 'bridge.update', payload)).outcome).toBe('already-done');
    expect((await apply(world, 'bridge.update', { ...payload, vlanAware: true })).outcome).toBe('done');
    expect((await bridge())?.vlanAware).toBe(true);
  });

  test.each([
    { name: 'gone', make: () => new PveWorld({ version }) },
    { name: 'with a comment by now', make: () => withBridge({ comments: 'uplink' }) },
    { name: 'of another stand by now', make: () => withBridge({ comments: MARK.replace('anna', 'boris') }) },
    { name: 'with a port by now', make: () => withBridge({ ports: 'eno2' }) },
    { name: 'with an address by now', make: () => withBridge({ cidr: '10.1.0.1/24' }) },
    {
      name: 'under another by now',
      make: () =>
        new PveWorld({
          version,
          ...onPve1({ bridges: ['vmbr0', { name: 'vmbr1000' }, { name: 'vmbr7', ports: 'vmbr1000.5' }] }),
        }),
    },
  ])('a bridge $name is left alone', async ({ make }) => {
    const world = make();
    await expect(apply(world, 'bridge.update', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.writes).toEqual([]);
  });
});

describe('pool.update that takes over', () => {
  const seen = { comment: 'of the Python tool', vmids: [10001] };
  const payload = { pool: 'anna', comment: CLAIM, takeOver: seen };
  const before = (found: Found = {}) => python({ comment: 'of the Python tool\n', ...found });

  test('writes the claim; a second time it finds it', async () => {
    const world = before();
    await apply(world, 'pool.update', payload);
    expect(world.pool('anna')).toEqual({ comment: CLAIM, vmids: [10001] });
    await apply(world, 'pool.update', payload);
    expect(world.pool('anna')).toEqual({ comment: CLAIM, vmids: [10001] });
  });

  test.each<{ name: string; change: (world: PveWorld) => Promise<unknown>; says: RegExp }>([
    {
      name: 'another comment',
      change: ({ admin }) => admin.updatePool('anna', { comment: 'mine' }),
      says: /comment/,
    },
    {
      name: 'a member that left',
      change: ({ admin }) => admin.updatePool('anna', { removeVmids: [10001] }),
      says: /VM 10001/,
    },
    { name: 'no pool', change: dropPool, says: /it is gone/ },
  ])('$name: nothing is written', async ({ change, says }) => {
    const world = before();
    await world.drive(change(world));
    const applied = apply(world, 'pool.update', payload);
    await expect(applied).rejects.toMatchObject({
      code: 'NOT_OURS',
      message: expect.stringMatching(says) as string,
    });
    expect(world.writes).toEqual([]);
  });
});
