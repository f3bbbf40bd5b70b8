/** What somebody did to a stand is told as what it is, with the way out, and not as what follows from it. */
import { expect, test } from 'vitest';
import type { GuestInfo, Inventory } from '../../../src/lib/inventory/types.ts';
import { alias, applied, ids, lab, machine, plan, router, user, real } from '../builders.ts';

const want = lab([
  router('eco', [real('vmbr0'), alias('lan')]),
  machine('pc', [alias('lan')], { baselineSnapshot: 'baseline' }),
]);
const anna = [user('anna')];
const there = applied(want, plan(want, anna));
const PC = there.vms.find(({ values }) => values['name'] === 'pc')!;
const HOME = PC.node;
const AWAY = HOME === 'pve1' ? 'pve2' : 'pve1';

function changed(
  vmid: number,
  guest: Partial<GuestInfo>,
  values: Readonly<Record<string, string>> = {},
): Inventory {
  return {
    ...there,
    guests: there.guests.map((one) => (one.vmid === vmid ? { ...one, ...guest } : one)),
    vms: there.vms.map((one) =>
      one.vmid === vmid
        ? { ...one, node: guest.node ?? one.node, values: { ...one.values, ...values } }
        : one,
    ),
  };
}

const notesOf = (have: Inventory) => plan(want, anna, have).stands[0]!.notes.join('\n');

test('removed: it is made anew, and the plan says why', () => {
  const gone = {
    ...there,
    guests: there.guests.filter(({ vmid }) => vmid !== PC.vmid),
    vms: there.vms.filter(({ vmid }) => vmid !== PC.vmid),
  };
  const clone = plan(want, anna, gone).steps.find(({ kind }) => kind === 'vm.clone');
  expect(clone?.reason).toBe('it was made before and is gone: somebody removed it');
});

test('moved away from its networks, with the command that brings it back; nothing is made where it is', () => {
  const have = changed(PC.vmid, { node: AWAY, status: 'running' });
  expect(notesOf(have)).toContain(
    `somebody moved VM ${PC.vmid} (pc) to ${AWAY}, away from the networks of the stand, which are on ${HOME} and do not reach there; as root on ${AWAY}: \`qm migrate ${PC.vmid} ${HOME} --online\``,
  );
  expect(ids(plan(want, anna, have)).filter((id) => id.startsWith('bridge'))).toEqual([]);
});

test('moved, and a machine is to be made: refused with the same command', () => {
  const moved = changed(PC.vmid, { node: AWAY });
  const three = lab([...want.machines, machine('third', [alias('lan')])]);
  expect(() => plan(three, anna, moved)).toThrow(
    expect.objectContaining({
      code: 'STAND_TORN',
      hint: expect.stringContaining(`qm migrate ${PC.vmid} ${HOME}`) as string,
    }) as Error,
  );
});

test('all removed while a move was cut short: bridges alone on two nodes tear no stand', () => {
  const [home] = there.networks.filter(({ node }) => node === HOME);
  const lan = home!.bridges.filter(({ comments }) => comments.includes(' net=lan '));
  expect(lan).toHaveLength(1);
  const both = there.networks.map((one) =>
    one.node === AWAY ? { ...one, bridges: [...one.bridges, ...lan] } : one,
  );
  const guests = there.guests.filter(({ template }) => template);
  const vms = there.vms.filter(({ vmid }) => guests.some((one) => one.vmid === vmid));
  const { steps } = plan(want, anna, { ...there, guests, vms, networks: both });
  const clones = steps.filter(({ kind }) => kind === 'vm.clone');
  expect(clones.map((step) => 'target' in step && step.target)).toEqual([HOME, HOME]);
});

test('notes emptied: its settings were recorded there; what else was changed is told beside it, and counts as drift', () => {
  const have = changed(PC.vmid, {}, { description: 'mine', memory: '65536' });
  const said = notesOf(have);
  expect(said).toContain('memory is 65536, the template has');
  const { drift } = plan(want, anna, have).stands[0]!.vms.find(({ vmid }) => vmid === PC.vmid)!;
  expect(drift?.map(({ field }) => field)).toEqual(['memory', 'notes']);
  expect(said).toContain(`somebody emptied or rewrote the notes of VM ${PC.vmid} (pc)`);
  expect(said).toContain(
    '`deploy-stand reset --reclone -c lab.yml --user anna@pve --machine pc` makes it anew',
  );
});

test('removed, and another one made under its number: told as that, without what it lacks', () => {
  const bare = Object.fromEntries(Object.entries(PC.values).filter(([key]) => key !== 'scsi0'));
  const remade = (values: Readonly<Record<string, string>>): Inventory => ({
    ...there,
    vms: there.vms.map((vm) => (vm.vmid === PC.vmid ? { ...vm, values: { ...bare, ...values } } : vm)),
  });
  const said = notesOf(remade({ description: '' }));
  expect(said).toContain(`somebody removed VM ${PC.vmid} (pc) and made another by hand, without disks`);
  expect(said).not.toContain('was changed');
  // Detached, and still there.
  const detached = notesOf(remade({ description: '', unused0: 'ceph:vm-1-disk-0' }));
  expect(detached).toContain('somebody emptied or rewrote the notes');
  expect(detached).toContain('scsi0 was taken away');
});

test('the baseline was deleted', () => {
  const said = notesOf(there);
  expect(said).toContain('its student deleted "baseline", or the lab asked for it later');
  expect(said).toContain('`deploy-stand reset --reclone -c lab.yml --user anna@pve --machine pc`');
});

test('its notes rewritten while it was being cloned anew by a run that was cut: no further machine; elsewhere it is a stranger’s', () => {
  const seal = '0'.repeat(24);
  const reserved = there.pools.map(({ pool, comment, ...rest }) => ({
    ...{ ...rest, pool },
    comment: comment.replace(`pc:${PC.vmid}`, `pc:${PC.vmid}?${seal}@0=BC241100AA01`),
  }));
  const at = (pool: string | undefined): Inventory => {
    const have = changed(PC.vmid, {}, { description: 'mine' });
    const guests = have.guests.map(({ pool: former, ...guest }) => {
      const now = guest.vmid === PC.vmid ? pool : former;
      return { ...guest, ...(now === undefined ? {} : { pool: now }) };
    });
    return { ...have, guests, pools: reserved };
  };
  for (const pool of [undefined, 'anna'])
    expect(() => plan(want, anna, at(pool))).toThrow(
      expect.objectContaining({
        code: 'SEAL_LOST',
        message: expect.stringContaining(
          `VM ${PC.vmid} (pc) on pve1 stands where a machine was being made`,
        ) as string,
        hint: expect.stringContaining(`qm destroy ${PC.vmid} --purge`) as string,
      }) as Error,
    );
  expect(ids(plan(want, anna, at('zzz')))).toContain('vm.clone:anna/pc');
});

test('its notes rewritten in the pool, where its clone was made: no further machine', () => {
  const reserved = there.pools.map(({ pool, comment, ...rest }) => ({
    ...{ ...rest, pool },
    comment: `${comment.replace(`pc:${PC.vmid}`, `pc:${PC.vmid}?${'0'.repeat(24)}`)} clones=pool`,
  }));
  const have = { ...changed(PC.vmid, {}, { description: 'mine' }), pools: reserved };
  expect(() => plan(want, anna, have)).toThrow(
    expect.objectContaining({
      code: 'SEAL_LOST',
      hint: expect.stringContaining(`qm destroy ${PC.vmid} --purge`) as string,
    }) as Error,
  );
});
