import { describe, expect, test } from 'vitest';
import { handlers } from '../../../../src/lib/execute/handlers/index.ts';
import type { StepPayloads } from '../../../../src/lib/plan/document/step.ts';
import { TaskError } from '../../../../src/lib/proxmox/errors.ts';
import type { RequestFault } from '../../../../src/lib/simulator/faults.ts';
import type { Scenario } from '../../../../src/lib/simulator/scenario.ts';
import type { ScenarioGuest } from '../../../../src/lib/simulator/scenario-types.ts';
import { createTaskWaiter } from '../../../../src/lib/proxmox/tasks.ts';
import { createSeals } from '../../../../src/lib/execute/seals.ts';
import { parseVmMark } from '../../../../src/lib/marks/vm.ts';
import { sealHash } from '../../../../src/lib/marks/seal.ts';
import {
  apply,
  claim,
  count,
  FORMER_SEAL,
  OURS,
  RESERVED,
  reserved,
  SEALED,
  step,
  VM_MARK,
  without,
} from '../../apply-step.ts';
import { busy, lost, onPve1, PveWorld, refused, sealOf, taskEnds, VERSIONS, vm } from '../../world.ts';

const templates = [{ vmid: 100, name: 'debian', node: 'pve1', storage: 'nfs' }];

describe('vm.clone', () => {
  const payload: StepPayloads['vm.clone'] = {
    node: 'pve1',
    target: 'pve2',
    templateVmid: 100,
    vmid: 10001,
    name: 'pc',
    description: VM_MARK,
    full: false,
    pool: 'anna',
    locks: ['shared:nfs'],
  };
  /** What a run that was killed has asked PVE for. */
  const { node, target, templateVmid, vmid, name, full } = payload;
  const FORMER = `${VM_MARK} seal=${FORMER_SEAL}`;
  const FORMER_CLONE = { node, target, templateVmid, vmid, name, full, description: FORMER };
  const pools = [RESERVED];
  const CLONE = ['POST', '/nodes/pve1/qemu/100/clone'] as const;
  const NFS_BUSY = "clone failed: cfs-lock 'storage-nfs' error: got lock request timeout";
  const clones = (world: PveWorld) => count(world, CLONE.join(' '));
  const world = (...guests: readonly ScenarioGuest[]) => new PveWorld({ templates, guests, pools });

  /** A run that was killed has started it; its clones take this long. */
  function underWay(seconds: number, faults: readonly RequestFault[] = []): Promise<PveWorld> {
    const made = new PveWorld({ templates, pools, latency: { storage_lock_s: seconds } }).fault(...faults);
    return made.drive(made.admin.cloneVm(FORMER_CLONE)).then(() => made);
  }

  test.each<{
    name: string;
    make?: () => PveWorld | Promise<PveWorld>;
    outcome: string;
    clones: number;
    notes?: string;
  }>([
    { name: 'happy path', outcome: 'done', clones: 1 },
    {
      name: 'finished by a run that was killed',
      make: () => world(vm(10001, 'pve2', { description: `${FORMER} spec=ab` })),
      outcome: 'already-done',
      notes: `${FORMER} spec=ab`,
      // PVE asks about the number on the template's node only; the task finds it taken.
      clones: 1,
    },
    {
      name: 'still under way from a run that was killed',
      make: () => underWay(55),
      outcome: 'already-done',
      notes: FORMER,
      clones: 0,
    },
    {
      name: 'a clone under way that is rolled back is made again',
      make: () => underWay(20, [taskEnds(CLONE, 'clone failed: no space')]),
      outcome: 'done',
      clones: 1,
    },
    { name: 'lost before', make: () => world().fault(lost(CLONE, 'before')), outcome: 'done', clones: 1 },
    {
      name: 'lost after: the task is waited for',
      make: () => world().fault(lost(CLONE, 'after')),
      outcome: 'already-done',
      clones: 1,
    },
    {
      name: 'the task meets a lock timeout and is rolled back',
      make: () => world().fault(taskEnds(CLONE, NFS_BUSY)),
      outcome: 'done',
      clones: 2,
    },
    {
      name: 'the template is locked for a moment',
      make: () =>
        world().fault(refused(CLONE, "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout")),
      outcome: 'done',
      clones: 1,
    },
  ])('$name', async ({ make = world, outcome, clones: expected, notes = SEALED }) => {
    const pve = await make();
    expect((await apply(pve, 'vm.clone', payload)).outcome).toBe(outcome);
    expect(clones(pve)).toBe(expected);
    expect(pve.config('pve2', 10001)?.['description']).toBe(notes);
    expect(pve.config('pve2', 10001)).not.toHaveProperty('lock');
    // It joins its pool when it is finished, by a step of its own.
    expect(pve.pool('anna')?.vmids).toEqual([]);
  });

  test.each(VERSIONS)('%s: a full clone onto another storage', async (version) => {
    const storages = ['nfs', 'ceph'].map((id) => ({ id, type: 'rbd' as const }));
    const pve = new PveWorld({ version, templates, storages, pools });
    const full = { ...payload, full: true, storage: 'ceph' };
    expect((await apply(pve, 'vm.clone', full)).outcome).toBe('done');
    expect(pve.config('pve2', 10001)?.['scsi0']).toMatch(/^ceph:vm-10001-disk-0/);
  });

  test('a lost answer and nothing to see: waits for young clones of the template, then makes it', async () => {
    const pve = new PveWorld({ templates, pools, latency: { storage_lock_s: 45 } });
    await pve.drive(pve.admin.cloneVm({ ...FORMER_CLONE, vmid: 10002, description: '' }));
    pve.fault(lost(CLONE, 'before'));
    const started = pve.clock.now();
    expect((await apply(pve, 'vm.clone', payload)).outcome).toBe('done');
    // After the other one's 45 s, those of its own.
    expect(pve.since(started)).toBeGreaterThan(90);
    expect(clones(pve)).toBe(1);
  });

  test('a lock timeout is told apart from other trouble', async () => {
    const pve = world().fault(taskEnds(CLONE, NFS_BUSY));
    const io = pve.io();
    await pve.drive(handlers['vm.clone'](step('vm.clone', payload), io));
    expect(io.retries).toMatchObject([{ busy: { of: 'storage' } }]);
  });

  test('a storage whose lock others hold for too long', async () => {
    const pve = new PveWorld({ templates, pools, latency: { storage_lock_s: 15 } });
    await pve.drive(pve.admin.cloneVm({ ...FORMER_CLONE, vmid: 10002, description: '' }));
    expect(await apply(pve, 'vm.clone', payload)).toEqual({ outcome: 'done', retries: 1 });
    expect(clones(pve)).toBe(2);
    expect(pve.config('pve2', 10001)?.['description']).toBe(SEALED);
  });

  test('a clone lock without a task is a zombie', async () => {
    const pve = world(vm(10001, 'pve1', { config: { lock: 'clone' } }));
    await expect(apply(pve, 'vm.clone', payload)).rejects.toMatchObject({
      code: 'ZOMBIE_CLONE',
      // `cleanup` would take the whole stand, and unlocked it would be handed out half copied.
      hint: 'if its notes name vmid=10001, as root on pve1: `qm unlock 10001 && qm destroy 10001 --purge`; then run again',
    });
    expect(clones(pve)).toBe(0);
  });

  test('a finished clone that never reached its node is reported', async () => {
    const pve = world(vm(10001, 'pve1', { description: FORMER }));
    await expect(apply(pve, 'vm.clone', payload)).rejects.toMatchObject({ code: 'VM_MISPLACED' });
  });

  test.each([
    {
      name: "another VM, on the template's node",
      place: 'pve1',
      values: { name: 'db', description: 'production' },
      code: 'VMID_TAKEN',
      says: /in use by another VM \("db"\) on pve1/,
    },
    {
      name: 'another VM',
      place: 'pve2',
      values: { name: 'db', description: 'production' },
      code: 'VMID_TAKEN',
      says: /in use by another VM \("db"\)/,
    },
    {
      name: 'a VM whose notes are forged, and carry no seal',
      place: 'pve2',
      values: { name: 'pc', description: VM_MARK },
      code: 'VMID_TAKEN',
      says: /in use by another VM \("pc"\) on pve2/,
    },
    {
      name: 'a VM whose notes carry a guessed seal',
      place: 'pve2',
      values: { name: 'pc', description: `${VM_MARK} seal=${'0'.repeat(32)}` },
      code: 'VMID_TAKEN',
      says: /in use by another VM/,
    },
    {
      name: "a VM whose notes carry the seal of another machine, which another claim's hash fits",
      place: 'pve2',
      values: { name: 'pc', description: `${VM_MARK} seal=${sealOf(10002)}` },
      code: 'VMID_TAKEN',
      says: /in use by another VM/,
    },
    {
      name: 'a clone of ours that somebody has put into another pool',
      place: 'pve2',
      values: { name: 'pc', description: SEALED, pool: 'boris' },
      code: 'VMID_TAKEN',
      says: /in use by another VM/,
    },
  ])('the number belongs to $name', async ({ place, values, code, says }) => {
    const other = `router:10002?${sealHash(sealOf(10002), 10002)}`;
    const claimed = { pool: 'anna', comment: claim(`${reserved(sealOf(10001))},${other}`) };
    const pve = new PveWorld({
      templates,
      guests: [vm(10001, place, values)],
      pools: [claimed, { pool: 'boris' }],
    });
    const applied = apply(pve, 'vm.clone', payload);
    await expect(applied).rejects.toMatchObject({ code });
    await expect(applied).rejects.toThrow(says);
    const { name, description } = values;
    expect(pve.config(place, 10001)).toMatchObject({ name, description });
  });

  test('the number is taken on a node where we do not look', async () => {
    const pve = world(vm(10001, 'pve3', { description: 'production' }));
    await expect(apply(pve, 'vm.clone', payload)).rejects.toMatchObject({
      code: 'VMID_TAKEN',
      message: expect.stringContaining('File exists') as string,
    });
    // PVE finds it out within the task. The second try is for a name that a clone of ours had until a moment ago.
    expect(clones(pve)).toBe(2);
    expect(pve.config('pve3', 10001)?.['description']).toBe('production');
  });

  test('any other failure of the task is the failure of the step', async () => {
    const pve = world().fault(taskEnds(CLONE, 'clone failed: no space left on device'));
    const applied = apply(pve, 'vm.clone', payload);
    await expect(applied).rejects.toBeInstanceOf(TaskError);
    await expect(applied).rejects.toMatchObject({ code: 'TASK_FAILED' });
    expect(clones(pve)).toBe(1);
    expect(pve.guest(10001)).toBeUndefined();
  });

  test('a node that loses power during the clone: no second one is begun without an answer', async () => {
    const pve = new PveWorld({ templates, pools, latency: { storage_lock_s: 10 } });
    pve.powerOff('pve1', 5);
    await expect(apply(pve, 'vm.clone', { ...payload, target: 'pve1' })).rejects.toMatchObject({
      code: 'PVE_UNREACHABLE',
    });
    expect(clones(pve)).toBe(1);
  });

  test('a lost answer is judged by the seal: what somebody has made there meanwhile is not ours', async () => {
    const pve = world().fault(lost(CLONE, 'before'));
    pve.before(['GET', '/nodes/pve2/qemu/10001/config'], () =>
      pve.byHand.post('/nodes/pve2/qemu', { vmid: 10001, name: 'pc', description: VM_MARK }),
    );
    await expect(apply(pve, 'vm.clone', payload)).rejects.toMatchObject({ code: 'VMID_TAKEN' });
    expect(clones(pve)).toBe(0);
    expect(pve.config('pve2', 10001)?.['description']).toBe(VM_MARK);
  });

  test('a late clone of a former run whose hash is in the claim no more is not taken', async () => {
    const pve = new PveWorld({
      templates,
      guests: [vm(10001, 'pve2', { description: FORMER })],
      pools: [{ pool: 'anna', comment: claim(reserved(sealOf(10001))) }],
    });
    await expect(apply(pve, 'vm.clone', payload)).rejects.toMatchObject({ code: 'VMID_TAKEN' });
  });

  test('each run draws seals of its own; the claim says the hash of the very one that the clone carries', async () => {
    const drawn: string[] = [];
    for (const kind of ['pool.create', 'pool.update'] as const) {
      const pve = new PveWorld({
        templates,
        pools: kind === 'pool.create' ? [] : [{ pool: 'anna', comment: claim('pc:10001') }],
      });
      const io = { ...pve.io(), seals: createSeals() };
      const claimed = { pool: 'anna', comment: claim('pc:10001?') };
      const written = handlers[kind](step(kind, claimed) as never, io);
      await pve.drive(written);
      await pve.drive(handlers['vm.clone'](step('vm.clone', payload), io));
      const seal = parseVmMark(pve.config('pve2', 10001)?.['description'] ?? '')?.seal ?? '';
      expect(pve.pool('anna')?.comment).toBe(claim(reserved(seal)));
      expect(seal).toMatch(/^[0-9a-f]{32}$/);
      expect(io.seals.of(10002)).not.toBe(seal);
      drawn.push(seal);
    }
    expect(new Set(drawn).size).toBe(2);
  });

  describe('that a former run has begun', () => {
    const begun = { ...payload, isUnderWay: true } as const;
    const END = ['GET', '/nodes/pve2/qemu/10001/config'] as const;

    test('is waited for, and no second one begun', async () => {
      const pve = await underWay(55);
      const started = pve.clock.now();
      expect((await apply(pve, 'vm.clone', begun)).outcome).toBe('already-done');
      expect(pve.since(started)).toBeGreaterThan(50);
      expect(pve.config('pve2', 10001)?.['description']).toBe(FORMER);
      expect(pve.writes).toEqual([]);
    });

    test('and has ended meanwhile is found', async () => {
      const pve = world(vm(10001, 'pve2', { description: FORMER }));
      expect((await apply(pve, 'vm.clone', begun)).outcome).toBe('already-done');
      expect(pve.writes).toEqual([]);
    });

    test.each<{ name: string; make: () => PveWorld | Promise<PveWorld> }>([
      { name: 'fails', make: () => underWay(20, [taskEnds(CLONE, 'clone failed: no space')]) },
      { name: 'has failed', make: () => world() },
    ])('and that $name is not made anew with a seal that the claim does not know', async ({ make }) => {
      const pve = await make();
      await expect(apply(pve, 'vm.clone', begun)).rejects.toMatchObject({
        code: 'CLONE_ENDED',
        message: 'the clone of a former run under VMID 10001 has failed',
      });
      expect(pve.writes).toEqual([]);
      expect(pve.guest(10001)).toBeUndefined();
    });

    test('turns out to be foreign', async () => {
      const pve = new PveWorld({ templates, pools, latency: { storage_lock_s: 20 } });
      await pve.drive(pve.admin.cloneVm({ ...FORMER_CLONE, description: VM_MARK }));
      await expect(apply(pve, 'vm.clone', begun)).rejects.toMatchObject({ code: 'VMID_TAKEN' });
      expect(pve.writes).toEqual([]);
    });

    test('outlives trouble with PVE', async () => {
      const pve = (await underWay(20)).fault(lost(END, 'before'), refused(END, 'no quorum', 500, 2));
      expect((await apply(pve, 'vm.clone', begun)).outcome).toBe('already-done');
      expect(pve.writes).toEqual([]);
    });
  });
});

