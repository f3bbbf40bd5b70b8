/** Handlers of a takeover: each looks whether things are as the planner saw them, and runs twice without harm. */
import { describe, expect, test } from 'vitest';
import { apply, bridgeRow, MARK, VM_MARK } from './apply-step.ts';
import { FakePve, lockTimeout, lost, refuse, type FaultSpec } from './fake-pve.ts';

const CLAIM = 'deploy-stand user=anna@pve adopted\nlab=net vmids=10001 since=2026-01-15T09:00:00Z';

/** VM 10001 in pool `anna`, as the Python tool leaves both. */
function python(values: Readonly<Record<string, string>> = {}): FakePve {
  const pve = new FakePve();
  pve.vms.set('pve1/10001', { name: 'pc', description: 'homework\n', digest: 'd', ...values });
  pve.pools.set('anna', { comment: CLAIM, vmids: new Set([10001]) });
  return pve;
}

describe('vm.mark', () => {
  const payload = {
    node: 'pve1',
    vmid: 10001,
    pool: 'anna',
    description: 'homework\n',
    newDescription: `homework\n${VM_MARK} spec=adopted`,
  };

  test.each<{ name: string; fault?: FaultSpec; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', fault: [lost(), 'before'], outcome: 'done' },
    { name: 'lost after', fault: [lost(), 'after'], outcome: 'already-done' },
    { name: 'lock timeout', fault: [lockTimeout('x'), 'before'], outcome: 'done' },
    {
      name: 'changed between look and write, but not the notes',
      fault: [refuse('checksum mismatch (file change by other user?)'), 'before'],
      outcome: 'done',
    },
  ])('$name: one write, of the notes alone', async ({ fault, outcome }) => {
    const pve = python({ net0: 'virtio=AA,bridge=vmbr1000', tags: 'x' });
    if (fault) pve.fault('updateVmConfig', ...fault);
    expect((await apply(pve, 'vm.mark', payload)).outcome).toBe(outcome);
    expect(pve.writes).toEqual(['configure 10001']);
    expect(pve.vm('pve1/10001')).toMatchObject({
      name: 'pc',
      net0: 'virtio=AA,bridge=vmbr1000',
      tags: 'x',
      description: payload.newDescription,
    });
    expect((await apply(pve, 'vm.mark', payload)).outcome).toBe('already-done');
    expect(pve.writes).toHaveLength(1);
  });

  test.each<{ name: string; change: (pve: FakePve) => void }>([
    { name: 'other notes', change: (pve) => void (pve.vms.get('pve1/10001')!['description'] = 'mine now') },
    { name: 'a lock', change: (pve) => void (pve.vms.get('pve1/10001')!['lock'] = 'backup') },
    { name: 'made a template', change: (pve) => void (pve.vms.get('pve1/10001')!['template'] = '1') },
    { name: 'taken out of the pool', change: (pve) => pve.pools.get('anna')!.vmids.clear() },
    { name: 'its pool is gone', change: (pve) => void pve.pools.delete('anna') },
    { name: 'gone', change: (pve) => void pve.vms.delete('pve1/10001') },
  ])('$name: left alone', async ({ change }) => {
    const pve = python();
    change(pve);
    await expect(apply(pve, 'vm.mark', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(pve.writes).toEqual([]);
  });
});

describe('bridge.update with a new comment', () => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', comment: '', newComment: MARK };

  test.each<{ name: string; fault?: FaultSpec; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', fault: [lost(), 'before'], outcome: 'done' },
    { name: 'lost after', fault: [lost(), 'after'], outcome: 'already-done' },
  ])('$name: the mark, and awareness only where it was asked for', async ({ fault, outcome }) => {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr1000', '', true));
    if (fault) pve.fault('updateBridge', ...fault);
    expect((await apply(pve, 'bridge.update', payload)).outcome).toBe(outcome);
    expect(pve.rows[0]).toMatchObject({ vlanAware: false, comments: `${MARK}\n` });
    expect((await apply(pve, 'bridge.update', payload)).outcome).toBe('already-done');
    expect((await apply(pve, 'bridge.update', { ...payload, vlanAware: true })).outcome).toBe('done');
    expect(pve.rows[0]?.vlanAware).toBe(true);
  });

  test.each([
    { name: 'gone', row: undefined },
    { name: 'with a comment by now', row: bridgeRow('vmbr1000', 'uplink', true) },
    { name: 'of another stand by now', row: bridgeRow('vmbr1000', MARK.replace('anna', 'boris'), true) },
    { name: 'with a port by now', row: { ...bridgeRow('vmbr1000', '', true), ports: 'eno2' } },
  ])('a bridge $name is left alone', async ({ row }) => {
    const pve = new FakePve();
    if (row) pve.rows.push(row);
    await expect(apply(pve, 'bridge.update', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(pve.writes).toEqual([]);
  });
});

describe('pool.update that takes over', () => {
  const seen = { comment: 'of the Python tool', vmids: [10001] };
  const payload = { pool: 'anna', comment: CLAIM, addVmids: [10002], takeOver: seen };
  const before = () => {
    const pve = python();
    pve.pools.get('anna')!.comment = 'of the Python tool\n';
    return pve;
  };

  test('writes the claim; a second time it finds it', async () => {
    const pve = before();
    await apply(pve, 'pool.update', payload);
    expect(pve.pools.get('anna')).toEqual({ comment: CLAIM, vmids: new Set([10001, 10002]) });
    await apply(pve, 'pool.update', payload);
    expect(pve.pools.get('anna')).toEqual({ comment: CLAIM, vmids: new Set([10001, 10002]) });
  });

  test.each<{ name: string; change: (pve: FakePve) => void; says: RegExp }>([
    {
      name: 'another comment',
      change: (pve) => void (pve.pools.get('anna')!.comment = 'mine'),
      says: /comment/,
    },
    {
      name: 'a member that left',
      change: (pve) => pve.pools.get('anna')!.vmids.clear(),
      says: /VM 10001/,
    },
    { name: 'no pool', change: (pve) => void pve.pools.delete('anna'), says: /it is gone/ },
  ])('$name: nothing is written', async ({ change, says }) => {
    const pve = before();
    change(pve);
    const applied = apply(pve, 'pool.update', payload);
    await expect(applied).rejects.toMatchObject({
      code: 'NOT_OURS',
      message: expect.stringMatching(says) as string,
    });
    expect(pve.writes).toEqual([]);
  });
});
