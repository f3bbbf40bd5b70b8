import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../src/lib/inventory/types.ts';
import { formatReplicaMark, formatReplicaPool, REPLICA_POOL } from '../../src/lib/marks/replica.ts';
import { foreignSteps } from '../../src/lib/plan/saved-plan.ts';
import type { Plan } from '../../src/lib/plan/document/plan.ts';
import type { Step, StepKind } from '../../src/lib/plan/document/step.ts';
import {
  alias,
  applied,
  bridge,
  claimOf,
  guest,
  have,
  lab,
  machine,
  plan,
  real,
  reserved,
  user,
  template,
} from './builders.ts';

const want = lab([
  machine('pc', [alias('lan'), real('vmbr0'), reserved('vmbr500')], {
    start: true,
    baselineSnapshot: 'clean',
  }),
]);
const users = [user('anna'), user('boris')];
const saved = plan(want, users);
const check = (changed: Plan, cluster: Inventory = have(), adopt = false) =>
  foreignSteps(changed, { lab: want, users, adopt }, cluster);

test('what deploy plans is within the class: new, half made, complete, changed', () => {
  expect(check(saved)).toEqual([]);
  const made = applied(want, saved);
  const other = lab([machine('pc', [alias('lan')], { cores: 4, start: true })]);
  for (const next of [want, other]) {
    const again = plan(next, users, made);
    expect(foreignSteps(again, { lab: next, users, adopt: false }, made)).toEqual([]);
  }
});

test('a confined caller claims by the comment alone', () => {
  const cluster = have({ rights: { '/pool': { 'VM.Allocate': true } } });
  const confined = plan(want, users, cluster);
  expect(confined.profile).toBe('confined');
  expect(check(confined, cluster)).toEqual([]);
  const foreign = changed(confined, 'pool.update', {
    pool: 'anna',
    comment: claimOf('anna@pve', [500], 'net'),
  });
  expect(check(foreign, have({ guests: [...have().guests, guest(500)] })).join()).toMatch(/500 exists/);
});

/** The saved plan with anna's step of this kind changed. */
function edited(kind: StepKind, change: object): Plan {
  const isHers = (step: Step) => step.kind === kind && step.user === 'anna@pve';
  expect(saved.steps.some(isHers)).toBe(true);
  return {
    ...saved,
    steps: saved.steps.map((step) => (isHers(step) ? { ...step, ...change } : step)),
  };
}

function added(kind: StepKind, payload: object): Plan {
  const step = { id: `${kind}:x`, kind, user: 'anna@pve', reason: '', dependsOn: [], after: [], ...payload };
  return { ...saved, steps: [...saved.steps, step as unknown as Step] };
}

const admin = have({
  guests: [...have().guests, guest(500)],
  pools: [{ pool: 'prod', comment: 'production' }],
});
const mark = (userid: string, vmid: number) =>
  `deploy-stand lab=net user=${userid} machine=pc vmid=${vmid} spec=x.y`;