describe('vm.configure', () => {
  const payload: StepPayloads['vm.configure'] = {
    node: 'pve1',
    vmid: 10001,
    pool: 'anna',
    description: `${VM_MARK} spec=abc`,
    nics: [
      { index: 0, model: 'virtio', bridge: 'vmbr0', firewall: true },
      {
        index: 1,
        model: 'vmxnet3',
        bridge: 'vmbr1000',
        mac: '1C:87:76:40:00:01',
        tag: 100,
        linkDown: true,
        mtu: 1400,
      },
      { index: 2, model: 'e1000', bridge: 'vmbr1001', trunks: ['10', '20-30'] },
    ],
    options: { cores: '4', onboot: '0' },
    tags: ['lab-net', 'deploy-stand'],
    remove: ['hookscript', 'startup'],
  };
  const CONFIG = ['PUT', '/nodes/pve1/qemu/10001/config'] as const;
  const WRITE = CONFIG.join(' ');
  const FRESH = {
    net0: 'e1000=BC:24:11:00:00:01,bridge=vmbr9,tag=7',
    net1: 'virtio=BC:24:11:00:00:02,bridge=vmbr9',
    net5: 'virtio=BC:24:11:00:00:05,bridge=vmbr9',
    tags: 'Debian;deploy-stand',
    startup: 'order=1',
  };
  const withVm = (
    config: Readonly<Record<string, string>> = {},
    description = `${VM_MARK}\n`,
    scenario: Partial<Scenario> = {},
  ): PveWorld =>
    new PveWorld({
      guests: [vm(10001, 'pve1', { description, config: { ...FRESH, ...config } })],
      pools: [OURS],
      ...scenario,
    });
  /** Somebody writes into the same configuration. */
  const meddle = (world: PveWorld, cores: string) =>
    world.admin.updateVmConfig({ node: 'pve1', vmid: 10001 }, { set: { cores }, remove: [] });

  test.each(VERSIONS)('%s: one write says everything', async (version) => {
    const world = withVm({}, VM_MARK, { version });
    const kept = without(world.config('pve1', 10001), 'net5', 'startup');
    expect((await apply(world, 'vm.configure', payload)).outcome).toBe('done');
    expect(world.config('pve1', 10001)).toEqual({
      ...kept,
      description: payload.description,
      net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1',
      net1: 'vmxnet3=1C:87:76:40:00:01,bridge=vmbr1000,link_down=1,mtu=1400,tag=100',
      // PVE draws the MAC of a NIC that comes without one.
      net2: expect.stringMatching(
        /^e1000=(?:[0-9A-F]{2}:){5}[0-9A-F]{2},bridge=vmbr1001,trunks=10;20-30$/,
      ) as string,
      cores: '4',
      onboot: '0',
      tags: 'debian;deploy-stand;lab-net',
    });
    expect(world.writes).toEqual([WRITE]);
    expect(world.sent[0]?.params).toMatchObject({
      net1: 'vmxnet3=1C:87:76:40:00:01,bridge=vmbr1000,tag=100,link_down=1,mtu=1400',
      net2: 'model=e1000,bridge=vmbr1001,trunks=10;20-30',
      delete: 'net5,startup',
    });
  });

  test('a present MAC in the long form is kept too', async () => {
    const world = withVm({ net0: 'model=virtio,macaddr=bc:24:11:aa:bb:cc,bridge=vmbr9' });
    await apply(world, 'vm.configure', payload);
    expect(world.config('pve1', 10001)?.['net0']).toMatch(/^virtio=BC:24:11:AA:BB:CC,/);
  });

  test('configured already: nothing is written', async () => {
    const world = withVm({}, `${payload.description}\n`);
    expect((await apply(world, 'vm.configure', payload)).outcome).toBe('already-done');
    expect(world.writes).toEqual([]);
  });

  test.each<{ name: string; prepare: (world: PveWorld) => unknown; outcome: string }>([
    { name: 'lost before', prepare: (world) => world.fault(lost(CONFIG, 'before')), outcome: 'done' },
    { name: 'lost after', prepare: (world) => world.fault(lost(CONFIG, 'after')), outcome: 'already-done' },
    {
      name: 'the VM is busy',
      prepare: (world) =>
        world.fault(refused(CONFIG, "can't lock file '/var/lock/qemu-server/lock-10001.conf' - got timeout")),
      outcome: 'done',
    },
    {
      name: 'somebody changed it meanwhile',
      prepare: (world) => world.before(CONFIG, () => meddle(world, '3')),
      outcome: 'done',
    },
  ])('$name: still one write', async ({ prepare, outcome }) => {
    const world = withVm();
    prepare(world);
    expect((await apply(world, 'vm.configure', payload)).outcome).toBe(outcome);
    expect(world.writes).toEqual([WRITE]);
    expect(world.config('pve1', 10001)?.['description']).toBe(payload.description);
  });

  test('a VM that changes all the time is given up', async () => {
    const world = withVm();
    world.before(CONFIG, () => meddle(world, '3')).before(CONFIG, () => meddle(world, '5'), 2);
    await expect(apply(world, 'vm.configure', payload)).rejects.toMatchObject({
      code: 'PVE_ERROR',
      text: expect.stringContaining('checksum mismatch') as string,
    });
    expect(world.writes).toEqual([]);
    expect(world.config('pve1', 10001)).toMatchObject({ cores: '5', description: `${VM_MARK}\n` });
  });

  test('a tag that the datacenter reserves is left out, the others are not, and that is told', async () => {
    const denied = "Permission check failed (/, Sys.Modify for modifying tag 'lab-net')";
    const world = withVm().fault(refused(CONFIG, denied, 403));
    expect((await apply(world, 'vm.configure', payload)).outcome).toBe('done');
    expect(world.config('pve1', 10001)).toMatchObject({
      tags: 'debian;deploy-stand',
      description: payload.description,
    });
    expect([...world.told].join()).toContain('reserves the tag "lab-net"');
  });

  test('the cloud-init password comes from the secrets', async () => {
    const world = withVm();
    const secrets = { cloudInitPassword: (machine: string) => `secret of ${machine}` };
    await apply(world, 'vm.configure', { ...payload, secret: { machine: 'pc' } }, secrets);
    expect(world.sent[0]?.params['cipassword']).toBe('secret of pc');
    // PVE keeps its hash.
    expect(world.config('pve1', 10001)?.['cipassword']).toMatch(/^\$5\$/);
    const unknown = { cloudInitPassword: () => undefined };
    const applied = apply(withVm(), 'vm.configure', { ...payload, secret: { machine: 'pc' } }, unknown);
    await expect(applied).rejects.toMatchObject({ code: 'SECRET_MISSING' });
  });

  test('a clone lock is waited for', async () => {
    const world = new PveWorld({ templates, pools: [RESERVED], latency: { storage_lock_s: 30 } });
    const clone = { vmid: 10001, name: 'pc', description: SEALED, full: false };
    await world.drive(world.admin.cloneVm({ ...clone, node: 'pve1', target: 'pve1', templateVmid: 100 }));
    expect((await apply(world, 'vm.configure', payload)).outcome).toBe('done');
    expect(world.config('pve1', 10001)?.['description']).toBe(`${SEALED} spec=abc`);
  });

  test('the seal stays in the notes: until the VM joins its pool it is the proof', async () => {
    const world = withVm({}, SEALED, { pools: [RESERVED] });
    expect((await apply(world, 'vm.configure', payload)).outcome).toBe('done');
    expect(world.config('pve1', 10001)?.['description']).toBe(`${SEALED} spec=abc`);
    expect((await apply(world, 'vm.configure', payload)).outcome).toBe('already-done');
    expect(world.writes).toEqual([WRITE]);
  });

  test.each([
    { name: 'no mark', notes: 'production' },
    { name: "another student's mark", notes: VM_MARK.replace('anna', 'boris') },
    { name: 'the mark of another number', notes: VM_MARK.replace('10001', '10002') },
  ])("once it is made, notes are the student's: $name changes nothing", async ({ notes }) => {
    const world = withVm({}, notes);
    expect((await apply(world, 'vm.configure', payload)).outcome).toBe('done');
    expect(world.writes).toEqual([WRITE]);
  });

  test('somebody writes other notes between look and write: they are looked at again', async () => {
    const world = withVm({}, SEALED, { pools: [RESERVED] });
    world.before(CONFIG, () =>
      world.admin.updateVmConfig(
        { node: 'pve1', vmid: 10001 },
        { set: { description: VM_MARK }, remove: [] },
      ),
    );
    await expect(apply(world, 'vm.configure', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.writes).toEqual([]);
  });

  test.each<{ name: string; make: () => PveWorld; code: string }>([
    { name: 'is not there', make: () => new PveWorld({ pools: [OURS] }), code: 'VM_MISSING' },
    { name: 'stays locked', make: () => withVm({ lock: 'backup' }), code: 'VM_LOCKED' },
    { name: 'is hibernated', make: () => withVm({ lock: 'suspended' }), code: 'VM_HIBERNATED' },
  ])('a VM that $name is left alone', async ({ make, code }) => {
    const world = make();
    await expect(apply(world, 'vm.configure', payload)).rejects.toMatchObject({ code });
    expect(world.writes).toEqual([]);
  });
});

describe('vm.snapshot', () => {
  const description = 'deploy-stand snapshot lab=net vmid=10001 baseline';
  const payload = { node: 'pve1', vmid: 10001, pool: 'anna', snapshot: 'start', description };
  const SNAPSHOT = ['POST', '/nodes/pve1/qemu/10001/snapshot'] as const;
  const withVm = (more: Partial<ScenarioGuest> = {}) =>
    new PveWorld({ guests: [vm(10001, 'pve1', more)], pools: [OURS] });

  test.each<{ name: string; isThere?: true; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'already there', isThere: true, outcome: 'already-done' },
    { name: 'lost before', faults: [lost(SNAPSHOT, 'before')], outcome: 'done' },
    {
      name: 'lost after: the task is waited for',
      faults: [lost(SNAPSHOT, 'after')],
      outcome: 'already-done',
    },
    { name: 'lock timeout', faults: [busy(SNAPSHOT, 'storage-nfs')], outcome: 'done' },
  ])('$name', async ({ isThere, faults = [], outcome }) => {
    const world = withVm().fault(...faults);
    if (isThere) {
      const taken = { snapshot: 'start', description, withMemory: false };
      await world.drive(world.admin.snapshotVm({ node: 'pve1', vmid: 10001 }, taken));
      await world.drive(world.clock.sleep(5000));
    }
    expect((await apply(world, 'vm.snapshot', payload)).outcome).toBe(outcome);
    expect(world.guest(10001)?.snapshots).toMatchObject([{ name: 'start', description, vmstate: false }]);
    expect(world.writes).toHaveLength(1);
  });

  test('one of that name that somebody else took is left alone', async () => {
    const world = withVm({ snapshots: ['start'] });
    await expect(apply(world, 'vm.snapshot', payload)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_OURS' });
    expect(world.guest(10001)?.snapshots).toMatchObject([{ name: 'start', description: '' }]);
  });

  test('the memory is kept with it, and its volume', async () => {
    const world = withVm({ running: true });
    await apply(world, 'vm.snapshot', { ...payload, withMemory: true });
    expect(world.guest(10001)?.snapshots).toMatchObject([{ name: 'start', vmstate: true }]);
  });

  test('whatever holds the VM is waited for, as long as the step says', async () => {
    const world = withVm({ config: { lock: 'backup' } });
    const waiting = apply(world, 'vm.snapshot', { ...payload, lockWaitSeconds: 60 });
    await expect(waiting).rejects.toMatchObject({ code: 'VM_LOCKED' });
    expect(world.guest(10001)?.snapshots).toEqual([]);
  });

  test('a task that fails fails the step', async () => {
    const storages = [{ id: 'thick', type: 'lvm' as const }];
    const world = new PveWorld({
      storages,
      guests: [vm(10001, 'pve1', { storage: 'thick' })],
      pools: [OURS],
    });
    const applied = apply(world, 'vm.snapshot', payload);
    await expect(applied).rejects.toMatchObject({ code: 'TASK_FAILED' });
    await expect(applied).rejects.toThrow('snapshot feature is not available');
  });
});

