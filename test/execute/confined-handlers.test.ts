/** Handlers of a caller with rights on the members of its pools only: what is in none looks like what is not there. */
import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../src/lib/plan/document/step.ts';
import { createLimits } from '../../src/lib/execute/limits.ts';
import { apply, count, step, VM_MARK } from './apply-step.ts';
import { FakePve, lost } from './fake-pve.ts';

const FULL: StepPayloads['vm.clone'] = {
  node: 'pve1',
  target: 'pve2',
  templateVmid: 100,
  vmid: 10001,
  name: 'web',
  description: VM_MARK,
  full: false,
  locks: [],
};
const CLONE = { ...FULL, pool: 'anna', locks: ['shared:nfs'] };
const USER_CFG =
  "clone failed: can't add VM 10001 to pool 'anna': cfs-lock 'file-user_cfg' error: got lock request timeout";

function confined(): FakePve {
  const pve = new FakePve();
  pve.isConfined = true;
  pve.pools.set('anna', { comment: '', vmids: new Set() });
  return pve;
}

const members = (pve: FakePve): number[] => [...(pve.pools.get('anna')?.vmids ?? [])];

describe('vm.clone', () => {
  test.each([
    { name: 'happy path', prepare: () => undefined, clones: 1 },
    {
      name: 'a clone that was taken back is made again',
      prepare: (pve: FakePve) => pve.exits.push(USER_CFG),
      clones: 2,
    },
    {
      name: 'a lost answer, never processed',
      prepare: (pve: FakePve) => pve.fault('cloneVm', lost()),
      clones: 1,
    },
    {
      name: 'a lost answer, processed: out of sight until it is in its pool',
      prepare: (pve: FakePve) => pve.fault('cloneVm', lost(), 'after'),
      clones: 1,
    },
  ])('$name: the VM is in its pool', async ({ prepare, clones }) => {
    const pve = confined();
    prepare(pve);
    await apply(pve, 'vm.clone', CLONE);
    expect(count(pve, 'clone 10001')).toBe(clones);
    expect(members(pve)).toEqual([10001]);
    expect(pve.vm('pve2/10001')['name']).toBe('web');
  });

  test('a clone under way of a killed run is waited for', async () => {
    const pve = confined();
    pve.vms.set('pve1/10001', { lock: 'clone' });
    const finish = () => {
      pve.vms.delete('pve1/10001');
      pve.vms.set('pve2/10001', { name: 'web', description: VM_MARK });
      pve.pools.get('anna')?.vmids.add(10001);
      return 'OK';
    };
    pve.startTask('qmclone', '100', finish, 90);
    expect((await apply(pve, 'vm.clone', CLONE)).outcome).toBe('already-done');
    expect(count(pve, 'clone 10001')).toBe(0);
  });

  test('what a failed clone leaves on the target is told, and not cloned over', async () => {
    const pve = confined();
    pve.leavesOnTarget = true;
    pve.exits.push(USER_CFG);
    await expect(apply(pve, 'vm.clone', CLONE)).rejects.toMatchObject({
      code: 'CLONE_LEFT',
      hint: expect.stringContaining('qm destroy 10001') as string,
    });
    expect(count(pve, 'clone 10001')).toBe(1);
    // The next run: somebody else's, for all that can be seen. Another number is taken.
    await expect(apply(pve, 'vm.clone', CLONE)).rejects.toMatchObject({ code: 'VMID_TAKEN' });
    expect(count(pve, 'clone 10001')).toBe(1);
  });
});

test.each(['vm.delete', 'vm.stop'] as const)(
  '%s: a VM that is gone is not mistaken for a forbidden one',
  async (kind) => {
    const base = { node: 'pve1', vmid: 10001, lockWaitSeconds: 0 };
    const more = kind === 'vm.delete' ? { pool: 'anna', description: VM_MARK } : {};
    const payload = { ...base, ...more } as StepPayloads['vm.delete'];
    expect((await apply(confined(), kind, payload)).outcome).toBe('already-done');

    const pve = confined();
    pve.vms.set('pve1/10001', { description: VM_MARK });
    await expect(apply(pve, kind, payload)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  },
);

test('at most four clones into pools at once, however many nodes, and fewer once one was taken back', () => {
  const limits = createLimits();
  const keysFor = (node: string) =>
    limits.keysOf(step('vm.clone', { ...CLONE, node, locks: [`${node}:local`] }));
  const slots = ['pve1', 'pve2', 'pve3', 'pve4'].map((node) => limits.enter(keysFor(node)));
  expect(limits.hasRoom(keysFor('pve5'))).toBe(false);
  slots[0]!.timedOut(USER_CFG);
  for (const slot of slots) slot.leave(false);
  limits.enter(keysFor('pve1'));
  limits.enter(keysFor('pve2'));
  expect(limits.hasRoom(keysFor('pve3'))).toBe(false);
  // A clone of a caller that claims by membership takes no part in this.
  expect(limits.hasRoom(limits.keysOf(step('vm.clone', { ...FULL, node: 'pve3' })))).toBe(true);
});