describe('a plan that was edited', () => {
  test.each<{ name: string; changed: Plan; says: RegExp; cluster?: Inventory }>([
    { name: 'another user', changed: edited('user.create', { userid: 'admin@pve' }), says: /users file/ },
    { name: 'another group', changed: edited('user.create', { groups: ['admins'] }), says: /users file/ },
    {
      name: 'a user of nobody',
      changed: edited('user.create', { user: 'eve@pve' }),
      says: /eve@pve is not in/,
    },
    { name: 'another pool', changed: edited('pool.create', { pool: 'prod' }), says: /prod/ },
    { name: 'a claim in another pool', changed: edited('pool.update', { pool: 'prod' }), says: /prod/ },
    {
      name: 'a claim of a foreign VM',
      changed: edited('pool.update', { addVmids: [500] }),
      says: /500 exists/,
      cluster: admin,
    },
    {
      name: 'a claim that drops those of another lab',
      changed: saved,
      says: /claims of others/,
      cluster: have({ pools: [{ pool: 'anna', comment: claimOf('anna@pve', [700], 'other') }] }),
    },
    {
      name: 'a pool without our mark',
      changed: saved,
      says: /does not carry our mark/,
      cluster: have({ pools: [{ pool: 'anna', comment: '' }] }),
    },
    {
      name: 'a right on everything',
      changed: edited('acl.grant', { path: '/' }),
      says: /not what the lab gives/,
    },
    {
      name: 'a higher role',
      changed: edited('acl.grant', { role: 'Administrator' }),
      says: /not what the lab gives/,
    },
    { name: 'a right for another', changed: edited('acl.grant', { userid: 'eve@pve' }), says: /eve@pve/ },
    {
      name: 'a foreign VM, configured',
      changed: edited('vm.configure', { vmid: 500, description: mark('anna@pve', 500) }),
      says: /500 is not claimed/,
      cluster: admin,
    },
    {
      name: "another student's mark",
      changed: edited('vm.configure', { description: mark('boris@pve', 10000) }),
      says: /mark of another/,
    },
    {
      name: 'a hook script',
      changed: edited('vm.configure', { options: { hookscript: 'local:x' } }),
      says: /cannot set hookscript/,
    },
    {
      name: 'a disk removed',
      changed: edited('vm.configure', { remove: ['scsi0'] }),
      says: /cannot set scsi0/,
    },
    {
      name: "another student's network",
      changed: edited('vm.configure', { nics: [{ index: 0, model: 'virtio', bridge: 'vmbr1001' }] }),
      says: /vmbr1001/,
    },
    { name: 'a foreign VM, started', changed: edited('vm.start', { vmid: 500 }), says: /500/ },
    { name: 'a foreign VM, frozen', changed: edited('vm.snapshot', { vmid: 500 }), says: /500/ },
    {
      name: 'a clone of what is no template',
      changed: edited('vm.clone', { templateVmid: 500 }),
      says: /not a template/,
      cluster: admin,
    },
    { name: 'a bridge without a mark', changed: edited('bridge.create', { comment: 'mine' }), says: /mark/ },
    {
      name: 'a shared bridge that no lab names',
      changed: added('bridge.create', {
        user: undefined,
        node: 'pve1',
        bridge: 'vmbr9',
        comment: 'deploy-stand reserved since=x',
      }),
      says: /no stand/,
    },
    {
      name: 'a foreign bridge, changed',
      changed: added('bridge.update', {
        node: 'pve1',
        bridge: 'vmbr7',
        vlanAware: true,
        comment: 'deploy-stand lab=net user=anna@pve net=lan since=x',
      }),
      says: /vmbr7/,
      cluster: have({
        networks: [{ ...have().networks[0]!, bridges: [bridge('vmbr7', { comments: 'uplink' })] }],
      }),
    },
    {
      name: 'rights taken',
      changed: added('acl.revoke', { path: '/pool/anna', role: 'X', userid: 'anna@pve' }),
      says: /not ours/,
    },
    ...(
      [
        'vm.delete',
        'vm.stop',
        'vm.unprotect',
        'ha.remove',
        'bridge.delete',
        'pool.delete',
        'pool.release',
        'user.delete',
        'user.update',
        'user.password',
        'user.recreate',
      ] as const
    ).map((kind) => ({
      name: kind,
      changed: added(kind, { node: 'pve1', vmid: 10000, pool: 'anna', userid: 'anna@pve' }),
      says: /has no such step/,
    })),
  ])('$name', ({ changed, says, cluster }) => {
    expect(check(changed, cluster).join('\n')).toMatch(says);
  });
});

type Edit = {
  readonly name: string;
  readonly kind: StepKind;
  readonly change: object;
  readonly says: RegExp;
};

function changed(original: Plan, kind: StepKind, change: object): Plan {
  expect(original.steps.map((step) => step.kind)).toContain(kind);
  const steps = original.steps.map((step) =>
    step.kind === kind &&
    (kind !== 'pool.update' || !('pool' in change) || change.pool === step.id.split(':')[1])
      ? { ...step, ...change }
      : step,
  );
  return { ...original, steps };
}