describe('vm.snapshot.delete', () => {
  const description = 'deploy-stand snapshot lab=net vmid=10001';
  const payload = { node: 'pve1', vmid: 10001, pool: 'anna', snapshot: 'old', lockWaitSeconds: 60 };
  const DELETE = ['DELETE', '/nodes/pve1/qemu/10001/snapshot/old'] as const;

  async function withOld(snapshot = 'old', mark = description) {
    const world = new PveWorld({ guests: [vm(10001, 'pve1')], pools: [OURS] });
    await world.drive(
      world.admin.snapshotVm(
        { node: 'pve1', vmid: 10001 },
        { snapshot, description: mark, withMemory: false },
      ),
    );
    await world.drive(world.clock.sleep(5000));
    return world;
  }

  test.each<{ name: string; snapshot?: string; faults?: RequestFault[]; outcome: string; writes: number }>([
    { name: 'happy path', outcome: 'done', writes: 1 },
    { name: 'gone already', snapshot: 'other', outcome: 'already-done', writes: 0 },
    { name: 'lost before', faults: [lost(DELETE, 'before')], outcome: 'done', writes: 1 },
    { name: 'lost after', faults: [lost(DELETE, 'after')], outcome: 'already-done', writes: 1 },
  ])('$name', async ({ snapshot, faults = [], outcome, writes }) => {
    const world = (await withOld(snapshot)).fault(...faults);
    expect((await apply(world, 'vm.snapshot.delete', payload)).outcome).toBe(outcome);
    expect(world.guest(10001)?.snapshots.map(({ name }) => name)).toEqual(snapshot ? [snapshot] : []);
    expect(world.writes).toHaveLength(writes);
  });

  test.each([
    ['without our mark', ''],
    ['with the mark of another machine', 'deploy-stand snapshot lab=net vmid=10002'],
  ])('one %s is left alone', async (_, mark) => {
    const world = await withOld('old', mark);
    const applied = apply(world, 'vm.snapshot.delete', payload);
    await expect(applied).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_OURS' });
    expect(world.writes).toEqual([]);
  });
});

