import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STUDENT_ROLE } from '../../../src/lib/marks/role.ts';
import { PlanRefusedError } from '../../../src/lib/errors.ts';
import { assertSound } from '../../../src/lib/plan/document/graph.ts';
import type { Lab, Machine, Network } from '../../../src/lib/config/types.ts';
import type { BridgeInfo, GuestInfo, Inventory } from '../../../src/lib/inventory/types.ts';
import { renderPlan } from '../../../src/lib/render/plan-text.ts';
import { sealHash } from '../../../src/lib/marks/seal.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import type { StepOf } from '../../../src/lib/plan/document/step.ts';
import {
  alias,
  applied,
  bridge,
  claimOf,
  guest,
  have,
  ids,
  lab,
  machine,
  ownVm,
  plan,
  real,
  reserved,
  router,
  sealOf,
  standOf,
  template,
  user,
} from '../builders.ts';
import { runs } from '../../runs.ts';

const pc = lab([machine('pc', [real('vmbr0')])]);
const routed = lab([router('eco', [real('vmbr0'), alias('lan')]), machine('host', [alias('lan')])]);
const anna = user('anna');
const boris = user('boris');

function refusal(act: () => unknown): PlanRefusedError {
  try {
    act();
  } catch (error) {
    if (error instanceof PlanRefusedError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function stepsOf<K extends Plan['steps'][number]['kind']>(result: Plan, kind: K): StepOf<K>[] {
  return result.steps.filter((step) => step.kind === kind) as unknown as StepOf<K>[];
}

/** A deploy from nothing, then the snapshot it leaves. */
function deployed(want = routed, users = [anna, boris]): Inventory {
  return applied(want, plan(want, users));
}

describe('a new class', () => {
  test('gets claims first, then bridges, one reload per node, then the work stand by stand', () => {
    const result = plan(routed, [boris, anna]);
    expect(ids(result)).toEqual([
      'pool.create:anna',
      'pool.create:boris',
      'bridge.create:pve1/vmbr1000',
      'bridge.create:pve2/vmbr1001',
      'network.reload:pve1',
      'network.reload:pve2',
      'user.create:anna@pve',
      'vm.clone:anna/eco',
      'vm.configure:anna/eco',
      'vm.clone:anna/host',
      'vm.configure:anna/host',
      'pool.join:anna',
      'acl.grant:anna',
      'user.create:boris@pve',
      'vm.clone:boris/eco',
      'vm.configure:boris/eco',
      'vm.clone:boris/host',
      'vm.configure:boris/host',
      'pool.join:boris',
      'acl.grant:boris',
    ]);
  });

  test('reloads a network when all its edits have ended, those that failed included', () => {
    const [reload] = stepsOf(plan(routed, [anna, boris, user('vera')]), 'network.reload');
    expect(reload).toMatchObject({
      dependsOn: [],
      after: ['bridge.create:pve1/vmbr1000', 'bridge.create:pve1/vmbr1002'],
    });
  });

  test('gets no bridge that a template names, though no node has it', () => {
    const templates = [
      template(100),
      template(101, 'ceph', { net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr1000' }),
    ];
    const result = plan(routed, [anna], have({ templates }));
    expect(stepsOf(result, 'bridge.create').map((step) => step.bridge)).toEqual(['vmbr1001']);
  });

  test('reserves the VMIDs with the comment, in one step before the clones; joins once for the whole stand', () => {
    const result = plan(routed, [anna]);
    expect(stepsOf(result, 'pool.create')).toMatchObject([
      {
        pool: 'anna',
        // Hashes of seals are drawn while applying: the plan holds none.
        comment:
          'deploy-stand user=anna@pve\nlab=net vms=eco:10000?,host:10001? node=pve1 since=2026-11-21T08:00:00Z',
      },
    ]);
    const [clone] = stepsOf(result, 'vm.clone');
    expect(clone).toMatchObject({ dependsOn: ['pool.create:anna'], pool: 'anna' });
    expect(clone).not.toHaveProperty('joinsAtOnce');
    expect(stepsOf(result, 'pool.join')).toMatchObject([
      {
        pool: 'anna',
        lab: 'net',
        dependsOn: ['pool.create:anna'],
        // One machine that failed holds back no other.
        after: ['vm.configure:anna/eco', 'vm.configure:anna/host'],
        machines: [
          { machine: 'eco', vmid: 10000, madeBy: 'vm.configure:anna/eco' },
          { machine: 'host', vmid: 10001, madeBy: 'vm.configure:anna/host' },
        ],
      },
    ]);
    const [grant] = stepsOf(result, 'acl.grant');
    expect(grant?.dependsOn).toEqual([
      'pool.create:anna',
      'pool.join:anna',
      'user.create:anna@pve',
      'vm.configure:anna/eco',
      'vm.configure:anna/host',
    ]);
  });

  test('gives an ecorouter its management port and derived MACs, a linux machine virtio and the firewall', () => {
    const [eco, host] = stepsOf(plan(routed, [anna]), 'vm.configure');
    const suffix = (index: number) => {
      const hex = ((10000 * 32 + index) % 65536).toString(16).toUpperCase().padStart(4, '0');
      return `1C:87:76:40:${hex.slice(0, 2)}:${hex.slice(2)}`;
    };
    expect(eco?.nics).toEqual([
      { index: 0, model: 'vmxnet3', bridge: 'vmbr0', mac: suffix(0), linkDown: true },
      { index: 1, model: 'vmxnet3', bridge: 'vmbr0', mac: suffix(1) },
      { index: 2, model: 'vmxnet3', bridge: 'vmbr1000', mac: suffix(2) },
    ]);
    expect(host?.nics).toEqual([{ index: 0, model: 'virtio', bridge: 'vmbr1000', firewall: true }]);
    expect(host?.options).toMatchObject({ onboot: '0', protection: '0' });
    expect(host?.tags).toEqual(['deploy-stand', 'lab-net']);
  });

  test('makes a bridge VLAN-aware when a machine tags its network', () => {
    const want = lab([machine('a', [alias('hq'), alias('hq', { tag: 100 })])]);
    const [create] = stepsOf(plan(want, [anna]), 'bridge.create');
    expect(create).toMatchObject({ bridge: 'vmbr1000', vlanAware: true });
    const [configure] = stepsOf(plan(want, [anna]), 'vm.configure');
    expect(configure?.nics.map((nic) => [nic.bridge, nic.tag])).toEqual([
      ['vmbr1000', undefined],
      ['vmbr1000', 100],
    ]);
  });

  test('creates a reserved bridge once per node and only where it is missing', () => {
    const want = lab([machine('a', [reserved('vmbr100')])]);
    const snapshot = have();
    const networks = snapshot.networks.map((network) =>
      network.node === 'pve1' ? { ...network, bridges: [...network.bridges, bridge('vmbr100')] } : network,
    );
    const result = plan(want, [anna, boris, user('vera')], { ...snapshot, networks });
    expect(stepsOf(result, 'bridge.create').map((step) => [step.id, step.comment])).toEqual([
      ['bridge.create:pve2/vmbr100', 'deploy-stand bridge=vmbr100 reserved since=2026-11-21T08:00:00Z'],
    ]);
    expect(stepsOf(result, 'network.reload').map((step) => step.id)).toEqual(['network.reload:pve2']);
  });

  test('starts by start_order, after access, with its bridges up; clones wait for neither, cards for their bridges', () => {
    const want = lab([
      machine('late', [alias('lan')], { start: true }),
      machine('first', [alias('lan')], { start: true, startOrder: 1 }),
      machine('off', [alias('lan')]),
    ]);
    const result = plan(want, [anna]);
    const starts = stepsOf(result, 'vm.start');
    expect(starts.map((step) => step.id)).toEqual(['vm.start:anna/first', 'vm.start:anna/late']);
    expect(starts[0]).toMatchObject({
      dependsOn: [
        'bridge.create:pve1/vmbr1000',
        'network.reload:pve1',
        'pool.join:anna',
        'vm.configure:anna/first',
      ],
      after: ['acl.grant:anna'],
    });
    expect(starts[1]?.after).toEqual(['acl.grant:anna', 'vm.start:anna/first']);
    const waits = (step: StepOf<'vm.clone'> | StepOf<'vm.configure'>) =>
      [...step.dependsOn, ...step.after].filter((id) => /bridge|network/.test(id));
    expect(stepsOf(result, 'vm.clone').flatMap(waits)).toEqual([]);
    // Not for the reload. A number that is taken must not get into a configuration.
    for (const step of stepsOf(result, 'vm.configure'))
      expect(waits(step)).toEqual(['bridge.create:pve1/vmbr1000']);
  });

  test('takes the baseline snapshot before the student gets access', () => {
    const want = lab([machine('pc', [real('vmbr0')], { baselineSnapshot: 'baseline' })]);
    const result = plan(want, [anna]);
    const [grant] = stepsOf(result, 'acl.grant');
    expect(grant?.dependsOn).toContain('vm.snapshot:anna/pc');
    expect(stepsOf(result, 'vm.snapshot')[0]?.dependsOn).toEqual(['vm.configure:anna/pc']);
  });

  test('never writes a cloud-init password into the plan', () => {
    const want = lab([machine('pc', [], { cloudInit: { user: 'root', password: 'tops3cret' } })]);
    const result = plan(want, [anna]);
    expect(JSON.stringify(result)).not.toContain('tops3cret');
    expect(stepsOf(result, 'vm.configure')[0]).toMatchObject({
      secret: { machine: 'pc' },
      options: { ciuser: 'root' },
    });
  });

  test('lets a directory keep its passwords', () => {
    const result = plan(
      pc,
      [user('anna', { userid: 'anna@ad', realm: 'ad' })],
      have({ realms: { ad: 'ad', pve: 'pve' } }),
    );
    expect(stepsOf(result, 'user.create')[0]).toMatchObject({ password: 'directory' });
  });
});

describe('placement', () => {
  const users = ['u1', 'u2', 'u3', 'u4'].map((name) => user(name));
  const nodes = (result: Plan) => result.stands.map((stand) => stand.node);

  test('balanced spreads whole stands and counts those already there', () => {
    expect(nodes(plan(routed, users))).toEqual(['pve1', 'pve2', 'pve1', 'pve2']);
    const snapshot = have({ pools: [{ pool: 'x', comment: claimOf('x@pve', [900], 'other', 'pve1') }] });
    expect(nodes(plan(routed, users.slice(0, 3), snapshot))).toEqual(['pve2', 'pve1', 'pve2']);
  });

  test('a template on local storage does not keep the stands on its node', () => {
    const snapshot = have({ templates: [template(100, 'local-lvm'), template(101)] });
    expect(nodes(plan(routed, users, snapshot))).toEqual(['pve1', 'pve2', 'pve1', 'pve2']);
  });

  test.each([
    {
      name: 'nothing but an image on local storage',
      config: {
        ...template(101),
        values: { template: '1', ide2: 'local-lvm:iso/x.iso,media=cdrom' },
      },
      text: 'template 101 has no disk, only an image that pve1 has',
    },
    {
      name: 'thick LVM holds no linked clones',
      config: template(101, 'thick'),
      text: 'linked clones are impossible on thick (lvm); set full_clone: true',
    },
  ])('specific is refused with the reason: $name', ({ config, text }) => {
    const want = { ...pc, placement: { strategy: 'specific' as const, node: 'pve2', exclude: [] } };
    const error = refusal(() => plan(want, [anna], have({ templates: [config] })));
    expect(error.message).toContain(text);
  });

  test('offline and excluded nodes and nodes in maintenance take no new stand', () => {
    const snapshot = have();
    const resting = snapshot.nodes.map((node) =>
      node.name === 'pve2' ? { ...node, maintenance: true } : node,
    );
    expect(nodes(plan(pc, [anna, boris], { ...snapshot, nodes: resting }))).toEqual(['pve1', 'pve1']);
    const offline = snapshot.nodes.map((node) => (node.name === 'pve2' ? { ...node, online: false } : node));
    expect(nodes(plan(pc, [anna, boris], { ...snapshot, nodes: offline }))).toEqual(['pve1', 'pve1']);
    const excluding = { ...pc, placement: { strategy: 'balanced' as const, exclude: ['pve1'] } };
    expect(nodes(plan(excluding, [anna, boris]))).toEqual(['pve2', 'pve2']);
  });

  test('local follows the templates, and refuses to tear a stand with its own networks', () => {
    const snapshot = have({
      templates: [template(100), { ...template(101), node: 'pve2' }],
      guests: [guest(100, { template: true, node: 'pve1' }), guest(101, { template: true, node: 'pve2' })],
    });
    const local = { strategy: 'local' as const, exclude: [] };
    const flat = lab([router('eco', [real('vmbr0')]), machine('pc', [real('vmbr0')])], { placement: local });
    expect(stepsOf(plan(flat, [anna], snapshot), 'vm.clone').map((step) => [step.name, step.target])).toEqual(
      [
        ['eco', 'pve1'],
        ['pc', 'pve2'],
      ],
    );
    const error = refusal(() => plan({ ...routed, placement: local }, [anna], snapshot));
    expect(error.message).toContain('would spread each stand over pve1, pve2');
  });

  test('staged foreign network edits keep stands with own bridges off a node', () => {
    const snapshot = have();
    const row = { iface: 'vmbr7', change: 'added' as const, ours: false, text: '+iface vmbr7 inet manual\n' };
    const staged = (nodesWith: string[]) => ({
      ...snapshot,
      networks: snapshot.networks.map((network) =>
        nodesWith.includes(network.node) ? { ...network, pending: [row] } : network,
      ),
    });
    expect(nodes(plan(routed, [anna, boris], staged(['pve1'])))).toEqual(['pve2', 'pve2']);
    expect(nodes(plan(pc, [anna, boris], staged(['pve1', 'pve2'])))).toEqual(['pve1', 'pve2']);
    const error = refusal(() => plan(routed, [anna], staged(['pve1', 'pve2'])));
    expect(error.message).toContain('+iface vmbr7 inet manual');
  });
});

describe('running again', () => {
  test('an unchanged class gives an empty plan', () => {
    const result = plan(routed, [anna, boris], deployed());
    expect(ids(result)).toEqual([]);
    expect(result.stands.flatMap((stand) => stand.vms.map((vm) => vm.state))).toEqual([
      'complete',
      'complete',
      'complete',
      'complete',
    ]);
  });

  test('a new user gets only new objects', () => {
    const result = plan(routed, [anna, boris, user('clara')], deployed());
    expect(result.steps.every((step) => step.user === 'clara@pve' || step.kind === 'network.reload')).toBe(
      true,
    );
    expect(stepsOf(result, 'vm.clone').map((step) => step.vmid)).toEqual([10004, 10005]);
    expect(stepsOf(result, 'bridge.create').map((step) => step.bridge)).toEqual(['vmbr1002']);
  });

  test('a new machine is added to every stand where the stand is', () => {
    const want = lab([...routed.machines, machine('extra', [alias('lan')])]);
    const result = plan(want, [anna, boris], deployed());
    expect(ids(result)).toEqual([
      'pool.update:anna',
      'pool.update:boris',
      'vm.clone:anna/extra',
      'vm.configure:anna/extra',
      'pool.join:anna',
      'vm.clone:boris/extra',
      'vm.configure:boris/extra',
      'pool.join:boris',
    ]);
    expect(stepsOf(result, 'pool.update').map((step) => step.comment)).toEqual([
      'deploy-stand user=anna@pve\nlab=net vms=eco:10000,host:10001,extra:10004? node=pve1 since=2026-11-21T08:00:00Z',
      'deploy-stand user=boris@pve\nlab=net vms=eco:10002,host:10003,extra:10005? node=pve2 since=2026-11-21T08:00:00Z',
    ]);
    expect(stepsOf(result, 'pool.join').map((step) => step.machines.map(({ vmid }) => vmid))).toEqual([
      [10004],
      [10005],
    ]);
    expect(stepsOf(result, 'vm.clone').map((step) => step.target)).toEqual(['pve1', 'pve2']);
  });

  test('a VM that somebody removed is reserved anew under its number, cloned and joined', () => {
    const before = deployed();
    const cut = before.guests.filter((entry) => entry.vmid !== 10001);
    const vms = before.vms.filter((vm) => vm.vmid !== 10001);
    const gone = plan(routed, [anna, boris], { ...before, guests: cut, vms });
    expect(ids(gone)).toEqual([
      'pool.update:anna',
      'vm.clone:anna/host',
      'vm.configure:anna/host',
      'pool.join:anna',
    ]);
    expect(stepsOf(gone, 'pool.update')[0]?.comment).toContain('vms=eco:10000,host:10001? ');
    expect(stepsOf(gone, 'vm.clone')[0]?.vmid).toBe(10001);
  });

  test('whatever a student writes into the notes of a VM that has joined, it is finished', () => {
    const before = deployed();
    const notes = ['', 'mine', 'deploy-stand lab=net user=boris@pve machine=eco vmid=10003'];
    for (const description of notes) {
      const vms = before.vms.map((vm) =>
        vm.vmid === 10003 ? { ...vm, values: { ...vm.values, name: 'renamed', description } } : vm,
      );
      expect(ids(plan(routed, [anna, boris], { ...before, vms }))).toEqual([]);
    }
  });

  describe('a reserved id', () => {
    const CONFINED = { '/pool': { 'VM.Allocate': true } };
    const HASH = sealHash(sealOf(10000), 10000);
    const mark = 'deploy-stand lab=net user=anna@pve machine=pc vmid=10000';
    const spec = (() => {
      const own = ownVm(pc, 'pc', 'anna@pve', 10000, '');
      return /spec=\S+/.exec(own.values['description']!)![0];
    })();
    const at = (description: string | undefined, more: Partial<GuestInfo> = {}) => {
      const values = { name: 'pc', ...(description === undefined ? {} : { description }) };
      return have({
        pools: [{ pool: 'anna', comment: standOf('anna@pve', { pc: [10000, HASH] }) }],
        guests: [...have().guests, guest(10000, more)],
        vms: [
          {
            vmid: 10000,
            node: 'pve1',
            digest: 'd',
            values: { ...values, ...(more.lock ? { lock: more.lock } : {}) },
          },
        ],
      });
    };
    const clone = ['pool.update:anna', 'user.create:anna@pve', 'vm.clone:anna/pc', 'vm.configure:anna/pc'];
    const rest = ['pool.join:anna', 'acl.grant:anna'];

    test('at which nothing is: cloned with a new seal, and the former one may still come', () => {
      const before = have({
        pools: [{ pool: 'anna', comment: standOf('anna@pve', { pc: [10000, HASH] }) }],
      });
      const result = plan(pc, [anna], before);
      expect(ids(result)).toEqual([...clone, ...rest]);
      expect(stepsOf(result, 'vm.clone')[0]?.vmid).toBe(10000);
      expect(stepsOf(result, 'pool.update')[0]?.comment).toContain(`vms=pc:10000??${HASH} `);
      // As young as a new one to whoever looks for leftovers.
      expect(stepsOf(result, 'pool.update')[0]?.comment).toContain(`since=${before.now.replace('.000', '')}`);
    });

    test('under which a clone is under way: it is waited for, and no second one is made', () => {
      const result = plan(pc, [anna], at(undefined, { lock: 'clone' }));
      expect(ids(result)).toEqual([...clone, ...rest]);
      expect(stepsOf(result, 'vm.clone')[0]).toMatchObject({ vmid: 10000, isUnderWay: true });
      expect(stepsOf(result, 'pool.update')[0]?.comment).toContain(`vms=pc:10000?${HASH} `);
    });

    test('with our clone, not configured yet', () => {
      const result = plan(pc, [anna], at(`${mark} seal=${sealOf(10000)}`));
      expect(ids(result)).toEqual([...clone.filter((id) => !id.startsWith('vm.clone')), ...rest]);
      // Whoever looks for leftovers meanwhile finds it as young as what is new; the seal that it carries stays claimed.
      const { comment, reason } = stepsOf(result, 'pool.update')[0]!;
      expect(comment).toMatch(new RegExp(`vms=pc:10000\\?${HASH} .*since=${have().now.replace('.000', '')}`));
      expect(reason).toBe('resumed, so that nobody takes it for a leftover');
    });

    test('with our clone, configured: only the join is missing', () => {
      const result = plan(pc, [anna], at(`${mark} seal=${sealOf(10000)} ${spec}`));
      expect(ids(result)).toEqual(['pool.update:anna', 'user.create:anna@pve', ...rest]);
      expect(stepsOf(result, 'pool.join')[0]?.machines).toEqual([{ machine: 'pc', vmid: 10000 }]);
    });

    test.each([['confined' as const], ['full' as const]])(
      'claimed by a confined caller, with our clone as a member: the same to a %s one',
      (profile) => {
        const found = at(`${mark} seal=${sealOf(10000)}`, { pool: 'anna' });
        const pools = found.pools.map((one) => ({ ...one, comment: `${one.comment} clones=pool` }));
        const rights = profile === 'full' ? {} : { rights: CONFINED };
        const result = plan(pc, [anna], { ...found, ...rights, pools });
        expect(ids(result)).toEqual([...clone.filter((id) => !id.startsWith('vm.clone')), ...rest]);
        expect(stepsOf(result, 'pool.update')[0]?.comment).toContain(' clones=pool');
      },
    );

    test('a confined caller says in the claim that its clones join at once, others do not', () => {
      const commentOf = (more: Partial<Inventory>): string =>
        stepsOf(plan(pc, [anna], have(more)), 'pool.create')[0]?.comment ?? '';
      expect(commentOf({ rights: CONFINED })).toMatch(/^lab=net vms=pc:10000[?] .* clones=pool$/m);
      expect(commentOf({})).toMatch(/^lab=net vms=pc:10000[?] /m);
      expect(commentOf({})).not.toContain('clones=');
    });

    test.each([
      { name: 'without a seal', description: mark },
      { name: 'with the seal of another id', description: `${mark} seal=${sealOf(10001)}` },
      { name: 'with the hash in place of the seal', description: `${mark} seal=${HASH}` },
      { name: 'made in the pool by its own user', description: mark, more: { pool: 'anna' } },
      {
        name: 'made in the pool by its own user, who has read the seal',
        description: `${mark} seal=${sealOf(10000)}`,
        more: { pool: 'anna' },
      },
      {
        name: 'with our seal in another pool',
        description: `${mark} seal=${sealOf(10000)}`,
        more: { pool: 'x' },
      },
      {
        name: 'that is a container',
        description: `${mark} seal=${sealOf(10000)}`,
        more: { type: 'lxc' as const },
      },
    ])(
      'with a guest $name: it is somebody else’s, and the machine gets another id',
      ({ description, more }) => {
        const result = plan(pc, [anna], at(description, more));
        expect(ids(result)).toEqual([...clone, ...rest]);
        expect(stepsOf(result, 'vm.clone')[0]?.vmid).toBe(10001);
        expect(stepsOf(result, 'pool.update')[0]?.comment).toContain('vms=pc:10001? ');
        expect(result.stands[0]?.notes[0]).toContain('the guest there is not ours');
      },
    );
  });

  describe('where the seal of a clone in no pool could be forged', () => {
    const sealReaders = ['metrics@pve has PVEAuditor on /'];
    const poolWriters = [
      { path: '/pool/boss', propagate: true, says: 'boss@pve has PVEPoolAdmin on /pool/boss' },
    ];

    test.each([
      ['by a reader and a writer of a pool', { sealReaders, poolWriters }, true],
      ['not by a reader alone', { sealReaders }, false],
      ['not by a writer alone', { poolWriters }, false],
    ])('%s: clones are made in their pools, the claim says so, and why is told', (_, risk, isMade) => {
      const result = plan(pc, [anna], have(risk));
      const [clone] = stepsOf(result, 'vm.clone');
      expect(clone?.joinsAtOnce).toBe(isMade ? true : undefined);
      expect(stepsOf(result, 'pool.create')[0]?.comment.includes(' clones=pool')).toBe(isMade);
      const told = result.warnings.filter((text) => text.includes('clones are made in their pools'));
      expect(told).toHaveLength(isMade ? 1 : 0);
      if (isMade) expect(told[0]).toMatch(/metrics@pve has PVEAuditor.*boss@pve has PVEPoolAdmin.*operators/);
      expect(ids(plan(pc, [anna], applied(pc, result, have(risk))))).toEqual([]);
    });

    test.each([{ lock: 'clone' }, {}])(
      'what a former run made outside is finished as it was begun: %j',
      (more) => {
        const seal = sealOf(10000);
        const notes = `deploy-stand lab=net user=anna@pve machine=pc vmid=10000 seal=${seal}`;
        const vm = {
          vmid: 10000,
          node: 'pve1',
          digest: 'd',
          values: { name: 'pc', description: notes, ...more },
        };
        const before = have({
          ...{ sealReaders, poolWriters },
          pools: [{ pool: 'anna', comment: standOf('anna@pve', { pc: [10000, sealHash(seal, 10000)] }) }],
          guests: [...have().guests, guest(10000, { status: 'stopped', ...more })],
          vms: [vm],
        });
        const result = plan(pc, [anna], before);
        expect(stepsOf(result, 'pool.update')[0]?.comment).not.toContain('clones=');
        expect(stepsOf(result, 'vm.clone').map(({ joinsAtOnce }) => joinsAtOnce)).toEqual(
          'lock' in more ? [undefined] : [],
        );
      },
    );
  });

  test.each<[string, boolean, string, RegExp]>([
    ['by the option alone', true, 'ceph:vm-10000-disk-0', /qm set 10000 --template 0/],
    [
      'by conversion',
      true,
      'ceph:base-10000-disk-0',
      /^(?!.*qm ).*reset --reclone -c lab.yml --user anna@pve --machine pc/,
    ],
    ['which the lab does not start', false, 'ceph:vm-10000-disk-0', /qm set 10000 --template 0/],
  ])('a machine that was made a template, %s: left, told, not started', (_, start, scsi0, wayOut) => {
    const want = lab([machine('pc', [real('vmbr0')], { start, memory: 4096 })]);
    const before = applied(want, plan(want, [anna]));
    const vms = before.vms.map((vm) => ({
      ...vm,
      values: { ...vm.values, memory: '1', template: '1', scsi0 },
    }));
    const guests = before.guests.map((one) => (one.vmid === 10000 ? { ...one, status: 'stopped' } : one));
    const result = plan(want, [anna], { ...before, vms, guests });
    expect(ids(result)).toEqual([]);
    const { left, notes } = result.stands[0]!;
    if (start)
      expect(left).toMatchObject({ code: 'VM_IS_TEMPLATE', hint: expect.stringMatching(wayOut) as string });
    else expect(left).toBeUndefined();
    expect(notes.some((note) => wayOut.test(note))).toBe(!start);
  });

  test('a machine that somebody took out of its pool is left alone, without a second copy', () => {
    const before = deployed();
    const guests = before.guests.map(({ pool, ...entry }) =>
      entry.vmid === 10001 || pool === undefined ? entry : { ...entry, pool },
    );
    const result = plan(routed, [anna, boris], { ...before, guests });
    expect(ids(result)).toEqual([]);
    expect(result.stands[0]?.left).toMatchObject({ code: 'LEFT_POOL' });
    expect(result.stands[0]?.left?.message).toContain('10001 (host)');
    expect(result.stands[1]?.left).toBeUndefined();

    const hint = expect.stringContaining('deploy --replace host makes another in its place') as string;
    expect(result.stands[0]?.left).toMatchObject({ hint });
    const replaced = plan(routed, [anna, boris], { ...before, guests }, { replace: new Set(['host']) });
    expect(stepsOf(replaced, 'vm.clone').map(({ vmid, user }) => [vmid, user])).toEqual([
      [10004, 'anna@pve'],
    ]);
    expect(replaced.steps.filter((one) => 'vmid' in one && one.vmid === 10001)).toEqual([]);
    expect(stepsOf(replaced, 'pool.update')[0]?.comment).toContain('vms=eco:10000,host:10004?');
    expect(replaced.stands[0]).not.toHaveProperty('left');
    expect(replaced.stands[0]?.notes.join()).toContain('VM 10001 (host) stays on pve1 in no pool');
    expect([
      replaced.warnings,
      plan(routed, [boris], before, { replace: new Set(['eco']) }).warnings,
    ]).toEqual([[], [expect.stringContaining('--replace eco: in none of these stands')]]);
  });

  test('claims of 0.1.0 are read, and get names when something of the stand changes, not before', () => {
    const before = deployed();
    const old = {
      ...before,
      pools: before.pools.map(({ pool, comment }) => ({
        pool,
        comment: comment
          .replace('vms=eco:10000,host:10001', 'vmids=10000-10001')
          .replace('vms=eco:10002,host:10003', 'vmids=10002-10003'),
      })),
    };
    expect(old.pools[0]?.comment).toContain('vmids=');
    expect(ids(plan(routed, [anna, boris], old))).toEqual([]);
    const want = lab([...routed.machines, machine('extra', [alias('lan')])]);
    expect(stepsOf(plan(want, [anna], old), 'pool.update').map((step) => step.comment)).toEqual([
      'deploy-stand user=anna@pve\nlab=net vms=eco:10000,host:10001,extra:10004? node=pve1 since=2026-11-21T08:00:00Z',
    ]);
  });

  test('a claim that nobody could read any more is refused before the first write', () => {
    const many = lab(
      Array.from({ length: 200 }, (_, at) =>
        machine(`host-${'x'.repeat(20)}-${at}a`, [real('vmbr0')], { memory: 16 }),
      ),
    );
    const error = refusal(() => plan(many, [anna]));
    expect(error.code).toBe('CLAIM_TOO_LONG');
    expect(error.message).toMatch(/anna@pve would take \d{4,5} characters/);
  });

  test('a changed lab changes stopped VMs, waits for running ones, unless told otherwise', () => {
    const before = deployed();
    const want = lab([routed.machines[0]!, { ...routed.machines[1]!, cores: 4 }]);
    const guests = before.guests.map((entry) =>
      entry.vmid === 10001 ? { ...entry, status: 'running' } : entry,
    );
    const snapshot = { ...before, guests };
    const waiting = plan(want, [anna, boris], snapshot);
    expect(ids(waiting)).toEqual(['vm.configure:boris/host']);
    // It is finished, and gets other settings.
    expect(waiting.stands[1]?.vms.map(({ state }) => state)).toEqual(['complete', 'complete']);
    expect(renderPlan(waiting, { width: 200, color: false })).toContain('boris@pve  to change: ');
    expect(waiting.stands[0]?.notes[0]).toContain('is running; the lab’s'.replace('’', "'"));
    const forced = plan(want, [anna, boris], snapshot, { updateRunning: true });
    expect(ids(forced)).toEqual(['vm.configure:anna/host', 'vm.configure:boris/host']);
    expect(forced.stands.map(({ notes }) => notes)).toEqual([
      ['VM 10001 (host) is running: cores change only when it is stopped and started'],
      [],
    ]);
    const tagged = lab([routed.machines[0]!, { ...routed.machines[1]!, tags: ['x'] }]);
    expect(plan(tagged, [anna], snapshot, { updateRunning: true }).stands[0]?.notes).toEqual([]);
  });

  test('of a hibernated machine it is told what this very run makes of it', () => {
    const before = deployed();
    const vms = before.vms.map((vm) =>
      vm.vmid === 10001 ? { ...vm, values: { ...vm.values, lock: 'suspended' } } : vm,
    );
    const told = (change: Partial<Machine>) => {
      const host = { ...routed.machines[1]!, ...change };
      const made = plan(lab([routed.machines[0]!, host]), [anna], { ...before, vms });
      const parked = made.warnings.filter((text) => text.startsWith('hibernated'));
      return [ids(made).filter((id) => id.startsWith('vm.start')), made.stands[0]?.notes, ...parked];
    };
    const off = 'VM 10001 (host) on pve1 is hibernated (lock: suspended)';
    const on = `${off}: it goes on, as the lab wants it running`;
    const way =
      'hibernated: 1 machine of anna@pve; `deploy-stand power resume --lab net --user anna@pve` lets them go on';
    const waits = "; the lab's changes wait until it is stopped";
    const starts = ['vm.start:anna/host'];
    expect(told({ start: false })).toEqual([[], [], way]);
    expect(told({ start: false, cores: 4 })).toEqual([[], [off + waits], way]);
    expect(told({ start: true })).toEqual([starts, [on]]);
    expect(told({ start: true, cores: 4 })).toEqual([starts, [on + waits]]);
  });

  test('a configured router keeps its MACs when it is changed', () => {
    const before = deployed();
    const macs = (result: Plan) => stepsOf(result, 'vm.configure')[0]?.nics.map((nic) => nic.mac);
    const first = macs(plan(routed, [anna]));
    const want = lab([{ ...routed.machines[0]!, cores: 2 }, routed.machines[1]!]);
    expect(macs(plan(want, [anna, boris], before))).toEqual(first);
  });

  test('another template is reported, never recreated', () => {
    const want = lab([routed.machines[0]!, { ...routed.machines[1]!, fullClone: true }]);
    const result = plan(want, [anna, boris], deployed());
    expect(ids(result)).toEqual([]);
    expect(result.warnings.join()).toContain('has another template or full_clone than 2 that are there');
  });

  test("a student's changes are reported and left alone", () => {
    const before = deployed();
    const vms = before.vms.map((vm) =>
      vm.vmid === 10001
        ? { ...vm, values: { ...vm.values, net0: 'virtio=AA:AA:AA:AA:AA:AA,bridge=vmbr0' } }
        : vm,
    );
    const result = plan(routed, [anna, boris], { ...before, vms });
    expect(ids(result)).toEqual([]);
    expect(result.stands[0]?.notes).toEqual([
      'VM 10001 (host) was changed: net0 is on vmbr0, not vmbr1000 (left as it is)',
    ]);
  });

  test('a machine that left the lab stays, claimed and reported', () => {
    const result = plan(lab([routed.machines[0]!]), [anna, boris], deployed());
    expect(ids(result)).toEqual([]);
    expect(result.warnings.join()).toContain('the lab has no machine "host" any more');
  });

  test('a bridge that is configured but down is brought up again', () => {
    const before = deployed();
    const networks = before.networks.map((network) => ({
      ...network,
      bridges: network.bridges.map((entry) =>
        entry.iface === 'vmbr1000' ? { ...entry, active: false } : entry,
      ),
    }));
    const result = plan(routed, [anna, boris], { ...before, networks });
    expect(ids(result)).toEqual(['network.reload:pve1']);
    expect(result.steps[0]?.reason).toBe('bring up vmbr1000 (configured, but down)');
  });

  test('a reserved bridge that is configured but down is brought up, by its name', () => {
    const down = bridge('vmbr100', {
      active: false,
      comments: 'deploy-stand bridge=vmbr100 reserved since=2026-01-01T00:00:00Z',
    });
    const networks = have().networks.map((network) => ({
      ...network,
      bridges: [...network.bridges, down],
    }));
    const result = plan(lab([machine('a', [reserved('vmbr100')])]), [anna], have({ networks }));
    expect(stepsOf(result, 'network.reload').map(({ id, reason }) => [id, reason])).toEqual([
      ['network.reload:pve1', 'bring up vmbr100 (configured, but down)'],
    ]);
  });

  test('a removed bridge comes back under the name its VMs use', () => {
    const before = deployed();
    const networks = before.networks.map((network) => ({
      ...network,
      bridges: network.bridges.filter((entry) => entry.iface !== 'vmbr1001'),
    }));
    expect(ids(plan(routed, [anna, boris], { ...before, networks }))).toEqual([
      'bridge.create:pve2/vmbr1001',
      'network.reload:pve2',
    ]);
  });

  test('stopped VMs of a lab that starts them are started', () => {
    const want = lab([machine('pc', [real('vmbr0')], { start: true })]);
    const running = applied(want, plan(want, [anna]));
    expect(ids(plan(want, [anna], running))).toEqual([]);
    const guests = running.guests.map((entry) =>
      entry.vmid === 10000 ? { ...entry, status: 'stopped' } : entry,
    );
    expect(ids(plan(want, [anna], { ...running, guests }))).toEqual(['vm.start:anna/pc']);
  });

  test('a stand on an offline node is refused, the others go on', () => {
    const before = deployed();
    const nodes = before.nodes.map((node) => (node.name === 'pve2' ? { ...node, online: false } : node));
    const vms = before.vms.filter((vm) => vm.node !== 'pve2');
    const result = plan(routed, [anna, boris, user('clara')], { ...before, nodes, vms });
    expect(result.stands.map((stand) => [stand.user, stand.refused?.code])).toEqual([
      ['anna@pve', undefined],
      ['boris@pve', 'NODE_OFFLINE'],
      ['clara@pve', undefined],
    ]);
    expect(result.steps.some((step) => step.user === 'boris@pve')).toBe(false);
  });
});

describe('what is not ours', () => {
  test("ids of guests and of other pools' claims are passed over", () => {
    const snapshot = have({
      guests: [...have().guests, guest(10000), guest(10002, { type: 'lxc' })],
      pools: [{ pool: 'x', comment: claimOf('x@pve', [10001], 'other') }],
    });
    const result = plan(routed, [anna], snapshot);
    expect(stepsOf(result, 'vm.clone').map((step) => step.vmid)).toEqual([10003, 10004]);
  });

  test('a guest that took a claimed id is left alone and the machine gets another', () => {
    const snapshot = have({
      pools: [{ pool: 'anna', comment: claimOf('anna@pve', [10000]) }],
      guests: [...have().guests, guest(10000, { pool: 'strangers' })],
      vms: [{ vmid: 10000, node: 'pve1', digest: 'd', values: { name: 'pc', description: 'mine' } }],
    });
    const result = plan(pc, [anna], snapshot);
    expect(stepsOf(result, 'vm.clone').map((step) => step.vmid)).toEqual([10001]);
    expect(stepsOf(result, 'pool.update')[0]?.comment).toContain('vms=pc:10001? ');
    expect(result.stands[0]?.notes[0]).toContain('the guest there is not ours');
  });

  test("a clone of the student's VM inherits the mark but not the claim", () => {
    const before = deployed(pc, [anna]);
    const copy = { ...before.vms[0]!, vmid: 555 };
    const snapshot = {
      ...before,
      guests: [...before.guests, guest(555, { pool: 'anna' })],
      vms: [...before.vms, copy],
    };
    expect(ids(plan(pc, [anna], snapshot))).toEqual([]);
  });

  test.each([
    { name: 'a pool without our mark', comment: 'physics', code: 'POOL_FOREIGN', hint: '--adopt' },
    {
      name: "another user's pool",
      comment: 'deploy-stand user=anna@pam',
      code: 'POOL_OTHER_USER',
      hint: 'pool:',
    },
  ])('$name is refused', ({ comment, code, hint }) => {
    const error = refusal(() => plan(pc, [anna], have({ pools: [{ pool: 'anna', comment }] })));
    expect(error.code).toBe(code);
    expect(error.hint).toContain(hint);
  });

  test('--adopt appends our lines and keeps theirs', () => {
    const result = plan(pc, [anna], have({ pools: [{ pool: 'anna', comment: 'physics\nroom 5' }] }), {
      adopt: true,
    });
    expect(stepsOf(result, 'pool.create')).toEqual([]);
    expect(stepsOf(result, 'pool.update')[0]?.comment).toBe(
      'physics\nroom 5\ndeploy-stand user=anna@pve adopted\nlab=net vms=pc:10000? node=pve1 since=2026-11-21T08:00:00Z',
    );
  });

  test('an existing user is used and not marked', () => {
    const existing = {
      userid: 'anna@pve',
      comment: 'staff',
      enabled: true,
      expire: 0,
      email: '',
      firstName: '',
      lastName: '',
      groups: [],
    };
    const result = plan(pc, [anna], have({ users: [existing] }));
    expect(stepsOf(result, 'user.create')).toEqual([]);
    expect(stepsOf(result, 'acl.grant')).toHaveLength(1);
  });

  test('two labs share a pool; a second role is refused naming both', () => {
    const first = deployed(pc, [anna]);
    const second = lab([machine('srv', [real('vmbr0')])], { name: 'db' });
    const result = plan(second, [anna], first);
    expect(stepsOf(result, 'pool.update')[0]?.comment.split('\n')).toEqual([
      'deploy-stand user=anna@pve',
      'lab=net vms=pc:10000 node=pve1 since=2026-11-21T08:00:00Z',
      'lab=db vms=srv:10001? node=pve2 since=2026-11-21T08:00:00Z',
    ]);
    expect(stepsOf(result, 'acl.grant')).toEqual([]);
    const error = refusal(() => plan({ ...second, access: { role: 'PVEVMUser' } }, [anna], first));
    expect(error.message).toBe('lab net gives anna@pve role PVEVMAdmin on pool anna, lab db wants PVEVMUser');
  });

  test('of a lab whose last day is over no stand is made; what is there is completed, and that day itself counts', () => {
    const before = deployed(pc, [anna]);
    const of = (expires: string) => {
      const { stands, steps, warnings } = plan({ ...pc, expires }, [anna, boris], before);
      const made = steps.filter(({ kind }) => kind === 'vm.clone');
      return [stands.map(({ user }) => user), made.length, warnings.length];
    };
    expect(of('2026-11-20')).toEqual([['anna@pve'], 0, 1]);
    expect(of('2026-11-21')).toEqual([['anna@pve', 'boris@pve'], 1, 0]);
  });

  test('a lab of the same name with other machines is another lab', () => {
    const want = lab([machine('quite', [real('vmbr0')]), machine('different', [])]);
    expect(refusal(() => plan(want, [anna], deployed()))).toMatchObject({
      code: 'OTHER_LAB',
      message: 'lab.yml: a lab called "net" is on the cluster and has other machines (eco, host)',
      hint: 'give this lab another name: --lab-name NAME, or `name:` in the file. If it is the same lab and its machines were only given other names, call them eco, host again to keep what students did on them; `deploy-stand cleanup --lab net` removes all its stands',
    });
  });

  test('an alias that is a bridge or vnet of the cluster is refused with the way to write it', () => {
    const want = lab([machine('pc', [alias('dmz')])]);
    expect(refusal(() => plan(want, [anna], have({ vnets: ['dmz'] }))).hint).toContain('"**dmz**"');
  });

  test('a missing real bridge is refused, naming node and bridge', () => {
    const error = refusal(() => plan(lab([machine('pc', [real('vmbr9')])]), [anna]));
    expect(error.message).toContain('pve1, pve2: bridge vmbr9 does not exist there');
    expect(error.hint).toContain('make vmbr9 in pve1 → System → Network, or write "**vmbr9**" in the lab');
  });
});

describe('templates', () => {
  test.each([
    {
      name: 'missing',
      want: machine('pc', [], { template: { by: 'vmid', vmid: 999 } }),
      text: 'lab.yml:3 machine pc: template 999 does not exist',
    },
    {
      name: 'unknown name',
      want: machine('pc', [], { template: { by: 'name', name: 'tpl' } }),
      text: 'no template is called "tpl"',
    },
  ])('$name', ({ want, text }) => {
    expect(refusal(() => plan(lab([want]), [anna])).message).toContain(text);
  });

  test('by name; several of one name are listed', () => {
    const want = lab([machine('pc', [], { template: { by: 'name', name: 'tpl-101' } })]);
    expect(stepsOf(plan(want, [anna]), 'vm.clone')[0]?.templateVmid).toBe(101);
    const twin = guest(102, { name: 'tpl-101', template: true, node: 'pve1' });
    const error = refusal(() => plan(want, [anna], have({ guests: [...have().guests, twin] })));
    expect(error.message).toContain('2 templates are called "tpl-101": 101 on pve1, 102 on pve1');
    expect(error.hint).toBe('several are on pve1: name one with template_vmid');
  });

  test('a VM that is no template', () => {
    const values = { name: 'x', scsi0: 'ceph:vm-101-disk-0' };
    const error = refusal(() =>
      plan(pc, [anna], have({ templates: [{ vmid: 101, node: 'pve1', digest: 'd', values }] })),
    );
    expect(error.message).toBe('lab.yml:3 machine pc: VM 101 on pve1 is not a template');
  });
});

describe("bridges that are not the stand's to use", () => {
  const grow = (snapshot: Inventory, iface: string, more: Partial<BridgeInfo>): Inventory => ({
    ...snapshot,
    networks: snapshot.networks.map((network) => ({
      ...network,
      bridges: network.bridges.map((info) => (info.iface === iface ? { ...info, ...more } : info)),
    })),
  });
  const markOf = (userid: string, net = 'lan') =>
    `deploy-stand bridge=vmbr1000 lab=net user=${userid} net=${net} since=2026-11-21T08:00:00Z`;

  test.each<{ name: string; more: Partial<BridgeInfo>; says: string; hint: string }>([
    { name: 'with a port', more: { ports: ['eno9'] }, says: 'the port eno9', hint: 'take the port off' },
    {
      name: 'with an address of the host',
      more: { addresses: ['10.1.0.1/24'] },
      says: 'the address 10.1.0.1/24',
      hint: 'take the address off',
    },
    { name: 'under another', more: { above: ['vmbr7'] }, says: 'vmbr7 is built on it', hint: 'out of vmbr7' },
    { name: 'that lost its mark', more: { comments: 'mine' }, says: 'our mark', hint: markOf('anna@pve') },
    {
      name: "that is another stand's",
      more: { comments: markOf('zoe@pve') },
      says: 'the stand of zoe@pve',
      hint: 'bring the network cards',
    },
    {
      name: "of another network of the stand's",
      more: { comments: markOf('anna@pve', 'dmz') },
      says: '(dmz)',
      hint: 'bring the network cards',
    },
  ])('its own $name: the stand is left as it is, the others go on', ({ more, says, hint }) => {
    const result = plan(routed, [anna, boris], grow(deployed(routed, [anna]), 'vmbr1000', more));
    const [first, second] = result.stands;
    expect([first?.refused?.code, second?.refused]).toEqual(['BRIDGE_NOT_USABLE', undefined]);
    expect(first?.refused?.message).toContain('bridge vmbr1000 on pve1 is network lan of anna@pve');
    expect(first?.refused?.message).toContain(says);
    expect(first?.refused?.hint).toContain(hint);
    expect(result.steps.some(({ user: one }) => one === 'anna@pve')).toBe(false);
  });

  test('one of a stand, written into the lab as real or reserved: that node takes no stand', () => {
    const want = (network: Network) => lab([machine('pc', [network])], { name: 'other' });
    const there = deployed(routed, [anna]);
    const error = refusal(() => plan(want(real('vmbr1000')), [boris], there));
    expect([error.code, error.message]).toEqual([
      'NO_NODE',
      expect.stringContaining(
        'bridge vmbr1000 on pve1 cannot be shared: it belongs to the stand of anna@pve in lab net (lan)',
      ),
    ]);
    const elsewhere = plan(want(reserved('vmbr1000')), [boris], there);
    expect(elsewhere.stands[0]?.node).toBe('pve2');
  });
});

describe('limits', () => {
  test('no VMID left refuses that stand, with the range', () => {
    const want = { ...pc, vmidRange: { first: 10000, last: 10000 } };
    const result = plan(want, [anna, boris], have(), { fit: true });
    expect(result.stands[1]?.refused?.message).toContain('VMIDs 10000–10000 are used up');
  });

  test('bridge numbers are those of bridge_range; none left refuses the stand, with the range', () => {
    const want = { ...routed, access: { role: STUDENT_ROLE }, bridgeRange: { first: 1200, last: 1201 } };
    const three = plan(want, [anna, boris, user('carla')], have(), { fit: true });
    const numbers = stepsOf(three, 'bridge.create').map((step) => `${step.node}/${step.bridge}`);
    expect(numbers.map((name) => name.split('/')[1]).sort()).toEqual(['vmbr1200', 'vmbr1201', 'vmbr1201']);
    expect(new Set(numbers).size).toBe(3);
    expect(three.warnings.join()).toContain('cannot move live');
    const one = {
      ...want,
      bridgeRange: { first: 1200, last: 1200 },
      placement: { ...want.placement, nodes: ['pve1'] },
    };
    const full = plan(one, [anna, boris], have(), { fit: true });
    expect(full.stands[1]?.refused?.message).toContain('bridge numbers on pve1 are used up');
  });

  test('a caller from whom guests may be hidden is told that a new number may be in use unseen', () => {
    const hidden = (guests: boolean) => ({ hidden: { bridges: false, guests } });
    const says = (want: Lab, guests: boolean) => plan(want, [anna], have(hidden(guests))).warnings.join();
    expect(says(routed, true)).toContain('VM.Audit on /vms');
    expect(says(routed, false)).toBe('');
    expect(says(pc, true)).toBe('');
  });

  test('a removed bridge outside bridge_range is not made again', () => {
    const there = deployed(routed, [anna]);
    const networks = have().networks;
    const narrow = { ...routed, bridgeRange: { first: 2000, last: 2999 } };
    expect(ids(plan(routed, [anna], { ...there, networks }))).toContain('bridge.create:pve1/vmbr1000');
    const error = refusal(() => plan(narrow, [anna], { ...there, networks }));
    expect([error.code, error.message]).toEqual([
      'BRIDGE_RANGE',
      expect.stringContaining('outside 2000-2999'),
    ]);
    expect(ids(plan(narrow, [anna], there))).toEqual([]);
  });

  test('bridge numbers repeat per node when they run out, with a warning', () => {
    const snapshot = have();
    const full = Array.from({ length: 4094 - 999 }, (_, i) => bridge(`vmbr${1000 + i}`));
    const networks = snapshot.networks.map((network) =>
      network.node === 'pve2' ? { ...network, bridges: [...network.bridges, ...full] } : network,
    );
    const there = { ...snapshot, networks };
    const result = plan({ ...routed, access: { role: STUDENT_ROLE } }, [anna], there);
    expect(stepsOf(result, 'bridge.create').map((step) => step.id)).toEqual(['bridge.create:pve1/vmbr1000']);
    expect(result.warnings[0]).toContain('cannot move live');
    // PVEVMAdmin holds VM.Migrate.
    const error = refusal(() => plan(routed, [anna], there));
    expect([error.code, error.hint]).toEqual(['NO_BRIDGE', expect.stringContaining('role: student')]);
  });

  test('what a former round found taken is not planned again', () => {
    const result = plan(routed, [anna], have(), {
      taken: { vmids: [10000], bridges: [{ bridge: 'vmbr1000', node: 'pve1', vmids: [] }] },
    });
    expect(stepsOf(result, 'vm.clone').map((step) => step.vmid)).toEqual([10001, 10002]);
    expect(stepsOf(result, 'bridge.create').map((step) => step.bridge)).toEqual(['vmbr1001']);
  });
});

describe('invariants', () => {
  function shuffled<T>(values: readonly T[], seed: number): T[] {
    const copy = [...values];
    let state = seed;
    for (let i = copy.length - 1; i > 0; i -= 1) {
      state = (state * 1103515245 + 12345) % 2147483648;
      const j = state % (i + 1);
      [copy[i], copy[j]] = [copy[j]!, copy[i]!];
    }
    return copy;
  }

  const users = Array.from({ length: 12 }, (_, i) => user(`student${i + 1}`));

  test('shuffled input gives the same plan', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 12 }), (seed, done) => {
        const snapshot = deployed(routed, users.slice(0, done));
        const expected = plan(routed, users, snapshot);
        const mixed: Inventory = {
          ...snapshot,
          nodes: shuffled(snapshot.nodes, seed),
          guests: shuffled(snapshot.guests, seed),
          vms: shuffled(snapshot.vms, seed),
          pools: shuffled(snapshot.pools, seed),
          users: shuffled(snapshot.users, seed),
          acls: shuffled(snapshot.acls, seed),
          networks: shuffled(snapshot.networks, seed).map((network) => ({
            ...network,
            bridges: shuffled(network.bridges, seed),
          })),
          storages: shuffled(snapshot.storages, seed),
        };
        expect(plan(routed, shuffled(users, seed), mixed)).toEqual(expected);
      }),
      runs(30, 1000),
    );
  });

  test('any part of a run can be finished: the rest of the plan leads to the same cluster', () => {
    const whole = plan(routed, users);
    const end = applied(routed, whole);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.steps.length }), (count) => {
        const partly = applied(routed, { ...whole, steps: whole.steps.slice(0, count) });
        const rest = plan(routed, users, partly);
        const finished = applied(routed, rest, partly);
        const key = (config: { vmid: number }) => config.vmid;
        expect([...finished.vms].sort((a, b) => key(a) - key(b))).toEqual(
          [...end.vms].sort((a, b) => key(a) - key(b)),
        );
        expect(finished.pools).toEqual(end.pools);
        expect(finished.networks).toEqual(end.networks);
        expect(ids(plan(routed, users, finished))).toEqual([]);
      }),
      runs(60, 2000),
    );
  });

  test('plans are sound, in topological order and plain JSON', () => {
    const result = plan(routed, users);
    assertSound(result.steps);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    const seen = new Set<string>();
    for (const step of result.steps) {
      for (const id of [...step.dependsOn, ...step.after]) expect(seen).toContain(id);
      seen.add(step.id);
    }
  });

  test('no VMID, bridge or MAC is given twice', () => {
    const want = lab([router('r1', [alias('a'), alias('b')]), router('r2', [alias('a')])]);
    const result = plan(want, users);
    const vmids = stepsOf(result, 'vm.clone').map((step) => step.vmid);
    const bridges = stepsOf(result, 'bridge.create').map((step) => step.bridge);
    const macs = stepsOf(result, 'vm.configure').flatMap((step) => step.nics.map((nic) => nic.mac));
    for (const list of [vmids, bridges, macs]) expect(new Set<unknown>(list).size).toBe(list.length);
  });

  const unmarked = (more: Partial<Inventory> = {}) => {
    const vm = ownVm(pc, 'pc', 'anna@pve', 10000, 'vmbr0');
    return have({
      pools: [{ pool: 'anna', comment: claimOf('anna@pve', [10000]) }],
      guests: [...have().guests, guest(10000, { name: 'pc', pool: 'anna', status: 'stopped' })],
      vms: [
        { ...vm, values: { ...vm.values, scsi0: 'nfs:vm-10000-disk-0,size=8G', description: 'my notes' } },
      ],
      ...more,
    });
  };

  test('a VM whose notes the student edited is known by its name, reported and left alone', () => {
    const role = { role: 'PVEVMAdmin', subject: 'anna@pve', type: 'user' as const, propagate: true };
    const result = plan(pc, [anna], unmarked({ acls: [{ path: '/pool/anna', ...role }] }));
    expect(result.stands[0]?.notes[0]).toContain('somebody emptied or rewrote the notes');
    expect(ids(result).some((id) => id.startsWith('vm.'))).toBe(false);
  });

  test('an unmarked VM at the claimed id of a stand that was never handed out is not given to the student', () => {
    const error = refusal(() => plan(pc, [anna], unmarked()));
    expect(error.code).toBe('UNMARKED_VM');
    expect(error.hint).toContain('take VM 10000 out of pool anna');
  });
});