describe('replicas', () => {
  const pc = lab([machine('pc', [real('vmbr0')])], {
    placement: { strategy: 'balanced', nodes: ['pve2'], exclude: [] },
  });
  const iso = { ide2: 'iso:iso/tools.iso,media=cdrom' };
  const row = (node: string, name: string) => ({
    ...have().storages[1]!,
    node,
    storage: name,
    type: 'zfspool',
  });
  const local = (more: Partial<Inventory> = {}) =>
    have({
      storages: ['pve1', 'pve2'].map((node) => row(node, 'zfs')),
      templates: [template(101, 'zfs', iso)],
      ...more,
    });
  const anna = [user('anna')];
  const made = plan(pc, anna, local());
  const problems = (edit: Plan, cluster = local()) =>
    foreignSteps(edit, { lab: pc, users: anna, adopt: false }, cluster);
  const claim = { source: 101, node: 'pve2', vmid: 10999, since: '2026-11-21T07:00:00Z' };
  const poolOf = (claims: readonly (typeof claim)[], others: string[] = []) => ({
    pool: REPLICA_POOL,
    comment: formatReplicaPool({ claims, others }),
  });
  const copy = (more: object = {}) => ({
    guests: [...have().guests, guest(10999, { node: 'pve2', pool: REPLICA_POOL })],
    pools: [poolOf([claim])],
    vms: [
      {
        vmid: 10999,
        node: 'pve2',
        digest: 'd',
        values: {
          description: formatReplicaMark({ source: 101, digest: 'digest-101', vmid: 10999 }),
          scsi0: 'zfs:base-10999-disk-0,size=8G',
          template: '1',
          ...more,
        },
      },
    ],
  });

  test('those that deploy plans, begun ones and ready ones are in order', () => {
    expect(made.steps.map((step) => step.kind)).toEqual(
      expect.arrayContaining([
        'template.clone',
        'template.configure',
        'template.migrate',
        'template.convert',
      ]),
    );
    expect(problems(made)).toEqual([]);
    for (const more of [{}, { template: '0' }]) {
      const cluster = local(copy(more));
      expect(problems(plan(pc, anna, cluster), cluster)).toEqual([]);
    }
    const claimed = local({ pools: [poolOf([claim], ['hands off'])] });
    expect(problems(plan(pc, anna, claimed), claimed)).toEqual([]);
  });

  const bare = formatReplicaPool({ claims: [], others: [] });
  const mine = (more: object) => ({ pool: REPLICA_POOL, comment: poolOf([{ ...claim, ...more }]).comment });
  test.each<Edit & { readonly cluster?: Inventory }>([
    {
      name: 'pool with claims',
      kind: 'pool.create',
      change: { pool: REPLICA_POOL, comment: 'x' },
      says: /begin empty/,
    },
    {
      name: 'claim of no template',
      kind: 'pool.update',
      change: mine({ source: 500 }),
      says: /500 is not a template/,
    },
    { name: 'claim for no node', kind: 'pool.update', change: mine({ node: 'pve9' }), says: /no node pve9/ },
    {
      name: 'claim of a guest',
      kind: 'pool.update',
      change: { ...mine({ vmid: 101 }), addVmids: [101] },
      says: /101 exists/,
    },
    {
      name: "claim of a stand's number",
      kind: 'pool.update',
      change: { ...mine({ vmid: 700 }), addVmids: [700] },
      says: /700 is claimed by pool x/,
      cluster: local({ pools: [{ pool: 'x', comment: claimOf('x@pve', [700], 'other') }] }),
    },
    {
      name: 'member without a claim',
      kind: 'pool.update',
      change: { pool: REPLICA_POOL, addVmids: [500] },
      says: /without a claim/,
    },
    {
      name: 'claims dropped',
      kind: 'pool.update',
      change: { pool: REPLICA_POOL },
      says: /lose or change claims/,
      cluster: local({ pools: [poolOf([{ ...claim, vmid: 10998 }])] }),
    },
    {
      name: 'lines of others dropped',
      kind: 'pool.update',
      change: { pool: REPLICA_POOL },
      says: /lose or change claims/,
      cluster: local({ pools: [poolOf([], ['hands off'])] }),
    },
    {
      name: "somebody else's pool",
      kind: 'pool.update',
      change: { pool: REPLICA_POOL },
      says: /does not carry our mark/,
      cluster: local({ pools: [{ pool: REPLICA_POOL, comment: 'mine' }] }),
    },
    {
      name: 'comment without claims',
      kind: 'pool.update',
      change: { pool: REPLICA_POOL, comment: bare },
      says: /without a claim/,
    },
    {
      name: 'copy of another VM',
      kind: 'template.clone',
      change: { templateVmid: 500 },
      says: /not a copy of template 101/,
    },
    {
      name: 'copy under another number',
      kind: 'template.clone',
      change: { vmid: 500 },
      says: /500 is not claimed/,
    },
    {
      name: 'copy for another node',
      kind: 'template.clone',
      change: { home: 'pve1' },
      says: /not claimed as a replica for pve1/,
    },
    { name: 'copy made elsewhere', kind: 'template.clone', change: { target: 'pve2' }, says: /not a copy/ },
    { name: 'copy called otherwise', kind: 'template.clone', change: { name: 'x' }, says: /not a copy/ },
    {
      name: 'copy with another mark',
      kind: 'template.clone',
      change: { description: 'x' },
      says: /mark of a replica/,
    },
    {
      name: 'foreign VM configured',
      kind: 'template.configure',
      change: { vmid: 500 },
      says: /500 is not claimed/,
    },
    {
      name: 'hook script',
      kind: 'template.configure',
      change: { options: { hookscript: 'local:x' } },
      says: /does not get hookscript/,
    },
    {
      name: 'disk for an image',
      kind: 'template.configure',
      change: { options: { scsi0: 'none,media=cdrom' } },
      says: /does not get scsi0/,
    },
    {
      name: 'another image',
      kind: 'template.configure',
      change: { options: { ide2: 'iso:x' } },
      says: /does not get ide2/,
    },
    { name: 'foreign VM moved', kind: 'template.migrate', change: { vmid: 500 }, says: /500 is not claimed/ },
    { name: 'moved elsewhere', kind: 'template.migrate', change: { home: 'pve1' }, says: /replica for pve1/ },
    {
      name: 'foreign VM converted',
      kind: 'template.convert',
      change: { vmid: 500 },
      says: /500 is not claimed/,
    },
    {
      name: 'copy of no lab template converted',
      kind: 'template.convert',
      change: {},
      says: /101 is not a template/,
      cluster: local({ templates: [] }),
    },
    {
      name: 'clone of a copy too early',
      kind: 'vm.clone',
      change: { dependsOn: [] },
      says: /not a template of the lab/,
    },
    {
      name: 'clone of what stands at the number of a copy',
      kind: 'vm.clone',
      change: { dependsOn: [] },
      says: /not a template of the lab/,
      cluster: local(copy({ description: 'mine' })),
    },
  ])('$name', ({ kind, change, says, cluster }) => {
    expect(problems(changed(made, kind, change), cluster).join('\n')).toMatch(says);
  });
});