describe.each(VERSIONS)('vm.rollback on PVE %s', (version) => {
  const payload = {
    ...{ node: 'pve1', vmid: 10001, pool: 'anna', snapshot: 'start', bridges: ['vmbr0'] },
    ...{ power: 'keep' as const, lockWaitSeconds: 60 },
  };
  const ROLLBACK = ['POST', '/nodes/pve1/qemu/10001/snapshot/start/rollback'] as const;
  const CARD = 'virtio=BC:24:11:00:00:01,bridge=vmbr0';
  const withVm = (more: Partial<ScenarioGuest> = {}) =>
    new PveWorld({
      version,
      guests: [vm(10001, 'pve1', { snapshots: ['start'], config: { net0: CARD }, ...more })],
      pools: [OURS],
    });

  test.each<{
    name: string;
    running: boolean;
    power?: 'start';
    faults?: RequestFault[];
    runs: boolean;
    writes?: number;
  }>([
    { name: 'what is off stays off', running: false, runs: false },
    { name: 'what ran runs again', running: true, runs: true },
    { name: 'switched on', running: false, power: 'start', runs: true },
    { name: 'lost before', running: true, faults: [lost(ROLLBACK, 'before')], runs: true },
    { name: 'lost after', running: true, faults: [lost(ROLLBACK, 'after')], runs: true },
    {
      name: 'a task that ends in trouble is tried again, and it still runs in the end',
      running: true,
      faults: [taskEnds(ROLLBACK, "can't lock file '/var/lock/qemu-server/lock-10001.conf' - got timeout")],
      runs: true,
      writes: 2,
    },
  ])('$name', async ({ running, power, faults = [], runs, writes = 1 }) => {
    const world = withVm({ running }).fault(...faults);
    const other = { set: { description: 'mine', name: 'other' }, remove: [] };
    await world.drive(world.admin.updateVmConfig({ node: 'pve1', vmid: 10001 }, other));
    await apply(world, 'vm.rollback', { ...payload, ...(power ? { power } : {}) });
    const guest = world.guest(10001);
    // Its name goes back, its notes stay.
    expect(guest?.config).toMatchObject({ name: 'vm10001', description: 'mine', net0: CARD });
    expect(guest?.runningSince !== undefined).toBe(runs);
    expect(world.writes).toHaveLength(writes);
  });

  test('a snapshot that names another bridge by now is left alone', async () => {
    const world = withVm({ running: true });
    const applied = apply(world, 'vm.rollback', { ...payload, bridges: ['vmbr1000'] });
    await expect(applied).rejects.toMatchObject({ code: 'SNAPSHOT_BRIDGE' });
    expect(world.writes).toEqual([]);
  });

  test('a snapshot that is gone by now', async () => {
    const world = withVm({ snapshots: [] });
    const applied = apply(world, 'vm.rollback', payload);
    await expect(applied).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' });
  });
});

