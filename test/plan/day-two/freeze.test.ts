/** What a freeze says of the state that it is to keep, before it begins. Whole runs: test/e2e/access.test.ts. */
import { expect, test } from 'vitest';
import { planFreeze, type FreezeOptions } from '../../../src/lib/plan/day-two/freeze.ts';
import type { AccessPlan } from '../../../src/lib/plan/document/plan.ts';
import type { AclEntry } from '../../../src/lib/inventory/types.ts';
import { guest, ids } from '../builders.ts';
import { ANNA_PC, ANNA_SRV, BORIS_PC, BORIS_SRV, snapshots, world, type Change } from './world.ts';

function plan(change: Change, options: Partial<FreezeOptions>): AccessPlan {
  const { have, index } = world(change);
  const lists = snapshots({ [ANNA_SRV]: [], [ANNA_PC]: [], [BORIS_SRV]: [], [BORIS_PC]: [] });
  return planFreeze({
    ...{ selection: {}, have, index, snapshots: lists },
    options: {
      allLabs: false,
      stop: false,
      suspend: false,
      lockWaitSeconds: 60,
      snapshot: 'exam',
      ...options,
    },
  });
}

test('machines of which no snapshot can be taken are told by name with the way out, each by its own reason', () => {
  const made = plan(
    {
      guests: {
        [ANNA_SRV]: { lock: 'suspended' },
        [BORIS_SRV]: { status: 'running' },
      },
      outside: [ANNA_PC],
      storage: 'thick',
      inventory: { tasksKnown: true },
      values: {
        [ANNA_SRV]: { lock: 'suspended' },
        [BORIS_SRV]: { lock: 'suspending' },
      },
    },
    { stop: true },
  );
  expect(ids(made).filter((id) => /^vm\./.test(id))).toEqual([`vm.stop:${BORIS_SRV}`]);
  const [anna, boris] = made.stands.map(({ left }) => left);
  expect(anna).toEqual({
    code: 'VM_HIBERNATED',
    message:
      'VM 10000 (srv) is hibernated (lock: suspended); VM 10001 (pc) was taken out of its pool by somebody, and is left alone',
    hint: '`deploy-stand power resume --lab net --user anna@pve` lets it go on; then run again; put VM 10001 back into pool anna, then run again',
  });
  expect(boris?.code).toBe('VM_LOCKED');
  expect(boris?.message).toMatch(
    /^VM 10002 \(srv\) is locked \(suspending\); VM 10003 \(pc\) cannot have snapshots: /,
  );
  expect(boris?.hint).toContain('as root on pve1: `qm unlock 10002`');
});

test('a way out is a command for that machine alone', () => {
  const on = { status: 'running' } as const;
  const made = plan(
    {
      guests: { [ANNA_SRV]: on, [BORIS_SRV]: { ...on, ha: true } },
      values: { [ANNA_SRV]: { 'amd-sev': 'std' } },
    },
    { suspend: true },
  );
  expect(made.stands.map(({ left }) => [left?.code, left?.hint])).toEqual([
    [
      'MEMORY_TIED',
      'run it with --stop, or afterwards `deploy-stand power shutdown --lab net --user anna@pve --machine srv`',
    ],
    [
      'HA_MANAGED',
      '`deploy-stand power shutdown --lab net --user boris@pve --machine srv`, or take it out of HA (Datacenter → HA)',
    ],
  ]);
});

test('a machine that its student made a template is told, as its state is not kept, and its ways out name it', () => {
  const made = plan({ guests: { [ANNA_SRV]: { template: true } }, outside: [ANNA_PC] }, { suspend: true });
  expect(ids(made).filter((id) => id.startsWith('vm.'))).toEqual([
    `vm.snapshot:${BORIS_SRV}`,
    `vm.snapshot:${BORIS_PC}`,
  ]);
  expect(made.stands[0]?.left).toMatchObject({
    code: 'VM_IS_TEMPLATE',
    message: expect.stringMatching(/^VM 10000 \(srv\) was made a template; VM 10001 /) as string,
    hint: expect.stringMatching(/--machine srv` makes VM 10000 anew; .*; put VM 10001 back/) as string,
  });
});

test('what lets a student, or another one, into the stand is no freeze: own machines in the pool, rights that were shared', () => {
  const { have } = world();
  const right = (path: string, subject: string, role = 'PVEVMUser'): AclEntry => ({
    ...{ path, role, subject, type: 'user', propagate: false },
  });
  const acls = [
    // A machine that she made in her pool, and gave herself rights on.
    right('/vms/777', 'anna@pve'),
    right(`/vms/${ANNA_PC}`, 'boris@pve'),
    right(`/vms/${BORIS_PC}`, 'teacher@pve'),
    right('/vms/778', 'boris@pve'),
  ];
  const guests = [...have.guests, guest(777, { pool: 'anna' }), guest(778, { pool: 'staff' })];
  const made = plan({ inventory: { acls, guests } }, {});
  const [anna, boris] = made.stands;
  expect(anna?.left).toMatchObject({
    code: 'ACCESS_LEFT',
    message: `anna@pve can still use the stand, by rights that deploy-stand did not give: PVEVMUser on /vms/777; PVEVMUser on /vms/${ANNA_PC} of boris@pve`,
    hint: expect.stringContaining(
      `pveum acl delete /vms/${ANNA_PC} --roles PVEVMUser --users boris@pve`,
    ) as string,
  });
  expect([boris?.left, boris?.notes]).toEqual([
    undefined,
    [expect.stringContaining(`teacher@pve keeps role PVEVMUser on /vms/${BORIS_PC}`)],
  ]);
});
