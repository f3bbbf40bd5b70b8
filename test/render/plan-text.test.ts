import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/lib/plan/document/plan.ts';
import { renderPlan } from '../../src/lib/render/plan-text.ts';
import {
  completeStand,
  newStand,
  plan,
  refusedStand,
  reload,
  step,
  stripColor,
  type StandOptions,
} from './fixtures.ts';

const wide = { width: 140, color: false };

function manyStands(count: number, options: (index: number) => StandOptions = () => ({})) {
  return Array.from({ length: count }, (_, at) => newStand(at + 1, options(at + 1)));
}

describe('renderPlan', () => {
  test('says what happens to each stand and what is refused', () => {
    const reserved = step(
      'bridge.create',
      'pve1/vmbr100',
      { node: 'pve1', bridge: 'vmbr100', vlanAware: false, comment: 'deploy-stand reserved' },
      { reason: 'reserved, shared by all' },
    );
    const text = renderPlan(
      plan(
        [
          newStand(1),
          completeStand(2, ['VM 10003 (eco) was changed: net1 was removed (left as it is)']),
          refusedStand(3),
        ],
        { warnings: ['SDN vnets could not be read'] },
        [reserved, reload(['vmbr100', 'vmbr1000'])],
      ),
      wide,
    );
    expect(text).toMatchInlineSnapshot(`
      "Plan: deploy lab net, strategy balanced

      cluster  shared by all stands
        +  bridge vmbr100 on pve1                        reserved, shared by all
        ~  network of pve1: reload, brings up 2 bridges  bring up 2 staged bridges

      student1@pve  new: pool student1, node pve1, fewest stands (0)
        +  pool student1                                                                      pool of student1@pve
        ~  pool student1: claims VMs 10001-10002                                              claim 2 VMIDs
        +  bridge vmbr1000 (hq), VLAN-aware                                                   network hq
        +  user student1@pve (Иван Петров-1) with a new password                              missing
        +  VM 10001 eco: linked clone of template 100 (pve1)                                  missing
        +  VM 10002 host1: linked clone of template 101 (pve1)                                missing
        ~  VM 10001 eco: 2 NICs (net0 vmbr0 link down, net1 vmbr1000 (hq))                    not configured
        ~  VM 10002 host1: 1 NIC (net0 vmbr1000 (hq) tag 100), 2 cores, 2048 MiB, cloud-init  not configured
        ~  pool student1: VMs 10001-10002 join                                                what is finished becomes part of the stand
        +  access of student1@pve to pool student1 as PVEVMAdmin                              access
        ~  VM 10001 eco: start                                                                the lab wants it running

      student2@pve  complete: pool student2, node pve1, already there
        note: VM 10003 (eco) was changed: net1 was removed (left as it is)

      student3@pve  refused: pool student3
        pool student3 exists and is not ours  [POOL_FOREIGN]
          hint: use it with --adopt, or name another pool in users.yml

      warning: SDN vnets could not be read

      3 stands: 1 new, 1 complete, 1 refused; 13 steps: 1 pool, 1 claim, 2 bridges, 1 network reload, 1 user, 2 clones, 2 configurations, 1 stand
      joined, 1 access right, 1 start"
    `);
  });

  test('wraps at 80 columns and stays aligned', () => {
    const text = renderPlan(plan([newStand(1)]), { width: 80, color: false });
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text).toMatchInlineSnapshot(`
      "Plan: deploy lab net, strategy balanced

      student1@pve  new: pool student1, node pve1, fewest stands (0)
        +  pool student1                                        pool of student1@pve
        ~  pool student1: claims VMs 10001-10002                claim 2 VMIDs
        +  bridge vmbr1000 (hq), VLAN-aware                     network hq
        +  user student1@pve (Иван Петров-1) with a new         missing
           password
        +  VM 10001 eco: linked clone of template 100 (pve1)    missing
        +  VM 10002 host1: linked clone of template 101 (pve1)  missing
        ~  VM 10001 eco: 2 NICs (net0 vmbr0 link down, net1     not configured
           vmbr1000 (hq))
        ~  VM 10002 host1: 1 NIC (net0 vmbr1000 (hq) tag 100),  not configured
           2 cores, 2048 MiB, cloud-init
        ~  pool student1: VMs 10001-10002 join                  what is finished
                                                                becomes part of the
                                                                stand
        +  access of student1@pve to pool student1 as           access
           PVEVMAdmin
        ~  VM 10001 eco: start                                  the lab wants it
                                                                running

      1 stand: 1 new; 11 steps: 1 pool, 1 claim, 1 bridge, 1 user, 2 clones, 2
      configurations, 1 stand joined, 1 access right, 1 start"
    `);
  });

  test('an empty plan says so and counts what is complete', () => {
    expect(renderPlan(plan([completeStand(1), completeStand(2)]), wide)).toMatchInlineSnapshot(`
      "Plan: deploy lab net, strategy balanced

      nothing to do; 2 stands: 2 complete"
    `);
  });

  test('no stands at all', () => {
    expect(renderPlan(plan([]), wide)).toContain('nothing to do; 0 stands');
  });

  test('20 stands are shown one by one, without a word about --out', () => {
    const text = renderPlan(plan(manyStands(20)), wide);
    expect(text.match(/^student\d+@pve {2}new: /gm)).toHaveLength(20);
    expect(text).not.toContain('--out');
  });

  test('a big class of users is told as users', () => {
    const users = { ...plan(manyStands(25)), command: 'users' } as Plan; // a plan of users has stands without machines
    const text = renderPlan(users, wide);
    expect(text).toMatch(/the same for \d+ more users/);
    expect(text).toContain('Users that get the same are shown in one line each');
  });

  test('a big class shows the first of equal stands in full and the others in one line', () => {
    const stands = manyStands(22, (index) => ({ node: index % 2 === 0 ? 'pve2' : 'pve1' }));
    const different = newStand(23, { memory: '4096' });
    const text = renderPlan(plan([...stands, different, completeStand(24), refusedStand(25)]), wide);
    expect(text.match(/^student\d+@pve {2}/gm)).toEqual([
      'student1@pve  ',
      'student2@pve  ', // clones onto another node than the template's: not the same words
      'student23@pve  ',
      'student25@pve  ',
    ]);
    expect(text).toContain('the same for 10 more stands (11 steps each):');
    expect(text).toContain('  +  student3@pve   pool student3   node pve1  VMs 10005-10006  vmbr1002\n');
    expect(text).toContain('  +  student22@pve  pool student22  node pve2  VMs 10043-10044  vmbr1021\n');
    const changed = stands.map(({ stand, steps }) => ({
      stand: { ...stand, vms: stand.vms.map((vm) => ({ ...vm, state: 'unfinished' as const })) },
      steps: steps.filter(({ kind }) => kind === 'vm.configure'),
    }));
    expect(renderPlan(plan(changed), wide)).toContain('  ~  student3@pve   pool student3   node pve1');
    expect(text).toContain('--wide shows every step');
    expect(text).toContain('[POOL_FOREIGN]');
    expect(text.split('\n\n').at(-1)?.replace('\n', ' ')).toBe(
      '25 stands: 23 new, 1 complete, 1 refused; 253 steps: 23 pools, 23 claims, 23 bridges, 23 users, 46 clones, 46 configurations, 23 stands joined, 23 access rights, 23 starts; stands with steps per node: pve1 12, pve2 11',
    );
  });

  test('of stands that get the same, only those that are refused the same are folded; what differs is told', () => {
    const left = (index: number, code: string, message: string) => {
      const { stand, steps } = newStand(index);
      return { stand: { ...stand, left: { code, message, hint: 'the way out' } }, steps };
    };
    const lost = (index: number, name: string) => left(index, 'SNAPSHOTS_LOST', `lost: ${name}`);
    const stands = [
      ...manyStands(20),
      left(21, 'VM_IS_TEMPLATE', 'VM 10041 was made a template'),
      ...[lost(22, 'mine'), lost(23, 'mine'), lost(24, 'other'), lost(25, 'other')],
    ];
    const text = renderPlan(plan(stands), wide);
    expect(text).toContain('VM 10041 was made a template  [VM_IS_TEMPLATE]');
    expect(text).toContain('  lost: mine  [SNAPSHOTS_LOST]\n');
    expect(text).toContain(
      'student24@pve: lost: other  [SNAPSHOTS_LOST]\n    the same for 1 more: student25@pve\n',
    );
    expect(text).not.toContain('student23@pve: lost');
    expect(text.match(/the way out/g)).toHaveLength(2);
  });

  test.each([
    { name: 'begun by an earlier run', state: 'unfinished' as const, kind: 'clone', fate: 'to complete' },
    { name: 'differs from the lab', state: 'pending-change' as const, kind: 'edit', fate: 'to change' },
  ])('a stand $name is $fate', ({ state, kind, fate }) => {
    const { stand, steps } = newStand(1);
    const [first, ...others] = stand.vms;
    const vms = [{ ...first!, state }, ...others.map((vm) => ({ ...vm, state: 'complete' as const }))];
    const kept = steps.filter((one) => (kind === 'clone' ? true : one.kind === 'vm.configure'));
    const text = renderPlan(plan([{ stand: { ...stand, vms }, steps: kept }]), wide);
    expect(text).toContain(`student1@pve  ${fate}: pool student1`);
    expect(text).toContain(`1 stand: 1 ${fate}; `);
  });

  test('a running VM that waits for --update-running leaves the stand waiting', () => {
    const stand = completeStand(1, ['VM 10001 (eco) is running']);
    const vms = stand.vms.map((vm) => ({ ...vm, state: 'pending-change' as const }));
    expect(renderPlan(plan([{ ...stand, vms }]), wide)).toContain(
      'nothing to do; 1 stand: 1 waiting for a change',
    );
  });

  test.each([
    {
      name: 'a full clone onto another node',
      one: step('vm.clone', 'x', {
        node: 'pve1',
        target: 'pve2',
        templateVmid: 100,
        vmid: 10001,
        name: 'eco',
        description: '',
        full: true,
        storage: 'ceph',
        pool: 'a',
        locks: [],
      }),
      text: '+  VM 10001: full clone of template 100 (pve1) onto pve2, on storage ceph  missing',
    },
    {
      name: 'a snapshot',
      one: step('vm.snapshot', 'x', {
        ...{ node: 'pve1', vmid: 10001, pool: 'a', snapshot: 'baseline', description: '' },
      }),
      text: '+  snapshot baseline of VM 10001  missing',
    },
    {
      name: 'a bridge that becomes VLAN-aware',
      one: step('bridge.update', 'x', { node: 'pve2', bridge: 'vmbr1000', vlanAware: true, comment: '' }),
      text: '~  bridge vmbr1000 on pve2: becomes VLAN-aware  missing',
    },
    {
      name: 'a role on one VM',
      one: step('acl.grant', 'x', {
        path: '/vms/10001',
        role: 'PVEAuditor',
        userid: 'a@pam',
        propagate: true,
      }),
      text: '+  access of a@pam to VM 10001 as PVEAuditor  missing',
    },
    {
      name: 'machines that join',
      one: step('pool.join', 'x', {
        pool: 'a',
        lab: 'net',
        machines: [
          { machine: 'pc', vmid: 10001, madeBy: 'vm.configure:a/pc' },
          { machine: 'router', vmid: 10002 },
        ],
      }),
      text: '~  pool a: VMs 10001-10002 join  missing',
    },
    {
      name: 'a claim to what is about to be cloned, beside what is there',
      one: step('pool.update', 'x', {
        pool: 'a',
        comment: [
          'deploy-stand user=a@pve',
          `lab=net vms=pc:10001,a:10002?,b:10003??${'ab'.repeat(12)},c:10004?${'ab'.repeat(12)} since=x`,
        ].join('\n'),
      }),
      text: '~  pool a: claims VMs 10002-10003  missing',
    },
    {
      name: 'a claim to a copy of a template that is about to be made',
      one: step('pool.update', 'x', {
        pool: 'deploy-stand-replicas',
        comment: 'deploy-stand replicas\nsource=101 vmid=99999? node=pve2 since=x',
      }),
      text: '~  pool deploy-stand-replicas: claims VM 99999  missing',
    },
    {
      name: 'a copy of a template that is finished',
      one: step('template.join', 'x', { node: 'pve2', home: 'pve2', vmid: 99999, description: '' }),
      text: '~  replica 99999: joins the copies of templates  missing',
    },
    {
      name: 'a claim whose text alone changes',
      one: step('pool.update', 'x', { pool: 'a', comment: '' }),
      text: '~  pool a: updates the claim  missing',
    },
    {
      name: 'a user of a directory, with groups',
      one: step('user.create', 'x', {
        userid: 'a@ad',
        comment: '',
        groups: ['g1', 'g2'],
        password: 'directory',
      }),
      text: '+  user a@ad whose password the directory keeps in g1, g2  missing',
    },
    {
      name: 'trunks and removed keys',
      one: step('vm.configure', 'x', {
        node: 'pve1',
        vmid: 10001,
        pool: 'a',
        description: '',
        nics: [{ index: 0, model: 'virtio', bridge: 'vmbr0', trunks: ['10', '20-30'] }],
        options: { cores: '1' },
        tags: [],
        remove: ['ide2'],
      }),
      text: '~  VM 10001: 1 NIC (net0 vmbr0 trunks 10;20-30), 1 core, without ide2  missing',
    },
    {
      name: 'a reload after removals',
      one: step('network.reload', 'x', { node: 'pve1', bridges: [], gone: ['vmbr1000'] }),
      text: '~  network of pve1: reload, takes away 1 bridge  missing',
    },
    {
      name: 'a reload for new bridges and removed ones',
      one: step('network.reload', 'x', { node: 'pve1', bridges: ['vmbr1'], gone: ['vmbr2', 'vmbr3'] }),
      text: '~  network of pve1: reload, brings up 1 bridge, takes away 2 bridges  missing',
    },
    {
      name: 'a power-off',
      one: step('vm.stop', 'x', { node: 'pve1', vmid: 10001, pool: 'a', lockWaitSeconds: 600 }),
      text: '~  VM 10001: power off  missing',
    },
    {
      name: 'a lifted protection',
      one: step('vm.unprotect', 'x', { node: 'pve1', vmid: 10001, pool: 'a', lockWaitSeconds: 600 }),
      text: '~  VM 10001: lift the protection  missing',
    },
    {
      name: 'a VM that leaves HA',
      one: step('ha.remove', 'x', { vmid: 10001, pool: 'a' }),
      text: '~  VM 10001: take out of HA  missing',
    },
    {
      name: 'a removed VM',
      one: step('vm.delete', 'x', {
        node: 'pve2',
        vmid: 10001,
        pool: 'a',
        lockWaitSeconds: 0,
      }),
      text: '-  VM 10001 with its disks on pve2  missing',
    },
    {
      name: 'a removed bridge',
      one: step('bridge.delete', 'x', { node: 'pve2', bridge: 'vmbr1000', comment: '' }),
      text: '-  bridge vmbr1000 on pve2  missing',
    },
    {
      name: 'a role taken away',
      one: step('acl.revoke', 'x', { path: '/pool/a', role: 'PVEVMAdmin', userid: 'a@pve' }),
      text: '-  access of a@pve to pool a as PVEVMAdmin  missing',
    },
    {
      name: 'machines that the lab has no more',
      one: step('pool.leave', 'x', {
        pool: 'a',
        lab: 'net',
        machines: [{ machine: 'old', vmid: 10001 }],
      }),
      text: '~  pool a: no claim on VM 10001 any more  missing',
    },
    {
      name: 'a claim given up',
      one: step('pool.release', 'x', { pool: 'a', comment: '', removeVmids: [10001, 10002] }),
      text: '~  pool a: gives up the claim to VMs 10001-10002  missing',
    },
    {
      name: 'a claim given up whose VMs were removed',
      one: step('pool.release', 'x', { pool: 'a', comment: '', removeVmids: [] }),
      text: '~  pool a: gives up the claim  missing',
    },
    {
      name: 'a removed pool',
      one: step('pool.delete', 'x', { pool: 'a', comment: '' }),
      text: '-  pool a  missing',
    },
    {
      name: 'a removed user',
      one: step('user.delete', 'x', { userid: 'a@pve', comment: '' }),
      text: '-  user a@pve  missing',
    },
  ])('$name', ({ one, text }) => {
    expect(renderPlan(plan([], { steps: [one] }), wide)).toContain(`  ${text}\n`);
  });

  test('a cleanup is counted in the order of its work', () => {
    const steps = [
      step('user.delete', 'a', { userid: 'a@pve', comment: '' }),
      step('network.reload', 'a', { node: 'pve1', bridges: [], gone: ['vmbr1000'] }),
      step('bridge.delete', 'a', { node: 'pve1', bridge: 'vmbr1000', comment: '' }),
      step('vm.delete', 'a', { node: 'pve1', vmid: 1, pool: 'a', lockWaitSeconds: 0 }),
      step('vm.delete', 'b', { node: 'pve1', vmid: 2, pool: 'a', lockWaitSeconds: 0 }),
      step('vm.stop', 'a', { node: 'pve1', vmid: 1, pool: 'a', lockWaitSeconds: 600 }),
      step('acl.revoke', 'a', { path: '/pool/a', role: 'R', userid: 'a@pve' }),
    ];
    expect(renderPlan(plan([], { steps }), wide)).toContain(
      '7 steps: 1 access removal, 1 power-off, 2 VM removals, 1 bridge removal, 1 network reload, 1 user removal',
    );
  });

  test('colour changes nothing but colour', () => {
    const stands = plan([newStand(1), refusedStand(2)], { warnings: ['w'] }, [reload(['vmbr1000'])]);
    const colored = renderPlan(stands, { width: 80, color: true });
    expect(colored).toContain('\u001b[32m+\u001b[39m');
    expect(stripColor(colored)).toBe(renderPlan(stands, { width: 80, color: false }));
  });

  test('control characters in names never reach the terminal', () => {
    const { stand, steps } = newStand(1);
    const evil = 'eco\u001b]0;owned\u0007\n+ fake';
    const vms = stand.vms.map((vm) => ({ ...vm, name: evil }));
    const text = renderPlan(plan([{ stand: { ...stand, pool: evil, vms, notes: [evil] }, steps }]), wide);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    expect(text).toContain('VM 10001 eco\\x1b]0;owned\\x07\\n+ fake');
  });

  test('500 stands fit into less than 600 lines', () => {
    const big = plan(manyStands(500));
    const lines = renderPlan(big, { width: 80, color: true }).split('\n');
    expect(lines.length).toBeLessThan(600);
  });
});
