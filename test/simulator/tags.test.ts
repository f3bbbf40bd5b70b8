/** Who may set which tags, as user-tag-access and registered-tags of the datacenter say. */
import { expect, test } from 'vitest';
import { secret, start, userWithToken } from './harness.ts';

const path = '/nodes/pve1/qemu/100/config';
const denied = (tag: string) => `Permission check failed (/, Sys.Modify for modifying tag '${tag}')`;

test.each(['7.4', '8.4', '9.2'] as const)('registered tags and tag access on %s', async (version) => {
  const at = async (datacenter: Readonly<Record<string, string>>) => {
    const { root, as } = await start({
      version,
      datacenter,
      users: [userWithToken('teacher@pve')],
      acl: [{ path: '/vms', role: 'PVEVMAdmin', user: 'teacher@pve' }],
    });
    return { root, teacher: as(`teacher@pve!t=${secret}`) };
  };
  const free = await at({ 'registered-tags': 'exam' });
  expect((await free.teacher.put(path, { tags: 'exam;mine' })).reason).toBe(denied('exam'));
  await free.teacher.ok('PUT', path, { tags: 'mine' });
  await free.root.ok('PUT', path, { tags: 'exam;mine' });
  // What stays as it is, is not asked for; what goes, is.
  await free.teacher.ok('PUT', path, { tags: 'exam' });
  expect((await free.teacher.put(path, { delete: 'tags' })).reason).toBe(denied('exam'));
  expect(await free.teacher.ok('GET', '/cluster/options')).toEqual({ 'allowed-tags': ['infra'] });

  const listed = await at({ 'user-tag-access': 'user-allow=list,user-allow-list=a;b' });
  expect((await listed.teacher.put(path, { tags: 'c' })).reason).toBe(denied('c'));
  await listed.teacher.ok('PUT', path, { tags: 'a;b' });
  expect((await listed.root.ok('GET', '/cluster/options'))['user-tag-access']).toEqual({
    'user-allow': 'list',
    'user-allow-list': ['a', 'b'],
  });

  const none = await at({ 'user-tag-access': 'user-allow=none,user-allow-list=a' });
  expect((await none.teacher.put(path, { tags: 'a' })).reason).toBe(denied('a'));
});
