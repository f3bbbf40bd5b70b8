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
