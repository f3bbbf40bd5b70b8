/** Migrations: done once, followed to their end or to the deadline, and told where the VM is. */
import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../../../src/lib/plan/document/step.ts';
import type { Scenario } from '../../../../src/lib/simulator/scenario.ts';
import type { ScenarioGuest } from '../../../../src/lib/simulator/scenario-types.ts';
import { apply, count } from '../../apply-step.ts';
import { busy, lost, onPve1, PveWorld, taskEnds, VERSIONS, vm } from '../../world.ts';

const PAYLOAD: StepPayloads['vm.migrate'] = {
  node: 'pve1',
  target: 'pve2',
  vmid: 101,
  online: true,
  withLocalDisks: false,
  ha: false,
  conntrack: false,
  timeoutSeconds: 600,
};
const MIGRATE = ['POST', '/nodes/pve1/qemu/101/migrate'] as const;
const WRITE = MIGRATE.join(' ');
/** A bridge that only pve1 has: QEMU does not start on the target. */
const STUCK = onPve1({ bridges: ['vmbr0', 'vmbr5'] });
const ABORTED = "bridge 'vmbr5' does not exist";

function cluster(more: Partial<ScenarioGuest> = {}, scenario: Partial<Scenario> = {}): PveWorld {
  const { node = 'pve1', ...rest } = more;
  return new PveWorld({ guests: [vm(101, node, { name: 'web', running: true, ...rest })], ...scenario });
}

const migrate = (world: PveWorld, change: Partial<StepPayloads['vm.migrate']> = {}) =>
  apply(world, 'vm.migrate', { ...PAYLOAD, ...change });

/** Somebody else moves the VM. */
async function arrive(world: PveWorld, target = 'pve2'): Promise<void> {
  await world.admin.migrateVm({ ...PAYLOAD, target });
  await world.clock.sleep(10_000);
}

describe('a machine of a stand', () => {
  const stand = (vms: readonly number[], claimed = 'pc:101', others: readonly number[] = []) =>
    cluster(
      {},
      {
        pools: [
          {
            pool: 'anna',
            comment: `deploy-stand user=anna@pve\nlab=net vms=${claimed} since=2026-01-15T09:00:00Z`,
            vms,
          },
          { pool: 'boris', vms: others },
        ],
      },
    );

  test('is moved while it is ours', async () => {
    expect((await migrate(stand([101]), { pool: 'anna' })).outcome).toBe('done');
  });

  test.each<[string, ...Parameters<typeof stand>]>([
    ['left its pool', []],
    ['is in another pool', [], 'pc:101', [101]],
    ['is claimed by its pool no more', [101], 'pc:102'],
  ])('is not where it %s', async (_, ...claims) => {
    const world = stand(...claims);
    await expect(migrate(world, { pool: 'anna' })).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(count(world, WRITE)).toBe(0);
    expect(world.config('pve1', 101)?.['name']).toBe('web');
  });

  test('is asked right before the write, not when it was planned', async () => {
    const world = stand([101]);
    world.before(['GET', '/pools'], () => world.admin.updatePool('anna', { removeVmids: [101] }));
    await expect(migrate(world, { pool: 'anna' })).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(count(world, WRITE)).toBe(0);
  });

  test('a guest of nobody’s stand is moved without that question', async () => {
    expect((await migrate(stand([]))).outcome).toBe('done');
  });
});