describe('found by trying to break it', () => {
  test('a mistyped node is refused, with the nodes there are', () => {
    const placement = { strategy: 'balanced' as const, exclude: ['pve9'] };
    const error = refusal(() => plan({ ...pc, placement }, [anna]));
    expect([error.code, error.message, error.hint]).toEqual([
      'NO_SUCH_NODE',
      'the cluster has no node pve9',
      'nodes there: pve1, pve2',
    ]);
  });

  test.each([
    { pool: '1st', version: '9.2', code: 'POOL_NAME' },
    { pool: '..', version: '7.4', code: 'POOL_NAME' },
    { pool: '1st', version: '8.4', code: undefined },
  ])('pool $pool on PVE $version', ({ pool, version, code }) => {
    const result = plan(pc, [boris, user('x', { pool })], have({ version }));
    expect(result.stands[1]?.refused?.code).toBe(code);
    expect(result.steps.some((step) => step.user === 'x@pve')).toBe(code === undefined);
  });

  test('a lower role replaces the one that the lab gave before', () => {
    const want = { ...pc, access: { role: 'PVEVMUser' } };
    const result = plan(want, [anna], deployed(pc, [anna]));
    expect(ids(result)).toEqual(['acl.grant:anna', 'acl.revoke:/pool/anna PVEVMAdmin']);
    expect(result.steps[1]?.dependsOn).toEqual(['acl.grant:anna']);
  });

  test('what a VM was cloned from is remembered when the rest of it is changed', () => {
    const changed = lab([machine('pc', [real('vmbr0')], { cores: 4, template: { by: 'vmid', vmid: 100 } })]);
    const after = applied(changed, plan(changed, [anna], deployed(pc, [anna])), deployed(pc, [anna]));
    const again = plan(changed, [anna], after);
    expect(ids(again)).toEqual([]);
    expect(again.warnings.join()).toContain(
      'machine pc: the lab has another template or full_clone than one',
    );
    expect(again.stands[0]?.notes).toEqual([]);
    const back = plan(lab([machine('pc', [real('vmbr0')], { cores: 4 })]), [anna], after);
    expect(back.stands[0]?.notes).toEqual([]);
    expect(back.warnings.join()).not.toContain('full_clone');
  });
});
