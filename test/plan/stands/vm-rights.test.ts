import { expect, test } from 'vitest';
import type { AclEntry } from '../../../src/lib/inventory/types.ts';
import { foreignRights } from '../../../src/lib/plan/stands/vm-rights.ts';

type State = Parameters<typeof foreignRights>[0];
type Context = Parameters<typeof foreignRights>[1];

const entry = (vmid: number, role: string, subject = 'friend@pve'): AclEntry => ({
  path: `/vms/${vmid}`,
  role,
  type: 'user',
  subject,
  propagate: false,
});

function told(...entries: AclEntry[]) {
  const vmRights = new Map<string, AclEntry[]>();
  for (const one of entries) vmRights.set(one.path, [...(vmRights.get(one.path) ?? []), one]);
  const state = {
    user: { userid: 'anna@pve' },
    present: new Map([
      ['pc', { vmid: 1 }],
      ['router', { vmid: 2 }],
    ]),
  } as unknown as State;
  const context = {
    lab: { machines: [], access: { role: 'PVEVMAdmin' } },
    have: { rolePrivileges: { PVEVMAdmin: ['VM.Audit', 'VM.Console'], PVEVMUser: ['VM.Console'] } },
    index: { vmRights },
  } as unknown as Context;
  return foreignRights(state, context);
}

test('each note has the commands of all its machines, and of no other note', () => {
  const { notes, left } = told(
    entry(1, 'PVEVMAdmin'),
    entry(2, 'PVEVMAdmin'),
    entry(2, 'PVEVMUser', 'boris@pve'),
  );
  expect(left).toBeUndefined();
  expect(notes).toEqual([
    'a right that the lab does not give: friend@pve: PVEVMAdmin on /vms/1, /vms/2 (`pveum acl delete /vms/1 --roles PVEVMAdmin --users friend@pve` and `pveum acl delete /vms/2 --roles PVEVMAdmin --users friend@pve` take it away)',
    'a right that the lab does not give: boris@pve: PVEVMUser on /vms/2 (`pveum acl delete /vms/2 --roles PVEVMUser --users boris@pve` takes it away)',
  ]);
});

test('those who have a right on other machines than others have it are a note of their own', () => {
  const { notes } = told(
    entry(1, 'PVEVMAdmin', 'a@pve'),
    entry(2, 'PVEVMAdmin', 'b@pve'),
    entry(2, 'PVEVMAdmin', 'a@pve'),
  );
  expect(notes.map((note) => note.replace(/^[^:]*: | [(].*/g, ''))).toEqual([
    'a@pve: PVEVMAdmin on /vms/1',
    'a@pve, b@pve: PVEVMAdmin on /vms/2',
  ]);
});