describe('vm.migrate', () => {
  test.each(VERSIONS)('%s: moves it; run again it finds the work done', async (version) => {
    const world = cluster({}, { version });
    const before = world.config('pve1', 101);
    expect(await migrate(world)).toEqual({ outcome: 'done', retries: 0 });
    expect(world.config('pve2', 101)).toEqual(before);
    expect(world.isRunning(101)).toBe(true);
    expect(await migrate(world)).toEqual({ outcome: 'already-done', retries: 0 });
    expect(count(world, WRITE)).toBe(1);
  });

  test('that was started meanwhile is not moved as if it were off', async () => {
    await expect(migrate(cluster(), { online: false })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: 'VM 101 on pve1 was off when its move was planned, and runs by now',
    });
  });

  test('onto a storage of another name, in pairs', async () => {
    const local = (id: string, node: string) => ({ id, type: 'lvmthin', nodes: [node] }) as const;
    const world = cluster(
      { storage: 'ssd1' },
      { storages: [local('ssd1', 'pve1'), local('ssd2', 'pve2'), local('more', 'pve2')] },
    );
    const storageMap = { ssd1: 'ssd2' };
    expect((await migrate(world, { withLocalDisks: true, storageMap })).outcome).toBe('done');
    expect(world.sent.at(-1)?.params).toMatchObject({ target: 'pve2', targetstorage: 'ssd1:ssd2' });
    expect(world.config('pve2', 101)?.['scsi0']).toMatch(/^ssd2:vm-101-disk-0/);
  });

  test('a busy lock proves that nothing happened: it is tried again', async () => {
    const world = cluster().fault(busy(MIGRATE, 'x'));
    expect((await migrate(world)).outcome).toBe('done');
  });

  test.each([
    ['before', 1],
    ['after', 1],
  ] as const)('the answer lost %s processing: one migration', async (when, migrations) => {
    const world = cluster().fault(lost(MIGRATE, when));
    expect((await migrate(world)).outcome).toMatch(/done/);
    expect(count(world, WRITE)).toBe(migrations);
    expect(world.config('pve2', 101)?.['name']).toBe('web');
  });

  test('one that is under way already is followed', async () => {
    const world = cluster();
    await world.drive(world.admin.migrateVm(PAYLOAD));
    expect((await migrate(world)).outcome).toBe('done');
    expect(count(world, WRITE)).toBe(0);
    expect(world.config('pve2', 101)?.['name']).toBe('web');
  });

  test('failed: says where it is, with the words of the log', async () => {
    const world = cluster({ bridge: 'vmbr5' }, STUCK);
    await expect(migrate(world)).rejects.toMatchObject({
      code: 'MIGRATION_TARGET',
      message: expect.stringMatching(
        /failed: migration problems \(bridge 'vmbr5' does not exist\); it is on pve1/,
      ) as string,
      hint: expect.stringContaining(ABORTED) as string,
    });
    expect(world.isRunning(101)).toBe(true);
  });

  test('a task without a verdict: what counts is where the VM is', async () => {
    const world = cluster().fault(taskEnds(MIGRATE, 'unexpected status'));
    await expect(migrate(world)).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/unexpected status; it is on pve1/) as string,
    });
  });

  test('"migration problems" after the hand-over: it arrived', async () => {
    const world = cluster().fault(taskEnds(MIGRATE, 'migration problems'));
    // Before the handler looks where the VM is, it is on the target.
    const look = ['GET', '/nodes/pve2/qemu/101/config'] as const;
    world.before(look, () => arrive(world), 2);
    expect((await migrate(world)).outcome).toBe('done');
    expect(world.config('pve2', 101)?.['name']).toBe('web');
    const ends = world
      .state()
      .tasks.flatMap(({ type, exitstatus }) => (type === 'qmigrate' ? [exitstatus] : []));
    expect(ends).toEqual(['migration problems', 'OK']);
  });

  test('too slow: reported, not stopped', async () => {
    const world = cluster({}, { latency: { migrate_s: 2500 } });
    const started = world.clock.now();
    await expect(migrate(world)).rejects.toMatchObject({ code: 'MIGRATION_TIMEOUT' });
    expect(world.since(started)).toBeGreaterThanOrEqual(600);
    const active = world.drive(world.admin.tasks('pve1', { source: 'active', vmid: 101 }));
    expect(await active).toHaveLength(1);
  });

  test.each([
    ['on a third node', () => cluster({ node: 'pve3' }), 'VM_ELSEWHERE'],
    ['gone', () => new PveWorld(), 'VM_GONE'],
  ])('%s by now: left alone', async (_, make, code) => {
    const world = make();
    await expect(migrate(world)).rejects.toMatchObject({ code });
    expect(world.writes).toEqual([]);
  });

  test('moved to a third node between look and write', async () => {
    const world = cluster({ running: false });
    world.before(MIGRATE, () => arrive(world, 'pve3'));
    await expect(migrate(world)).rejects.toMatchObject({ code: 'VM_ELSEWHERE' });
    expect(world.writes).toEqual([]);
  });

  test('refused by PVE: its words', async () => {
    const storages = [{ id: 'zfs', type: 'zfspool' as const, nodes: ['pve1'] }];
    const world = cluster({ storage: 'zfs' }, { storages });
    await expect(migrate(world)).rejects.toThrow(/not available on node 'pve2'/);
    expect(world.writes).toEqual([]);
  });

  describe('under HA', () => {
    const underHa = (more: Partial<ScenarioGuest> = {}, scenario: Partial<Scenario> = {}) =>
      cluster({ ha: true, ...more }, scenario);

    test.each(VERSIONS)(
      '%s: the migration that HA starts later is followed to the final node',
      async (version) => {
        const world = underHa({}, { version });
        const started = world.clock.now();
        expect((await migrate(world, { ha: true })).outcome).toBe('done');
        expect(world.config('pve2', 101)?.['name']).toBe('web');
        expect(world.since(started)).toBeGreaterThan(10);
        expect(count(world, WRITE)).toBe(1);
      },
    );

    test('its failure is the failure', async () => {
      const world = underHa({ bridge: 'vmbr5' }, STUCK);
      await expect(migrate(world, { ha: true })).rejects.toMatchObject({
        code: 'MIGRATION_TARGET',
        hint: expect.stringContaining(ABORTED) as string,
      });
    });

    test('a request that HA never carries out ends at the deadline', async () => {
      const world = underHa();
      world.later(5, () => {
        world.forgetPlans();
      });
      const started = world.clock.now();
      await expect(migrate(world, { ha: true, timeoutSeconds: 60 })).rejects.toMatchObject({
        code: 'MIGRATION_TIMEOUT',
      });
      expect(world.since(started)).toBeGreaterThan(50);
      expect(world.config('pve1', 101)?.['name']).toBe('web');
    });
  });
});
