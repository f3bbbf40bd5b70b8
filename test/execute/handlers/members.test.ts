/** What a class made itself in a pool of ours: removed only while it is a member, and no claim makes it a stand's. */
import { describe, expect, test } from 'vitest';
import { apply, claim, OURS, reserved, VM_MARK } from '../apply-step.ts';
import { PveWorld, vm, sealOf } from '../world.ts';

const MINE = { node: 'pve1', vmid: 10005, pool: 'anna', member: true, lockWaitSeconds: 60 } as const;
const KINDS = ['vm.stop', 'vm.unprotect', 'ha.remove', 'vm.delete'] as const;

function world(pool: { pool: string; comment: string; vms?: number[] }, notes = 'mine'): PveWorld {
  const own = vm(10005, 'pve1', { description: notes, config: { protection: '1' }, running: true });
  return new PveWorld({ guests: [own], pools: [pool, { pool: 'boris', vms: [] }] });
}

const stopped = (pool: Parameters<typeof world>[0], notes = 'mine') =>
  new PveWorld({ guests: [vm(10005, 'pve1', { description: notes })], pools: [pool] });

const withMine = { ...OURS, vms: [10005] };

test('is switched off, freed of its protection and removed', async () => {
  const pve = world(withMine);
  for (const kind of ['vm.stop', 'vm.unprotect', 'vm.delete'] as const)
    expect((await apply(pve, kind, MINE)).outcome).toBe('done');
  expect(pve.config('pve1', 10005)).toBeUndefined();
});

test.each(KINDS)('%s: not when it has left the pool', async (kind) => {
  const pve = world({ ...OURS, vms: [] });
  await expect(apply(pve, kind, MINE)).rejects.toMatchObject({ code: 'NOT_OURS' });
  expect(pve.writes).toEqual([]);
});

test.each(KINDS)('%s: not when a claim makes it a machine of a stand by now', async (kind) => {
  const pve = world({ pool: 'anna', comment: claim('pc:10005'), vms: [10005] });
  await expect(apply(pve, kind, MINE)).rejects.toMatchObject({ code: 'NOT_OURS' });
  expect(pve.writes).toEqual([]);
});

describe('at a number that is reserved', () => {
  const at = { pool: 'anna', comment: claim(reserved(sealOf(10001))), vms: [10001] };
  const mine = { ...MINE, vmid: 10001 };

  test('without the seal it is of the class', async () => {
    const pve = new PveWorld({ guests: [vm(10001, 'pve1', { description: VM_MARK })], pools: [at] });
    expect((await apply(pve, 'vm.delete', mine)).outcome).toBe('done');
  });

  const description = `${VM_MARK} seal=${sealOf(10001)}`;

  test('with the seal, too: clones of this claim join when they are finished, so it was put there', async () => {
    const pve = new PveWorld({ guests: [vm(10001, 'pve1', { description })], pools: [at] });
    expect((await apply(pve, 'vm.delete', mine)).outcome).toBe('done');
  });

  test('with the seal it is a machine of the stand where clones join at once', async () => {
    const comment = `${at.comment} clones=pool`;
    const pve = new PveWorld({ guests: [vm(10001, 'pve1', { description })], pools: [{ ...at, comment }] });
    await expect(apply(pve, 'vm.delete', mine)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(pve.writes).toEqual([]);
  });
});

test('without the word that the plan says of it, it is not ours', async () => {
  const pve = stopped(withMine);
  const plain = { node: 'pve1', vmid: 10005, pool: 'anna', lockWaitSeconds: 60 };
  await expect(apply(pve, 'vm.delete', plain)).rejects.toMatchObject({ code: 'NOT_OURS' });
  expect(pve.writes).toEqual([]);
});

describe('hibernated machines', () => {
  const hibernated = (config: Readonly<Record<string, string>> = {}) =>
    new PveWorld({
      guests: [vm(10001, 'pve1', { description: VM_MARK, config: { lock: 'suspended', ...config } })],
      pools: [OURS],
    });
  const ours = { node: 'pve1', vmid: 10001, pool: 'anna', lockWaitSeconds: 600 };

  test('are removed as they are', async () => {
    const pve = hibernated();
    const started = pve.clock.now();
    expect((await apply(pve, 'vm.delete', ours)).outcome).toBe('done');
    expect(pve.since(started)).toBeLessThan(60);
  });

  test('are told of at once where PVE changes nothing of them', async () => {
    // Neither its flag nor its saved memory can go before the other.
    const pve = hibernated({ protection: '1', vmstate: 'nfs:10001/vm-10001-state-suspend.raw' });
    const started = pve.clock.now();
    await expect(apply(pve, 'vm.unprotect', ours)).rejects.toMatchObject({ code: 'VM_HIBERNATED' });
    expect(pve.since(started)).toBeLessThan(60);
  });
});
