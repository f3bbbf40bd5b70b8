import { expect, test } from 'vitest';
import { formatReplicaMark } from '../../src/lib/marks/replica.ts';
import { apply } from './apply-step.ts';
import { FakePve, lost } from './fake-pve.ts';

const description = formatReplicaMark({ source: 101, digest: 'abc', vmid: 99999 });
const COPY = { node: 'pve1', home: 'pve2', vmid: 99999, description };
const CLONE = {
  ...COPY,
  target: 'pve1',
  templateVmid: 101,
  name: 'replica-101-pve2',
  full: true as const,
  locks: ['pve1:zfs'],
};
const CONFIGURE = { ...COPY, options: { onboot: '0', protection: '0', tags: 'deploy-stand' } };
const MIGRATE = { ...COPY, locks: [] };
const CONVERT = { ...COPY, node: 'pve2', locks: [] };

function copied(node = 'pve1', more: Record<string, string> = {}): FakePve {
  const pve = new FakePve();
  pve.vms.set(`${node}/99999`, { description, digest: 'd1', protection: '1', ...more });
  return pve;
}

test('copy, configure, move, convert; each of them once more does nothing', async () => {
  const pve = new FakePve();
  for (const round of ['done', 'already-done']) {
    expect((await apply(pve, 'template.clone', CLONE)).outcome).toBe(round);
    expect((await apply(pve, 'template.configure', CONFIGURE)).outcome).toBe(round);
    expect((await apply(pve, 'template.migrate', MIGRATE)).outcome).toBe(round);
    expect((await apply(pve, 'template.convert', CONVERT)).outcome).toBe(round);
  }
  expect(pve.writes).toEqual(['clone 99999', 'configure 99999', 'migrate 99999 pve1 pve2', 'convert 99999']);
  expect(pve.vm('pve2/99999')).toMatchObject({ template: '1', tags: 'deploy-stand' });
});

test.each([
  ['template.configure', 'updateVmConfig', CONFIGURE],
  ['template.migrate', 'migrateVm', MIGRATE],
] as const)('%s: the lost answer is looked up', async (kind, method, payload) => {
  for (const when of ['before', 'after'] as const) {
    const pve = copied().fault(method, lost(), when);
    await apply(pve, kind, payload);
    expect(pve.writes).toHaveLength(1);
  }
});

test('template.convert: the lost answer is looked up', async () => {
  const pve = copied('pve2').fault('convertToTemplate', lost(), 'after');
  expect((await apply(pve, 'template.convert', CONVERT)).outcome).toBe('already-done');
  expect(pve.writes).toEqual(['convert 99999']);
});

test('a move says what the log says', async () => {
  const pve = copied();
  pve.exits.push("ERROR: can't migrate 'zfs:x': local cdrom image");
  await expect(apply(pve, 'template.migrate', { ...MIGRATE, targetStorage: 'ssd2' })).rejects.toMatchObject({
    code: 'MIGRATE_FAILED',
    message: "VM 99999 could not be moved to pve2: can't migrate 'zfs:x': local cdrom image",
  });
  expect(pve.writes).toEqual(['migrate 99999 pve1 pve2 ssd2']);
});

test('a lock that was busy during the move is no failure', async () => {
  const pve = copied();
  pve.exits.push("ERROR: can't lock file '/var/lock/pve-manager/pve-storage-zfs' - got timeout");
  expect(await apply(pve, 'template.migrate', MIGRATE)).toEqual({ outcome: 'done', retries: 1 });
});

test.each([
  ['template.configure', CONFIGURE],
  ['template.migrate', MIGRATE],
  ['template.convert', { ...CONVERT, node: 'pve1' }],
] as const)('%s leaves alone what is not the planned copy', async (kind, payload) => {
  for (const other of ['', formatReplicaMark({ source: 101, digest: 'older', vmid: 99999 })]) {
    const pve = copied('pve1', { description: other });
    await expect(apply(pve, kind, payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(pve.writes).toEqual([]);
  }
  await expect(apply(new FakePve(), kind, payload)).rejects.toMatchObject({ code: 'VM_MISSING' });
});

test('a copy that another run has moved on is waited for, not made twice', async () => {
  const pve = copied('pve2', { lock: 'migrate' });
  expect((await apply(pve, 'template.clone', CLONE)).outcome).toBe('already-done');
  expect((await apply(pve, 'template.configure', CONFIGURE)).outcome).toBe('already-done');
  const unlocked = copied('pve1', { lock: 'clone' });
  void unlocked.clock.sleep(3000).then(() => {
    unlocked.vms.set('pve1/99999', { description, digest: 'd1' });
  });
  expect((await apply(unlocked, 'template.migrate', MIGRATE)).outcome).toBe('done');
  expect(unlocked.asides).toBe(1);
});

test('an older copy under the number is not taken for this one', async () => {
  const pve = copied('pve1', {
    description: formatReplicaMark({ source: 101, digest: 'older', vmid: 99999 }),
  });
  await expect(apply(pve, 'template.clone', CLONE)).rejects.toMatchObject({ code: 'VMID_TAKEN' });
});
