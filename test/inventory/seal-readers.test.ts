import { describe, expect, test } from 'vitest';
import { sealReaders } from '../../src/lib/inventory/seal-readers.ts';
import type { AclEntry, Rights } from '../../src/lib/inventory/types.ts';

const ROLES = {
  PVEAuditor: ['VM.Audit', 'Pool.Audit', 'Sys.Audit'],
  PVEVMAdmin: ['VM.Audit', 'VM.Allocate'],
  PVEPoolAdmin: ['Pool.Allocate', 'Pool.Audit'],
  Monitoring: ['Sys.Audit'],
  Both: ['Sys.Audit', 'VM.Allocate'],
};
const USERS = [
  { userid: 'teacher@pve', groups: ['staff'] },
  { userid: 'tutor@pve', groups: ['staff'] },
];
const ALL: Rights = { '/access': { 'Sys.Audit': true } };

const acl = (path: string, more: Partial<AclEntry> = {}): AclEntry => ({
  ...{ path, subject: 'metrics@pve', role: 'PVEAuditor', type: 'user', propagate: true },
  ...more,
});

function told(acls: readonly AclEntry[], operators: readonly string[] = [], rights: Rights = ALL): string[] {
  const lists = { acls, roles: ROLES, users: USERS, pools: [], rights };
  return sealReaders(lists, { caller: 'ci@pve', operators });
}

describe('who can read the seal of a clone in no pool', () => {
  test.each<[string, AclEntry[], string[], string[]?]>([
    ['nobody', [], []],
    ['on all machines', [acl('/vms')], ['metrics@pve has PVEAuditor on /vms']],
    ['on everything', [acl('/')], ['metrics@pve has PVEAuditor on /']],
    ['a token', [acl('/', { type: 'token', subject: 'm@pve!t' })], ['m@pve!t has PVEAuditor on /']],
    ['a group', [acl('/vms', { type: 'group', subject: 'staff' })], ['@staff has PVEAuditor on /vms']],
    ['a role that is not in the list', [acl('/vms', { role: 'New' })], ['metrics@pve has New on /vms']],
    ['on / alone, which reaches no machine', [acl('/', { propagate: false })], []],
    ['on one machine', [acl('/vms/10000')], []],
    ['on a pool, which a clone has not joined', [acl('/pool/anna')], []],
    ['a role that reads no machine', [acl('/', { role: 'PVEPoolAdmin' })], []],
    // Its report holds the configurations of the guests.
    [
      'on a node',
      [acl('/nodes/pve1', { role: 'Monitoring' })],
      ['metrics@pve has Monitoring on /nodes/pve1'],
    ],
    [
      'on a node alone',
      [acl('/nodes/pve1', { propagate: false })],
      ['metrics@pve has PVEAuditor on /nodes/pve1'],
    ],
    ['on all nodes', [acl('/nodes', { role: 'Monitoring' })], ['metrics@pve has Monitoring on /nodes']],
    ['on everything but machines', [acl('/', { role: 'Monitoring' })], ['metrics@pve has Monitoring on /']],
    ['on /nodes alone, which is no node', [acl('/nodes', { propagate: false })], []],
    ['who is shown no report', [acl('/nodes', { role: 'PVEVMAdmin' }), acl('/storage/a')], []],
    ['an administrator of nodes', [acl('/nodes', { role: 'Both' })], ['metrics@pve has Both on /nodes']],
    ['who makes and removes all machines', [acl('/vms', { role: 'PVEVMAdmin' })], []],
    ['the same by another entry', [acl('/'), acl('/vms', { role: 'PVEVMAdmin' })], []],
    ['the caller, root', ['ci@pve', 'root@pam'].map((subject) => acl('/', { subject })), []],
    ['an operator', [acl('/')], [], ['metrics@pve']],
    [
      'a group of operators',
      [acl('/', { type: 'group', subject: 'staff' })],
      [],
      ['teacher@pve', 'tutor@pve'],
    ],
  ])('%s', (_, acls, expected, operators) => {
    expect(told(acls, operators)).toEqual(expected);
  });

  test.each<[string, Rights, string[]]>([
    ['nothing', {}, ['/', '/vms']],
    ['who has rights on all machines', { '/vms': { 'VM.Allocate': true } }, ['/']],
    ['what Permissions.Modify shows', { '/': { 'Permissions.Modify': true } }, []],
  ])('what the caller is not shown counts: it sees %s', (_, rights, unseen) => {
    expect(told([], [], rights)).toEqual(
      unseen.map((path) => `who has rights on ${path} is not shown to the caller`),
    );
  });
});
