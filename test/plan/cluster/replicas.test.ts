import { describe, expect, test } from 'vitest';
import type { Machine, TemplateRef } from '../../../src/lib/config/types.ts';
import { PlanRefusedError } from '../../../src/lib/errors.ts';
import type { Inventory, StorageInfo, VmConfig } from '../../../src/lib/inventory/types.ts';
import { viewOf } from '../../../src/lib/plan/cluster/view.ts';
import { formatVmMark, parseVmMark } from '../../../src/lib/marks/vm.ts';
import {
  formatReplicaMark,
  formatReplicaPool,
  parseReplicaMark,
  parseReplicaPool,
  REPLICA_POOL,
  sealReplicaPool,
  withReplicaSeal,
  type ReplicaClaim,
} from '../../../src/lib/marks/replica.ts';
import { sealHash } from '../../../src/lib/marks/seal.ts';
import { sayObstacle } from '../../../src/lib/plan/obstacles/obstacle-text.ts';
import { replicaNeed } from '../../../src/lib/plan/templates/replica-needs.ts';
import { planReplicate } from '../../../src/lib/plan/templates/replicate.ts';
import { planAgain } from '../../../src/lib/plan/saved/plan-again.ts';
import { toTemplate } from '../../../src/lib/plan/cluster/templates.ts';
import { planPrune, unneededReplicas } from '../../../src/lib/plan/templates/prune.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import type { StepOf } from '../../../src/lib/plan/document/step.ts';
import { claimOf, guest, have, ids, lab, machine, plan, real, template, user } from '../builders.ts';

const GIB = 2 ** 30;
const OLD = '2026-11-01T00:00:00Z';
const anna = user('anna');
const boris = user('boris');

function storage(node: string, name: string, type: string, more: Partial<StorageInfo> = {}): StorageInfo {
  return {
    node,
    storage: name,
    type,
    shared: false,
    active: true,
    content: ['images'],
    total: 900 * GIB,
    used: 0,
    ...more,
  };
}

const claim = (more: Partial<ReplicaClaim> = {}): ReplicaClaim => ({
  source: 101,
  node: 'pve2',
  vmid: 900,
  state: 'made',
  seals: [],
  since: OLD,
  ...more,
});

interface Copy {
  readonly claim?: Partial<ReplicaClaim>;
  /** Of the source when it was made; absent: as it is now. */
  readonly digest?: string;
  /** Null: nothing is there. */
  readonly values?: Readonly<Record<string, string>> | null;
  readonly node?: string;
  readonly lock?: string;
  /** Of a reserved one; absent: the one that its claim speaks of. */
  readonly seal?: string;
}

const SEAL = 'ab'.repeat(16);

/** Not joined yet. */
const reserved: Partial<ReplicaClaim> = { state: 'reserved', seals: [sealHash(SEAL, 900)] };

/** A snapshot in which template 101 is on local storage of pve1, with these copies. */
function world(copies: readonly Copy[], more: Partial<Inventory> = {}, type = 'zfspool'): Inventory {
  const base = have();
  const claims = copies.map((copy) => claim(copy.claim));
  const guests = [...base.guests, ...(more.guests ?? [])];
  const vms: VmConfig[] = [...(more.vms ?? [])];
  copies.forEach((copy, at) => {
    const { vmid, node: home } = claims[at]!;
    if (copy.values === null) return;
    const node = copy.node ?? home;
    const isReserved = claims[at]!.state === 'reserved';
    const own = isReserved ? {} : { pool: REPLICA_POOL };
    guests.push(guest(vmid, { node, template: true, status: 'stopped', name: `replica-${vmid}`, ...own }));
    const mark = { source: 101, digest: copy.digest ?? 'digest-101', vmid };
    const description = formatReplicaMark(isReserved ? { ...mark, seal: copy.seal ?? SEAL } : mark);
    vms.push({
      vmid,
      node,
      digest: `copy-${vmid}`,
      values: { description, template: '1', scsi0: `local-zfs:base-${vmid}-disk-0,size=8G`, ...copy.values },
    });
  });
  return {
    ...base,
    storages: [...base.storages, ...['pve1', 'pve2'].map((node) => storage(node, 'local-zfs', type))],
    templates: [template(100), template(101, 'local-zfs')],
    pools:
      copies.length === 0
        ? []
        : [{ pool: REPLICA_POOL, comment: formatReplicaPool({ claims, others: ['hands off'] }) }],
    ...more,
    guests,
    vms,
  };
}