describe('vm.start', () => {
  const payload = { node: 'pve1', vmid: 10001, pool: 'anna' };
  const START_VM = ['POST', '/nodes/pve1/qemu/10001/status/start'] as const;
  const WRITE = START_VM.join(' ');
  const withVm = (more: Partial<ScenarioGuest> = {}) =>
    new PveWorld({ guests: [vm(10001, 'pve1', more)], pools: [OURS] });

  test.each<{ name: string; running?: boolean; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'already running', running: true, outcome: 'already-done' },
    { name: 'lost before', faults: [lost(START_VM, 'before')], outcome: 'done' },
    {
      name: 'lost after: the task is waited for',
      faults: [lost(START_VM, 'after')],
      outcome: 'already-done',
    },
  ])('$name', async ({ running = false, faults = [], outcome }) => {
    const world = withVm({ running }).fault(...faults);
    expect((await apply(world, 'vm.start', payload)).outcome).toBe(outcome);
    expect(world.isRunning(10001)).toBe(true);
    expect(world.writes).toEqual([WRITE]);
  });

  test('a lost start whose task fails is tried again, and says why', async () => {
    const world = withVm({ bridge: 'vmbr1000' }).fault(lost(START_VM, 'after'));
    await expect(apply(world, 'vm.start', payload)).rejects.toThrow("bridge 'vmbr1000' does not exist");
    expect(world.writes).toHaveLength(2);
  });

  test('a task without a verdict fails the step, and is not begun again', async () => {
    const world = withVm().fault(taskEnds(START_VM, 'unexpected status'));
    await expect(apply(world, 'vm.start', payload)).rejects.toMatchObject({ code: 'TASK_FAILED' });
    expect(world.writes).toEqual([WRITE]);
    expect(world.isRunning(10001)).toBe(false);
  });

  test('a VLAN on a bridge that is not aware of them', async () => {
    const nic = { net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr7,tag=5' };
    const world = new PveWorld({
      ...onPve1({ bridges: ['vmbr7'] }),
      guests: [vm(10001, 'pve1', { config: nic })],
      pools: [OURS],
    });
    await expect(apply(world, 'vm.start', payload)).rejects.toMatchObject({
      code: 'TASK_FAILED',
      hint: expect.stringContaining("no physical interface on bridge 'vmbr7'") as string,
    });
    expect(world.isRunning(10001)).toBe(false);
  });

  describe.each(VERSIONS)('PVE %s: a disk that NFS does not show to the node yet', (version) => {
    const onPve2 = { ...payload, node: 'pve2' };
    const START_THERE = ['POST', '/nodes/pve2/qemu/10001/status/start'] as const;
    const unseen = "volume 'nfs:100/base-100-disk-0.qcow2/10001/vm-10001-disk-0.qcow2' does not exist";

    async function cloned(cache_s: number): Promise<PveWorld> {
      const storages = [{ id: 'nfs', type: 'nfs', cache_s } as const];
      const world = new PveWorld({ version, storages, templates, pools: [OURS] });
      const clone = { node: 'pve1', target: 'pve2', templateVmid: 100, vmid: 10001, name: 'pc', full: false };
      const upid = await world.drive(world.admin.cloneVm({ ...clone, description: VM_MARK }));
      await world.drive(createTaskWaiter(world.admin, world.clock).wait(upid));
      return world;
    }

    test('one more try', async () => {
      const world = await cloned(30);
      const applied = await apply(world, 'vm.start', onPve2);
      expect([applied.outcome, world.isRunning(10001)]).toEqual(['done', true]);
      expect(count(world, START_THERE.join(' '))).toBe(2);
    });

    test('and no more: what is not there then is lost', async () => {
      const world = await cloned(3600);
      const begun = world.clock.now();
      await expect(apply(world, 'vm.start', onPve2)).rejects.toThrow(unseen);
      expect(count(world, START_THERE.join(' '))).toBe(2);
      expect(world.since(begun)).toBeLessThan(60);
    });
  });
});
