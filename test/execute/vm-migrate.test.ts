/** Migrations: done once, followed to their end or to the deadline, and told where the VM is. */
import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../src/lib/plan/document/step.ts';
import { apply, count } from './apply-step.ts';
import { FakePve, lockTimeout, lost, refuse } from './fake-pve.ts';

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
const WRITE = 'migrate 101 pve1 pve2';

function cluster(place = 'pve1/101'): FakePve {
  const pve = new FakePve();
  pve.vms.set(place, { name: 'web' });
  return pve;
}

const migrate = (pve: FakePve, change: Partial<typeof PAYLOAD> = {}) =>
  apply(pve, 'vm.migrate', { ...PAYLOAD, ...change });

describe('vm.migrate', () => {
  test('moves it; run again it finds the work done', async () => {
    const pve = cluster();
    expect(await migrate(pve)).toEqual({ outcome: 'done', retries: 0 });
    expect(pve.vm('pve2/101')).toEqual({ name: 'web' });
    expect(await migrate(pve)).toEqual({ outcome: 'already-done', retries: 0 });
    expect(count(pve, WRITE)).toBe(1);
  });

  test('a busy lock proves that nothing happened: it is tried again', async () => {
    const pve = cluster().fault('migrateVm', lockTimeout('x'));
    expect((await migrate(pve)).outcome).toBe('done');
  });

  test.each([
    ['before', 1],
    ['after', 1],
  ] as const)('the answer lost %s processing: one migration', async (when, migrations) => {
    const pve = cluster().fault('migrateVm', lost(), when);
    expect((await migrate(pve)).outcome).toMatch(/done/);
    expect(count(pve, WRITE)).toBe(migrations);
    expect(pve.vm('pve2/101')).toEqual({ name: 'web' });
  });

  test('one that is under way already is followed', async () => {
    const pve = cluster();
    await pve.api.migrateVm(PAYLOAD);
    expect((await migrate(pve)).outcome).toBe('done');
    expect(count(pve, WRITE)).toBe(1);
  });

  test('failed: says where it is, with the words of the log', async () => {
    const pve = cluster();
    pve.exits.push('migration aborted');
    await expect(migrate(pve)).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/failed: migration aborted; it is on pve1/) as string,
      hint: expect.stringContaining('migration aborted') as string,
    });
  });

  test('"migration problems" after the hand-over: it arrived', async () => {
    const pve = cluster();
    pve.exits.push('migration problems');
    expect((await migrate(pve)).outcome).toBe('done');
  });

  test('too slow: reported, not stopped', async () => {
    const pve = cluster();
    pve.taskSeconds = 5000;
    await expect(migrate(pve)).rejects.toMatchObject({ code: 'MIGRATION_TIMEOUT' });
    expect(pve.clock.now()).toBeGreaterThanOrEqual(600_000);
    expect(await pve.api.tasks('pve1', { source: 'active', vmid: 101 })).toHaveLength(1);
  });

  test.each([
    ['on a third node', cluster('pve3/101'), 'VM_ELSEWHERE'],
    ['gone', new FakePve(), 'VM_GONE'],
  ])('%s by now: left alone', async (_, pve, code) => {
    await expect(migrate(pve)).rejects.toMatchObject({ code });
    expect(pve.writes).toEqual([]);
  });

  test('refused by PVE: its words', async () => {
    const pve = cluster().fault('migrateVm', refuse("storage 'zfs' is not available on node 'pve2'"));
    await expect(migrate(pve)).rejects.toThrow(/not available on node 'pve2'/);
  });

  describe('under HA', () => {
    const underHa = (): FakePve => {
      const pve = cluster();
      pve.ha.add(101);
      return pve;
    };

    test('the migration that HA starts later is followed to the final node', async () => {
      const pve = underHa();
      expect((await migrate(pve, { ha: true })).outcome).toBe('done');
      expect(pve.vm('pve2/101')).toEqual({ name: 'web' });
      expect(pve.clock.now()).toBeGreaterThan(12_000);
    });

    test('its failure is the failure', async () => {
      const pve = underHa();
      pve.exits.push('migration aborted');
      await expect(migrate(pve, { ha: true })).rejects.toMatchObject({ code: 'MIGRATION_FAILED' });
    });

    test('a request that HA never carries out ends at the deadline', async () => {
      const pve = underHa();
      await expect(migrate(pve, { ha: true, timeoutSeconds: 8 })).rejects.toMatchObject({
        code: 'MIGRATION_TIMEOUT',
      });
    });
  });
});
