/** What a lab asks for and cannot have: said once, whatever the size of the class. */
import { describe, expect, test } from 'vitest';
import type { CloudInit, Lab } from '../../../src/lib/config/types.ts';
import type { StepOf } from '../../../src/lib/plan/document/step.ts';
import { applied, have, lab, machine, plan, real, router, template, user } from '../builders.ts';

const USERS = ['anna', 'boris', 'carla'].map((name) => user(name));

function said(want: Lab, values: Readonly<Record<string, string>> = {}, version = '8.4'): readonly string[] {
  const templates = [template(100), template(101, 'ceph', values)];
  return plan(want, USERS, have({ templates, version })).warnings;
}

const E1000 = 'e1000=BC:24:11:00:00:01,bridge=vmbr0';
const WITH_DRIVE = { ide2: 'ceph:vm-101-cloudinit,media=cdrom' };
const cloudInit: CloudInit = { user: 'student', upgrade: false };

test('nothing is said of a lab that gets what it asks for', () => {
  const values = { net0: E1000.replace('e1000', 'virtio'), ...WITH_DRIVE };
  expect(said(lab([machine('pc', [real('vmbr0')], { cloudInit })]), values)).toEqual([]);
  expect(said(lab([machine('pc', [real('vmbr0', { model: 'e1000' })])]), { net0: E1000 })).toEqual([]);
  expect(said(lab([machine('pc', [real('vmbr0', { model: 'virtio' })])]), { net0: E1000 })).toEqual([]);
});

test('a card model of the template that the kind of device replaces', () => {
  expect(said(lab([machine('pc', [real('vmbr0')])]), { net0: E1000 })).toEqual([
    'machine pc: template 101 has network cards of model e1000, and its machines get virtio, as every linux does; `model: e1000` at a network keeps them',
  ]);
  const eco = router('eco', [real('vmbr0')], { template: { by: 'vmid', vmid: 101 } });
  expect(said(lab([eco]), { net0: E1000, net1: E1000 }).join()).toContain(
    'get vmxnet3, as every ecorouter does',
  );
});

test('cards of the template that are no network of the lab', () => {
  const net0 = E1000.replace('e1000', 'virtio');
  expect(said(lab([machine('pc', [real('vmbr0')])]), { net0, net1: E1000, net3: E1000 })).toEqual([
    'machine pc: net1 (vmbr0), net3 (vmbr0) of template 101 are no network of the lab, and left out of its machines',
  ]);
});

test('cloud-init settings of a template without a drive for them', () => {
  expect(said(lab([machine('pc', [real('vmbr0')], { cloudInit })]))).toEqual([
    'machine pc: template 101 has no cloud-init drive, so that nothing in the guest reads `cloud_init`; give it one: as root on pve1, `qm set 101 --ide2 STORAGE:cloudinit`',
  ]);
});

describe('cloud_init.upgrade', () => {
  const want = lab([machine('pc', [real('vmbr0')], { cloudInit })]);
  const optionsOn = (version: string) => {
    const result = plan(
      want,
      USERS,
      have({ version, templates: [template(100), template(101, 'ceph', WITH_DRIVE)] }),
    );
    return result.steps
      .filter((step): step is StepOf<'vm.configure'> => step.kind === 'vm.configure')
      .map(({ options }) => options['ciupgrade']);
  };

  test('is not sent to PVE 7.4, which refuses it with all the rest', () => {
    expect(said(want, WITH_DRIVE, '7.4')).toEqual([
      'cloud_init.upgrade needs PVE 8 or newer: it is left out',
    ]);
    expect(optionsOn('7.4')).toEqual([undefined, undefined, undefined]);
  });

  test('is sent to the others', () => {
    expect(optionsOn('8.4')).toEqual(['0', '0', '0']);
  });
});

test('a MAC address acts on machines that are made from then on', () => {
  const before = lab([machine('pc', [real('vmbr0')])]);
  const there = applied(before, plan(before, USERS.slice(0, 2)));
  const after = lab([machine('pc', [real('vmbr0', { mac: 'BC:24:11:00:00:77' })])]);
  expect(plan(after, USERS.slice(0, 2), there).warnings).toEqual([
    'machine pc: `mac` acts on machines that are made from now on; those that are there keep their addresses',
  ]);
});

describe('what only machines that are made anew follow', () => {
  const FULL = { fullClone: true };
  const pc = lab([machine('pc', [real('vmbr0')], FULL)]);
  const disk = (storage: string) => ({ scsi0: `${storage}:vm-1-disk-0,size=8G` });
  const there = (values: Readonly<Record<string, string>>) => {
    const made = applied(pc, plan(pc, USERS));
    return {
      ...made,
      vms: made.vms.map((vm) => ({ ...vm, values: { ...vm.values, ...values } })),
      templates: made.templates.map((one) =>
        one.vmid === 101 ? { ...one, values: { ...one.values, ...disk('ceph') } } : one,
      ),
    };
  };
  const recloneCommand = 'deploy-stand reset --reclone --outdated -c lab.yml -u users.yml';
  const told = (want: Lab, values: Readonly<Record<string, string>> = disk('ceph')) =>
    plan(want, USERS, there(values), { recloneCommand });

  test('is said once for each machine, with the command that makes them anew', () => {
    const moved = told(lab([machine('pc', [real('vmbr0')], { ...FULL, storage: 'local-lvm' })]));
    expect(moved.steps).toEqual([]);
    expect(moved.warnings).toEqual([
      `machine pc: the lab has another storage than 3 that are there (anna@pve, boris@pve, carla@pve); that acts on machines that are made from now on, and \`${recloneCommand}\` makes these anew, without what students did on them`,
    ]);
    const linked = told(lab([machine('pc', [real('vmbr0')])]));
    expect(linked.warnings.join()).toMatch(/^machine pc: the lab has another template or full_clone than 3/);
    const both = told(lab([machine('pc', [real('vmbr0')], { storage: 'local-lvm' })]));
    expect(both.warnings.join()).toMatch(
      /^machine pc: the lab has another storage, another template or full_clone than 3/,
    );
    expect([...moved.stands, ...linked.stands].flatMap(({ notes }) => notes)).toEqual([]);
  });

  test.each([
    { name: 'the lab leaves it to the template', want: pc, values: disk('ceph') },
    {
      name: 'they are there, and a student added a disk elsewhere',
      want: lab([machine('pc', [real('vmbr0')], { ...FULL, storage: 'ceph' })]),
      values: { ...disk('ceph'), scsi1: 'local-lvm:vm-1-disk-1,size=1G' },
    },
  ])('but not where $name', ({ want, values }) => {
    expect(told(want, values).warnings).toEqual([]);
  });
});
