/** Handlers of a caller with rights on the members of its pools only: what is in none looks like what is not there. */
import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../../src/lib/plan/document/step.ts';
import { createLimits } from '../../../src/lib/execute/limits.ts';
import type { Scenario } from '../../../src/lib/simulator/scenario.ts';
import { apply, count, FORMER_SEAL, RESERVED, SEALED, step, VM_MARK } from '../apply-step.ts';
import { lost, PveWorld, VERSIONS, vm } from '../world.ts';

const FULL: StepPayloads['vm.clone'] = {
  node: 'pve1',
  target: 'pve2',
  templateVmid: 100,
  vmid: 10001,
  name: 'web',
  description: VM_MARK,
  full: false,
  pool: 'anna',
  locks: [],
};
const CLONE = { ...FULL, joinsAtOnce: true, locks: ['shared:nfs'] } as const;
const PLACE = ['POST', '/nodes/pve1/qemu/100/clone'] as const;
const WRITE = PLACE.join(' ');
/** Of a run that was killed. */
const FORMER = `${VM_MARK} seal=${FORMER_SEAL}`;
const LOGIN = { user: 'op@pve', password: 'op-secret' };

function confined(more: Partial<Scenario> = {}): PveWorld {
  const user = LOGIN.user;
  const scenario: Partial<Scenario> = {
    users: [{ userid: user, password: LOGIN.password }],
    pools: [{ ...RESERVED, comment: `${RESERVED.comment} clones=pool` }],
    acl: [
      { path: '/pool/anna', role: 'PVEVMAdmin', user },
      { path: '/pool/anna', role: 'PVEPoolAdmin', user },
      { path: '/vms/100', role: 'PVETemplateUser', user },
      { path: '/storage/nfs', role: 'PVEDatastoreUser', user },
      ...(more.version === '7.4' ? [] : [{ path: '/sdn/zones/localnetwork', role: 'PVESDNUser', user }]),
    ],
    templates: [{ vmid: 100, name: 'debian', node: 'pve1', storage: 'nfs' }],
    ...more,
  };
  return new PveWorld(scenario, LOGIN);
}

/** Somebody's write takes so long that a clone begun now does not get user.cfg's lock. */
function withBusyUserConfig(): PveWorld {
  const world = confined({ latency: { user_cfg_write_ms: 15_000 } });
  return world.before(PLACE, () => world.begin(() => world.admin.createPool('other', '')));
}

const members = (world: PveWorld) => world.pool('anna')?.vmids;

describe('vm.clone', () => {
  test.each<{ name: string; make: () => PveWorld; step?: StepPayloads['vm.clone']; clones: number }>([
    ...VERSIONS.map((version) => ({
      name: `happy path on ${version}`,
      make: () => confined({ version }),
      clones: 1,
    })),
    {
      name: 'a clone that was taken back is made again',
      make: withBusyUserConfig,
      // With another target its configuration would have moved on before.
      step: { ...CLONE, target: 'pve1' },
      clones: 2,
    },
    {
      name: 'a lost answer, never processed',
      make: () => confined().fault(lost(PLACE, 'before')),
      clones: 1,
    },
    {
      name: 'a lost answer, processed: out of sight until it is in its pool',
      make: () => confined().fault(lost(PLACE, 'after')),
      clones: 1,
    },
  ])('$name: the VM is in its pool', async ({ make, step: given = CLONE, clones }) => {
    const world = make();
    await apply(world, 'vm.clone', given);
    expect(count(world, WRITE)).toBe(clones);
    expect(members(world)).toEqual([10001]);
    expect(world.config(given.target, 10001)?.['name']).toBe('web');
  });

  test('a clone under way of a killed run is waited for', async () => {
    const world = confined({ latency: { storage_lock_s: 55 } });
    const killed = world.client({ login: LOGIN });
    const { node, target, templateVmid, vmid, name, full } = CLONE;
    const request = { node, target, templateVmid, vmid, name, full, description: FORMER, pool: 'anna' };
    await world.drive(killed.cloneVm(request));
    expect((await apply(world, 'vm.clone', CLONE)).outcome).toBe('already-done');
    expect(count(world, WRITE)).toBe(1);
    expect(members(world)).toEqual([10001]);
  });

  test('a machine with a seal that was read, in no pool, is not taken for a clone that is made in one', async () => {
    const world = new PveWorld({
      pools: [{ ...RESERVED, comment: `${RESERVED.comment} clones=pool` }],
      templates: [{ vmid: 100, name: 'debian', node: 'pve1', storage: 'nfs' }],
      guests: [vm(10001, 'pve2', { name: 'web', description: FORMER })],
    });
    await expect(apply(world, 'vm.clone', CLONE)).rejects.toMatchObject({ code: 'VMID_TAKEN' });
    await expect(apply(world, 'vm.clone', { ...CLONE, isUnderWay: true })).rejects.toMatchObject({
      code: 'VMID_TAKEN',
    });
    expect(world.config('pve2', 10001)?.['description']).toBe(FORMER);
  });

  test('what a failed clone leaves on the target is told, and not cloned over', async () => {
    const world = withBusyUserConfig();
    await expect(apply(world, 'vm.clone', CLONE)).rejects.toMatchObject({
      code: 'CLONE_LEFT',
      hint: expect.stringContaining('qm destroy 10001') as string,
    });
    expect(count(world, WRITE)).toBe(1);
    // The next run: somebody else's, for all that can be seen. Another number is taken.
    await expect(apply(world, 'vm.clone', CLONE)).rejects.toMatchObject({ code: 'VMID_TAKEN' });
    expect(world.config('pve2', 10001)?.['description']).toBe(SEALED);
    expect(members(world)).toEqual([]);
  });
});

test.each(['vm.delete', 'vm.stop'] as const)(
  '%s: a VM that is gone is not mistaken for a forbidden one',
  async (kind) => {
    const base = { node: 'pve1', vmid: 10001, lockWaitSeconds: 0 };
    const payload = { ...base, pool: 'anna' };
    expect((await apply(confined(), kind, payload)).outcome).toBe('already-done');

    const world = confined({ guests: [vm(10001, 'pve1', { description: VM_MARK, running: true })] });
    await expect(apply(world, kind, payload)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(world.isRunning(10001)).toBe(true);
  },
);

test('at most four clones into pools at once, however many nodes, and fewer once one was taken back', () => {
  const limits = createLimits();
  const keysFor = (node: string) =>
    limits.keysOf(step('vm.clone', { ...CLONE, node, locks: [`${node}:local`] }));
  const slots = ['pve1', 'pve2', 'pve3', 'pve4'].map((node) => limits.enter(keysFor(node)));
  expect(limits.hasRoom(keysFor('pve5'))).toBe(false);
  slots[0]!.timedOut({ of: 'user.cfg' });
  for (const slot of slots) slot.leave(false);
  limits.enter(keysFor('pve1'));
  limits.enter(keysFor('pve2'));
  expect(limits.hasRoom(keysFor('pve3'))).toBe(false);
  // A clone of a caller that claims by membership takes no part in this.
  expect(limits.hasRoom(limits.keysOf(step('vm.clone', { ...FULL, node: 'pve3' })))).toBe(true);
});