describe('takeovers', () => {
  const pc = lab([machine('pc', [alias('lan')])]);
  const anna = [user('anna')];
  const nic = (iface: string) => `virtio=BC:24:11:00:00:09,bridge=${iface}`;
  const member = (vmid: number, name: string, iface: string) => ({
    guest: guest(vmid, { name, status: 'stopped', pool: 'anna' }),
    config: { vmid, node: 'pve1', digest: 'd', values: { name, description: 'mine', net0: nic(iface) } },
  });
  const all = [member(500, 'pc', 'vmbr1000'), member(501, 'other', 'vmbr1001')];
  const old = have({
    guests: [...have().guests, ...all.map((one) => one.guest)],
    vms: all.map(({ config }) => config),
    pools: [{ pool: 'anna', comment: 'group 1' }],
    acls: [{ path: '/pool/anna', role: 'PVEVMUser', subject: 'anna@pve', type: 'user', propagate: true }],
    networks: have().networks.map((network) => ({
      ...network,
      bridges: [...network.bridges, ...['vmbr1000', 'vmbr1001'].map((iface) => bridge(iface, { ports: [] }))],
    })),
    bridgeUse: [
      { vmid: 500, node: 'pve1', bridges: ['vmbr1000'], description: '' },
      { vmid: 501, node: 'pve1', bridges: ['vmbr1001'], description: '' },
    ],
    bridgeUseNodes: ['pve1', 'pve2'],
    hidden: { bridges: false, guests: false },
  });
  const taking = plan(pc, anna, old, { adopt: true });
  const problems = (edit: Plan, adopt = true) => foreignSteps(edit, { lab: pc, users: anna, adopt }, old);
  const said = (kind: StepKind): string => {
    const step = taking.steps.find((one) => one.kind === kind);
    return step && 'comment' in step ? step.comment : '';
  };
  const notes = (vmid: number, name = 'pc') =>
    `mine\ndeploy-stand lab=net user=anna@pve machine=${name} vmid=${vmid} spec=adopted`;

  test('what --adopt plans may be done when --adopt is given again', () => {
    expect(taking.steps.map((step) => step.kind)).toEqual(
      expect.arrayContaining(['vm.mark', 'bridge.update', 'pool.update']),
    );
    expect(problems(taking)).toEqual([]);
    const refused = problems(taking, false).join('\n');
    for (const text of [/pool\.update.*mark/, /vm\.mark.*500/, /bridge\.update.*vmbr1000/])
      expect(refused).toMatch(text);
  });

  test.each<Edit>([
    {
      name: 'another member of the pool',
      kind: 'vm.mark',
      change: { vmid: 501, newDescription: notes(501) },
      says: /501 is not to be taken over/,
    },
    {
      name: 'in another pool',
      kind: 'vm.mark',
      change: { pool: 'prod' },
      says: /500 is not to be taken over/,
    },
    {
      name: 'other notes',
      kind: 'vm.mark',
      change: { newDescription: notes(500).slice(5) },
      says: /other notes/,
    },
    { name: 'other notes before', kind: 'vm.mark', change: { description: '' }, says: /other notes/ },
    {
      name: 'as another machine',
      kind: 'vm.mark',
      change: { newDescription: notes(500, 'x') },
      says: /other notes/,
    },
    {
      name: 'a member that is not like a machine, claimed',
      kind: 'pool.update',
      change: { comment: said('pool.update').replace('vmids=500', 'vmids=500-501') },
      says: /501 exists/,
    },
    {
      name: 'the same, taken over',
      kind: 'pool.update',
      change: { takeOver: { comment: 'group 1', vmids: [501] } },
      says: /501 exists/,
    },
    {
      name: 'a pool not as it was',
      kind: 'pool.update',
      change: { takeOver: { comment: 'x', vmids: [500] } },
      says: /our mark/,
    },
    {
      name: 'a pool that cleanup would remove',
      kind: 'pool.update',
      change: { comment: said('pool.update').replace(' adopted', '') },
      says: /marks or claims of others/,
    },
    {
      name: 'rights that cleanup would take',
      kind: 'pool.update',
      change: { comment: said('pool.update').replace(' roles=PVEVMUser', '') },
      says: /marks or claims of others/,
    },
    {
      name: "another's bridge",
      kind: 'bridge.update',
      change: { bridge: 'vmbr1001' },
      says: /vmbr1001 on pve1 is not/,
    },
    {
      name: 'on another node',
      kind: 'bridge.update',
      change: { node: 'pve2' },
      says: /on pve2 is not to be/,
    },
    {
      name: 'a bridge for another',
      kind: 'bridge.update',
      change: { newComment: 'deploy-stand lab=net user=boris@pve net=lan since=x' },
      says: /not to be taken over/,
    },
  ])('$name', ({ kind, change, says }) => {
    expect(problems(changed(taking, kind, change)).join('\n')).toMatch(says);
  });
});