const pc = lab([machine('pc', [real('vmbr0')])]);
const onPve2 = lab([machine('pc', [real('vmbr0')])], {
  placement: { strategy: 'balanced', nodes: ['pve2'], exclude: [] },
});

function stepOf<K extends Plan['steps'][number]['kind']>(result: Plan, kind: K): StepOf<K> | undefined {
  return result.steps.find((step) => step.kind === kind) as unknown as StepOf<K> | undefined;
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof PlanRefusedError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('marks', () => {
  test('pool and notes read back as they were written', () => {
    const claims = [
      claim(),
      claim({ vmid: 901, node: 'pve3', state: 'reserved', seals: ['', sealHash(SEAL, 901)] }),
      claim({ vmid: 902, state: 'unstated' }),
      claim({ vmid: 903, state: 'reserved', seals: [sealHash(SEAL, 903)], joinsAtOnce: true }),
    ];
    const pool = { claims, others: ['hands off'] };
    expect(parseReplicaPool(formatReplicaPool(pool))).toEqual(pool);
    const mark = { source: 101, digest: 'abc', vmid: 900 };
    for (const one of [mark, { ...mark, seal: SEAL }])
      expect(parseReplicaMark(`note\n${formatReplicaMark(one)}`)).toEqual(one);
    expect(parseReplicaMark(withReplicaSeal(formatReplicaMark(mark), SEAL))).toEqual({ ...mark, seal: SEAL });
    const sealed = sealReplicaPool(formatReplicaPool(pool), (vmid) => sealHash('cd'.repeat(16), vmid));
    expect(parseReplicaPool(sealed).claims[1]?.seals).toEqual([
      sealHash('cd'.repeat(16), 901),
      sealHash(SEAL, 901),
    ]);
    const vm = { lab: 'net', user: 'anna@pve', machine: 'pc', vmid: 10000, base: 900, spec: 'x.y' };
    expect(parseVmMark(formatVmMark(vm))).toEqual(vm);
  });

  test.each([
    '',
    'source=101 vmid=900 node=pve2 since=x',
    'deploy-stand user=anna@pve\nsource=101 vmid=900 node=a since=x',
  ])('a pool without the header claims nothing: %j', (comment) =>
    expect(parseReplicaPool(comment).claims).toEqual([]),
  );

  test.each([
    'source=1 vmid=900 node=a since=x',
    'source=101 vmid=1e3 node=a since=x',
    'source=101 vmid=900 since=x',
    'source=101 vmid=900?xyz node=a since=x',
  ])('a line that says too little is kept, and claims nothing: %s', (line) =>
    expect(parseReplicaPool(`deploy-stand replicas\n${line}`)).toEqual({ claims: [], others: [line] }),
  );
});

describe('what a copy needs', () => {
  const source = (values: Readonly<Record<string, string>>) =>
    toTemplate({ vmid: 101, node: 'pve1', digest: 'd', values: { template: '1', ...values } });
  const zfs = { scsi0: 'zfs:base-101-disk-0,size=8G' };
  const both = (name: string, type: string, more: Partial<StorageInfo> = {}) =>
    ['pve1', 'pve2'].map((node) => storage(node, name, type, more));
  const places = (rows: readonly StorageInfo[]) => {
    const storages = new Map(rows.map((row) => [`${row.node}/${row.storage}`, row]));
    return { storages, hosts: { ...viewOf(world([])).hosts, storages } };
  };

  test.each([
    {
      name: 'the same storage there',
      rows: both('zfs', 'zfspool'),
      values: zfs,
      need: { home: 'pve2', eject: [] },
    },
    {
      name: 'an image goes out of its drive, a cloud-init drive goes along',
      rows: [...both('zfs', 'zfspool'), ...both('local', 'dir', { content: ['iso'] })],
      values: { ...zfs, ide2: 'zfs:vm-101-cloudinit,media=cdrom', ide3: 'local:iso/a.iso,media=cdrom' },
      need: { home: 'pve2', eject: ['ide3'] },
    },
    {
      name: 'all but the image shared: one copy beside the template',
      rows: [...both('zfs', 'nfs', { shared: true }), ...both('local', 'dir', { content: ['iso'] })],
      values: { ...zfs, ide3: 'local:iso/a.iso,media=cdrom' },
      need: { home: 'pve1', eject: ['ide3'] },
    },
    {
      name: 'unless the lab wants the disks on a local storage',
      rows: [...both('zfs', 'nfs', { shared: true }), ...both('mine', 'lvmthin')],
      values: zfs,
      machine: { fullClone: true, storage: 'mine' },
      need: { home: 'pve2', eject: [] },
    },
    {
      name: 'no such storage there: the fullest of those that both have and that holds it',
      rows: [
        storage('pve1', 'zfs', 'zfspool'),
        ...both('roomy', 'lvmthin'),
        ...both('fitting', 'dir', { used: 880 * GIB }),
        ...both('full', 'dir', { used: 895 * GIB }),
        ...both('thick', 'lvm', { used: 885 * GIB }),
        ...both('iso', 'dir', { content: ['iso'], used: 885 * GIB }),
      ],
      values: zfs,
      need: { home: 'pve2', eject: [], storage: 'fitting' },
    },
    {
      name: 'none in common: one of the same kind there',
      rows: [
        storage('pve1', 'zfs', 'zfspool'),
        storage('pve2', 'tank', 'zfspool'),
        storage('pve2', 'thin', 'lvmthin', { used: 800 * GIB }),
      ],
      values: zfs,
      need: { home: 'pve2', eject: [], targetStorage: 'tank' },
    },
  ])('$name', ({ rows, values, need, machine: more = {} }) => {
    const found = source(values);
    const given = replicaNeed(machine('pc', [], more), found, 'pve2', places(rows));
    expect(given).toEqual({ source: found, ...need });
  });

  test.each([
    {
      name: 'no storage',
      rows: [storage('pve1', 'zfs', 'zfspool'), storage('pve2', 'thin', 'lvmthin')],
      values: zfs,
      text: 'template 101 is on zfs of pve1, and pve2 has no storage for VM images that a copy of it could go to',
    },
    {
      name: 'a device of the host',
      rows: both('zfs', 'zfspool'),
      values: { ...zfs, hostpci0: '0000:01:00', usb0: 'spice', serial0: 'socket' },
      text: 'template 101 uses hostpci0 of pve1',
    },
    {
      name: 'nothing but an image',
      rows: both('local', 'dir'),
      values: { ide2: 'local:iso/a.iso,media=cdrom' },
      text: 'has no disk, only an image',
    },
  ])('refused: $name', ({ rows, values, text }) => {
    const found = replicaNeed(machine('pc', []), source(values), 'pve2', places(rows));
    expect('code' in found && sayObstacle(found, 'pve2')).toContain(text);
  });
});

const OLD_CLAIM: Partial<ReplicaClaim> = { state: 'unstated' };

describe('deploy', () => {
  const WHOLE = [
    'pool.update',
    ...['clone', 'configure', 'migrate', 'convert', 'join'].map((word) => `template.${word}`),
  ];

  test('makes a copy once for all stands of a node, claimed first, and clones after it', () => {
    const result = plan(onPve2, [anna, boris], world([]));
    expect(ids(result).filter((id) => id.includes('template.') || id.includes(REPLICA_POOL))).toEqual([
      `pool.create:${REPLICA_POOL}`,
      `pool.update:${REPLICA_POOL}`,
      'template.clone:101@pve2',
      'template.configure:101@pve2',
      'template.migrate:101@pve2',
      'template.convert:101@pve2',
      'template.join:101@pve2',
    ]);
    expect(stepOf(result, 'pool.update')).toMatchObject({
      comment: 'deploy-stand replicas\nsource=101 vmid=10999? node=pve2 since=2026-11-21T08:00:00Z',
    });
    const clones = result.steps.filter((step) => step.kind === 'vm.clone');
    expect(clones.map(({ dependsOn }) => dependsOn)).toEqual([
      ['pool.create:anna', 'template.join:101@pve2'],
      ['pool.create:boris', 'template.join:101@pve2'],
    ]);
    expect(clones[0]).toMatchObject({ node: 'pve2', target: 'pve2', templateVmid: 10999 });
    expect(parseVmMark(clones[0]!.description)?.base).toBe(10999);
    expect(parseVmMark(stepOf(result, 'vm.configure')!.description)?.base).toBe(10999);
  });

  test('where its seal could be forged, it is made in the pool of all copies, and only a member is one', () => {
    const risk = {
      sealReaders: ['metrics@pve has PVEAuditor on /'],
      poolWriters: [{ path: '/pool/boss', propagate: true, says: 'boss@pve has PVEPoolAdmin on /pool/boss' }],
    };
    const result = plan(onPve2, [anna], world([], risk));
    expect(stepOf(result, 'template.clone')).toMatchObject({ joinsAtOnce: true });
    expect(stepOf(result, 'pool.update')?.comment).toMatch(/ vmid=\d+\? .* clones=pool$/m);
    expect(result.warnings.some((text) => text.includes('clones are made in their pools'))).toBe(true);
    const copy = { claim: { ...reserved, joinsAtOnce: true as const }, values: {} };
    const outside = world([copy], risk);
    // Not taken for the copy: its clone is begun, and looks what stands there.
    expect(viewOf(outside).replicas[0]?.state).toBe('open');
    const guests = outside.guests.map((one) => (one.vmid === 900 ? { ...one, pool: REPLICA_POOL } : one));
    expect(viewOf({ ...outside, guests }).replicas[0]?.state).toBe('unfinished');
  });

  test('the order of users and of the inventory does not matter', () => {
    const snapshot = world([{ digest: 'older' }]);
    const shuffled = {
      ...snapshot,
      guests: snapshot.guests.toReversed(),
      vms: snapshot.vms.toReversed(),
      nodes: snapshot.nodes.toReversed(),
      storages: snapshot.storages.toReversed(),
      templates: snapshot.templates.toReversed(),
    };
    expect(plan(pc, [boris, anna], shuffled)).toEqual(plan(pc, [anna, boris], snapshot));
  });

  test.each<{ name: string; copy: Copy; steps: string[]; from: number }>([
    { name: 'a fresh copy is cloned as it is', copy: {}, steps: [], from: 900 },
    {
      name: 'a copy of the template as it was is left, and a new one made',
      copy: { digest: 'older' },
      steps: WHOLE,
      from: 10999,
    },
    {
      name: 'one that was only claimed is made under its number',
      copy: { claim: reserved, values: null },
      steps: WHOLE,
      from: 900,
    },
    { name: 'one that is gone is made again', copy: { values: null }, steps: WHOLE, from: 900 },
    {
      name: 'one that was begun for the template as it was is left, and a new one made',
      copy: { claim: reserved, digest: 'older', values: { template: '0' } },
      steps: WHOLE,
      from: 10999,
    },
    {
      name: 'one whose clone is under way is waited for under its number',
      copy: { claim: reserved, values: { lock: 'clone', description: '' } },
      steps: WHOLE,
      from: 900,
    },
    {
      name: 'one that was copied goes on from there',
      copy: { claim: reserved, node: 'pve1', values: { template: '0' } },
      steps: ['template.configure', 'template.migrate', 'template.convert', 'template.join'],
      from: 900,
    },
    {
      name: 'one that was moved is converted',
      copy: { claim: reserved, values: { template: '0' } },
      steps: ['template.configure', 'template.convert', 'template.join'],
      from: 900,
    },
    {
      name: 'one that was converted joins the others',
      copy: { claim: reserved },
      steps: ['template.convert', 'template.join'],
      from: 900,
    },
    {
      name: 'a member that lost its mark is nobody knows what copy',
      copy: { values: { description: '' } },
      steps: WHOLE,
      from: 10999,
    },
    {
      name: 'a template of somebody else at its number, notes and all but the seal, is left alone',
      copy: { claim: reserved, seal: 'cd'.repeat(16) },
      steps: WHOLE,
      from: 10999,
    },
    { name: 'one of 0.1.0 that is finished is ours', copy: { claim: OLD_CLAIM }, steps: [], from: 900 },
    {
      name: "one of 0.1.0 that is no template may be anybody's",
      copy: { claim: OLD_CLAIM, values: { template: '0' } },
      steps: WHOLE,
      from: 10999,
    },
    {
      name: 'a number that 0.1.0 claimed and nothing stands at is used',
      copy: { claim: OLD_CLAIM, values: null },
      steps: WHOLE,
      from: 900,
    },
    {
      name: 'a finished one that somebody moved is of no use here',
      copy: { node: 'pve1' },
      steps: WHOLE,
      from: 10999,
    },
  ])('$name', ({ copy, steps, from }) => {
    const result = plan(onPve2, [anna], world([copy]));
    const own = result.steps.filter((step) => step.user === undefined && step.kind !== 'network.reload');
    expect(own.map(({ kind }) => kind)).toEqual(steps);
    expect(stepOf(result, 'vm.clone')?.templateVmid).toBe(from);
  });

  test('a saved plan that clones a copy holds only while the copy is as it was', () => {
    const snapshot = world([{}]);
    const saved = plan(onPve2, [anna], snapshot);
    const again = (cluster: Inventory) =>
      planAgain(saved, {
        lab: onPve2,
        users: [anna],
        have: cluster,
        options: { adopt: false, updateRunning: false },
      });
    expect(again(snapshot).steps).toEqual(saved.steps);
    expect(() => again(world([]))).toThrow(/template\.clone:101@pve2 is needed and not in the plan/);
  });

  test('a pool of that name that is not ours refuses the stands that need a copy', () => {
    const snapshot = { ...world([]), pools: [{ pool: REPLICA_POOL, comment: 'backups' }] };
    expect(refusal(() => plan(onPve2, [anna], snapshot))).toContain(
      `pool ${REPLICA_POOL} exists, but its comment is not ours`,
    );
  });

  test('placement.movable warns of linked clones that PVE can never move', () => {
    const movable = lab([machine('pc', [real('vmbr0')])], {
      placement: { strategy: 'balanced', exclude: [], movable: true },
    });
    expect(plan(movable, [anna], world([])).warnings).toEqual([
      'placement.movable: machine pc is a linked clone on local-zfs (zfspool), which PVE can never move to another node; set full_clone: true',
    ]);
    expect(plan(movable, [anna], world([], {}, 'lvmthin')).warnings).toEqual([]);
    expect(plan(pc, [anna], world([])).warnings).toEqual([]);
  });

  test('a full clone goes to a local storage of its node through a copy there', () => {
    const want = lab([machine('pc', [real('vmbr0')], { fullClone: true, storage: 'local-lvm' })], {
      placement: onPve2.placement,
    });
    const result = plan(want, [anna]);
    expect(stepOf(result, 'template.migrate')).toMatchObject({ node: 'pve1', home: 'pve2', locks: [] });
    expect(stepOf(result, 'vm.clone')).toMatchObject({
      node: 'pve2',
      storage: 'local-lvm',
      locks: ['pve2:local-lvm'],
    });
    expect(parseVmMark(stepOf(result, 'vm.clone')!.description)?.base).toBeUndefined();
  });
});

describe('templates by name and tag', () => {
  const twins = (storageOf: string, more: Partial<Inventory> = {}): Inventory => {
    const snapshot = world([], more);
    const twin = guest(102, {
      name: 'tpl-101',
      template: true,
      node: 'pve2',
      status: 'stopped',
      tags: ['golden'],
    });
    return {
      ...snapshot,
      guests: [
        ...snapshot.guests.map((one) => (one.vmid === 101 ? { ...one, tags: ['golden'] } : one)),
        twin,
      ],
      templates: [
        template(101, storageOf),
        { ...template(102, storageOf, { name: 'tpl-101' }), node: 'pve2' },
      ],
    };
  };
  const wanting = (ref: TemplateRef, more: Partial<Machine> = {}) =>
    lab([machine('pc', [real('vmbr0')], { template: ref, ...more })]);
  const sources = (result: Plan) =>
    result.steps.flatMap((step) => (step.kind === 'vm.clone' ? [`${step.templateVmid}>${step.target}`] : []));

  test.each<TemplateRef>([
    { by: 'name', name: 'tpl-101' },
    { by: 'tag', tag: 'golden' },
  ])('each node uses its own: $by', (ref) => {
    expect(sources(plan(wanting(ref), [anna, boris], twins('local-zfs')))).toEqual(['101>pve1', '102>pve2']);
    expect(sources(plan(wanting({ ...ref, node: 'pve1' }), [anna, boris], twins('ceph')))).toEqual([
      '101>pve1',
      '101>pve2',
    ]);
  });

  test('else one on shared storage, else the node is left out and says which there are', () => {
    const three = (snapshot: Inventory): Inventory => ({
      ...snapshot,
      nodes: [...snapshot.nodes, { ...snapshot.nodes[0]!, name: 'pve3' }],
      networks: [...snapshot.networks, { ...snapshot.networks[0]!, node: 'pve3' }],
      storages: [
        ...snapshot.storages,
        { ...snapshot.storages[0]!, node: 'pve3', storage: 'ceph' },
        storage('pve3', 'local-zfs', 'zfspool'),
      ],
    });
    const want = {
      ...wanting({ by: 'name', name: 'tpl-101' }),
      placement: { strategy: 'specific' as const, node: 'pve3', exclude: [] },
    };
    expect(sources(plan(want, [anna], three(twins('ceph'))))).toEqual(['101>pve3']);
    expect(refusal(() => plan(want, [anna], three(twins('local-zfs'))))).toContain(
      'templates called "tpl-101" (101 on pve1, 102 on pve2): none can be cloned onto pve3',
    );
  });

  test('a stand from either of them is what the lab says', () => {
    const snapshot = twins('local-zfs');
    const want = wanting({ by: 'tag', tag: 'golden' });
    const first = plan(want, [anna, boris], snapshot);
    const specs = first.steps.flatMap((step) => (step.kind === 'vm.configure' ? [step] : []));
    const made: Inventory = {
      ...snapshot,
      guests: [
        ...snapshot.guests,
        ...specs.map(({ vmid, node, user: who }) =>
          guest(vmid, { node, name: 'pc', status: 'stopped', pool: who!.split('@')[0]! }),
        ),
      ],
      vms: specs.map(({ vmid, node, description }) => ({
        vmid,
        node,
        digest: 'd',
        values: {
          ...{ name: 'pc', description, net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0' },
          scsi0: `local-zfs:vm-${vmid}-disk-0,size=8G`,
        },
      })),
      pools: [
        { pool: 'anna', comment: claimOf('anna@pve', [10000]) },
        { pool: 'boris', comment: claimOf('boris@pve', [10001]) },
      ],
    };
    expect(plan(want, [anna, boris], made).stands.flatMap(({ notes }) => notes)).toEqual([]);
  });

  test('our copies are no candidates, by tag or by number', () => {
    const snapshot = world([{}]);
    const tagged = { ...snapshot, guests: snapshot.guests.map((one) => ({ ...one, tags: ['golden'] })) };
    const only = {
      ...tagged,
      templates: tagged.templates.slice(1),
      guests: tagged.guests.filter(({ vmid }) => vmid !== 100),
    };
    expect(sources(plan(wanting({ by: 'tag', tag: 'golden' }), [anna], only))).toEqual(['101>pve1']);
    expect(refusal(() => plan(wanting({ by: 'vmid', vmid: 900 }), [anna], snapshot))).toContain(
      'lab.yml:3 machine pc: 900 on pve2 is a replica',
    );
    expect(refusal(() => plan(wanting({ by: 'tag', tag: 'none' }), [anna], snapshot))).toContain(
      'no template has the tag "none"',
    );
  });
});

describe('templates replicate', () => {
  const replicate = (snapshot: Inventory, nodes?: readonly string[], want = pc) =>
    planReplicate({ lab: want, have: snapshot, nodes });

  test('plans what a deploy would, for the nodes asked for, and nothing for a template on shared storage', () => {
    expect(ids(replicate(world([])))).toEqual([
      `pool.create:${REPLICA_POOL}`,
      `pool.update:${REPLICA_POOL}`,
      'template.clone:101@pve2',
      'template.configure:101@pve2',
      'template.migrate:101@pve2',
      'template.convert:101@pve2',
      'template.join:101@pve2',
    ]);
    expect(ids(replicate(world([]), ['pve1']))).toEqual([]);
    expect(ids(replicate(have()))).toEqual([]);
    expect(ids(replicate(world([{}])))).toEqual([]);
  });

  test('a node that cannot have a copy says why, the others go on', () => {
    const snapshot = world([]);
    const bare = {
      ...snapshot,
      storages: snapshot.storages.filter(({ node, storage: name }) => node === 'pve1' || name === 'ceph'),
    };
    const local = { ...bare, storages: bare.storages.filter(({ storage: name }) => name !== 'ceph') };
    expect(replicate(local).nodes).toMatchObject([
      { node: 'pve1' },
      { node: 'pve2', refused: { code: 'NO_CLONE' } },
    ]);
    const off = {
      ...snapshot,
      nodes: snapshot.nodes.map((one) => ({ ...one, online: one.name === 'pve1' })),
    };
    expect(replicate(off).nodes).toMatchObject([
      { node: 'pve1' },
      { node: 'pve2', notes: ['node pve2 is offline'] },
    ]);
    expect(replicate(off, ['pve2']).nodes).toMatchObject([
      { node: 'pve2', refused: { code: 'NODE_OFFLINE' } },
    ]);
    expect(refusal(() => replicate(snapshot, ['pve9']))).toContain('the cluster has no node pve9');
  });
});

describe('templates prune', () => {
  const prune = (snapshot: Inventory, minAgeSeconds = 7200) =>
    planPrune({ have: snapshot, minAgeSeconds, nodes: undefined });
  const student = (values: Readonly<Record<string, string>>): Partial<Inventory> => ({
    guests: [guest(10000, { node: 'pve2', pool: 'anna' })],
    vms: [{ vmid: 10000, node: 'pve2', digest: 'd', values }],
  });
  const withStudent = (copy: Copy, values: Readonly<Record<string, string>>, type?: string): Inventory => {
    const snapshot = world([copy], student(values), type);
    return {
      ...snapshot,
      pools: [...snapshot.pools, { pool: 'anna', comment: claimOf('anna@pve', [10000]) }],
    };
  };
  const mark = (base?: number) =>
    formatVmMark({
      lab: 'net',
      user: 'anna@pve',
      machine: 'pc',
      vmid: 10000,
      ...(base === undefined ? {} : { base }),
    });

  test.each<{ name: string; snapshot: Inventory; goes: boolean }>([
    { name: 'nobody needs it', snapshot: world([{}]), goes: true },
    { name: 'stale', snapshot: world([{ digest: 'older' }]), goes: true },
    { name: 'never finished', snapshot: world([{ values: { template: '0' } }]), goes: true },
    { name: 'young', snapshot: world([{ claim: { since: '2026-11-21T07:00:00Z' } }]), goes: false },
    { name: 'a member without its mark', snapshot: world([{ values: { description: '' } }]), goes: true },
    { name: 'never joined', snapshot: world([{ claim: reserved }]), goes: true },
    {
      name: "of 0.1.0 and never finished: it may be anybody's",
      snapshot: world([{ claim: OLD_CLAIM, values: { template: '0' } }]),
      goes: false,
    },
    {
      name: 'a task is at work',
      snapshot: world([{}], { tasks: [{ node: 'pve2', type: 'qmclone', id: '900' }] }),
      goes: false,
    },
    {
      name: 'a linked clone, stale or not',
      snapshot: withStudent({ digest: 'older' }, { scsi0: 'local-zfs:base-900-disk-0/vm-10000-disk-0' }),
      goes: false,
    },
    {
      name: 'a clone of something else on zfs',
      snapshot: withStudent({}, { scsi0: 'local-zfs:base-101-disk-0/vm-10000-disk-0', description: '' }),
      goes: true,
    },
    {
      name: 'lvmthin: the mark says it',
      snapshot: withStudent({}, { scsi0: 'local-zfs:vm-10000-disk-0', description: mark(900) }, 'lvmthin'),
      goes: false,
    },
    {
      name: 'lvmthin: the mark says otherwise',
      snapshot: withStudent({}, { scsi0: 'local-zfs:vm-10000-disk-0', description: mark() }, 'lvmthin'),
      goes: true,
    },
    {
      name: 'lvmthin: the mark is lost',
      snapshot: withStudent({}, { scsi0: 'local-zfs:vm-10000-disk-0', description: 'mine' }, 'lvmthin'),
      goes: false,
    },
  ])('$name', ({ snapshot, goes }) => {
    const result = prune(snapshot);
    expect(ids(result)).toEqual(goes ? ['vm.delete:900', `pool.release:${REPLICA_POOL}`] : []);
    if (goes) {
      expect(stepOf(result, 'pool.release')).toMatchObject({
        comment: 'hands off\ndeploy-stand replicas',
        removeVmids: [],
      });
    } else {
      expect(result.nodes[0]?.notes[0]).toContain('replica 900 of template 101 stays: ');
    }
    const index = viewOf(snapshot);
    expect(unneededReplicas(snapshot, index, 7200)).toHaveLength(goes ? 1 : 0);
  });

  test('the claim of a number that somebody else took is given back, and nothing is removed', () => {
    const snapshot = world([{ claim: reserved, seal: 'cd'.repeat(16) }]);
    for (const releaseOnly of [false, true]) {
      const result = planPrune({ have: snapshot, minAgeSeconds: 0, nodes: undefined, releaseOnly });
      expect(ids(result)).toEqual([`pool.release:${REPLICA_POOL}`]);
    }
  });

  test('a claim without a VM is given back; the second look plans no removals', () => {
    const snapshot = world([{ claim: OLD_CLAIM, values: null }, { claim: { vmid: 901, node: 'pve1' } }]);
    const result = planPrune({ have: snapshot, minAgeSeconds: 0, nodes: undefined, releaseOnly: true });
    expect(result.steps).toMatchObject([
      { kind: 'pool.release', removeVmids: [900], comment: expect.stringContaining('vmid=901') as string },
    ]);
    const alone = { ...world([]), pools: [{ pool: REPLICA_POOL, comment: 'deploy-stand replicas' }] };
    expect(ids(prune(alone))).toEqual([`pool.delete:${REPLICA_POOL}`]);
    expect(ids(prune({ ...alone, pools: [{ pool: REPLICA_POOL, comment: 'backups' }] }))).toEqual([]);
  });
});

describe('a confined caller', () => {
  const rights = { '/pool': { 'VM.Allocate': true } };
  const why =
    'a copy of the template has to be made first, which takes VM.Allocate on /vms: somebody who has it runs `deploy-stand templates replicate` first';

  test('makes no replica: those nodes take no stand, and the plan says so', () => {
    const some = plan(pc, [anna, boris], world([], { rights }));
    expect(some.stands.map(({ node }) => node)).toEqual(['pve1', 'pve1']);
    expect(some.warnings).toContain(`no stand goes to pve2: machine pc: ${why}`);
    expect(refusal(() => plan(onPve2, [anna], world([], { rights })))).toContain(`machine pc: ${why}`);
    const replicate = planReplicate({ lab: pc, have: world([], { rights }), nodes: ['pve2'] });
    expect([replicate.steps, replicate.nodes[0]?.refused?.message]).toEqual([
      [],
      expect.stringContaining(why),
    ]);
  });

  test('uses one that is there', () => {
    const result = plan(onPve2, [anna], world([{}], { rights }));
    expect(stepOf(result, 'vm.clone')).toMatchObject({ templateVmid: 900, pool: 'anna' });
  });
});
