import { describe, expect, test } from 'vitest';
import type {
  BridgeInfo,
  GuestInfo,
  Inventory,
  UserInfo,
  VmConfig,
} from '../../../src/lib/inventory/types.ts';
import type { CleanupOptions, CleanupSelection } from '../../../src/lib/plan/cleanup/context.ts';
import { planCleanup } from '../../../src/lib/plan/cleanup/cleanup.ts';
import { formatPoolComment, makeClaim, type Claim } from '../../../src/lib/marks/pool.ts';
import { formatVmMark } from '../../../src/lib/marks/vm.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import { appliedCleanup } from './applied.ts';
import { alias, bridge, guest, have, ids, machine } from '../builders.ts';

const OLD = '2026-11-01T00:00:00Z';
const YOUNG = '2026-11-21T07:00:00Z';

/** Of 0.1.0, which wrote neither names nor states. */
function claim(lab: string, vmids: readonly number[], more: Partial<Claim> = {}): Claim {
  return makeClaim({ lab, machines: [], unnamed: vmids, since: OLD, ...more });
}

interface PoolOf {
  readonly claims: readonly Claim[];
  readonly adopted?: boolean;
  readonly others?: readonly string[];
}

function comment(user: string, { claims, adopted = false, others = [] }: PoolOf): string {
  return formatPoolComment({ user, adopted, others, claims });
}

function userInfo(name: string, more: Partial<UserInfo> = {}): UserInfo {
  return {
    userid: `${name}@pve`,
    comment: `deploy-stand since=${OLD}`,
    enabled: true,
    expire: 0,
    email: '',
    firstName: '',
    lastName: '',
    groups: [],
    ...more,
  };
}

interface Vm {
  readonly guest?: Partial<GuestInfo>;
  readonly values?: Readonly<Record<string, string>>;
  readonly nets?: readonly string[];
  /** Its configuration cannot be read. */
  readonly unreadable?: true;
}

function finished(lab: string, name: string, vmid: number): Readonly<Record<string, string>> {
  const mark = formatVmMark({ lab, user: `${name}@pve`, machine: 'pc', vmid, spec: 'abc' });
  return { description: mark };
}

interface Built {
  readonly vms?: Readonly<Record<number, Vm>>;
  readonly pools?: Readonly<Record<string, string>>;
  readonly users?: readonly UserInfo[];
  readonly bridges?: readonly BridgeInfo[];
  readonly more?: Partial<Inventory>;
}

/** VMs are stopped, on pve1, called `pc`, in pool `anna` and of lab `net` unless said otherwise. */
function cluster({ vms = {}, pools = {}, users = [], bridges = [], more = {} }: Built): Inventory {
  const guests: GuestInfo[] = [];
  const configs: VmConfig[] = [];
  const use: Inventory['bridgeUse'][number][] = [];
  for (const [key, vm] of Object.entries(vms)) {
    const vmid = Number(key);
    const built = guest(vmid, { name: 'pc', status: 'stopped', pool: 'anna', ...vm.guest });
    guests.push(built);
    use.push({ vmid, node: built.node, bridges: vm.nets ?? [], snapshotBridges: [], description: '' });
    if (vm.unreadable || built.type === 'lxc') continue;
    const values = { name: built.name ?? '', ...finished('net', 'anna', vmid), ...vm.values };
    configs.push({ vmid, node: built.node, digest: 'd', values });
  }
  return have({
    guests,
    vms: configs,
    pools: Object.entries(pools).map(([pool, text]) => ({ pool, comment: text })),
    users,
    acls: Object.keys(pools).map((pool) => ({
      path: `/pool/${pool}`,
      role: 'PVEVMAdmin',
      subject: `${pool}@pve`,
      type: 'user',
      propagate: true,
    })),
    networks: [
      { node: 'pve1', readable: true, bridges: [bridge('vmbr0'), ...bridges], pending: [] },
      { node: 'pve2', readable: true, bridges: [bridge('vmbr0')], pending: [] },
    ],
    bridgeUse: use,
    bridgeUseNodes: ['pve1', 'pve2'],
    ...more,
  });
}

function lan(iface: string, lab = 'net', name = 'anna', since = OLD): BridgeInfo {
  const comments = `deploy-stand lab=${lab} user=${name}@pve net=lan since=${since}`;
  return bridge(iface, { ports: [], comments });
}

const OPTIONS: CleanupOptions = {
  keepUsers: false,
  adopt: false,
  includeMembers: false,
  forceProtected: false,
  lockWaitSeconds: 600,
  minAgeSeconds: 7200,
};

function classOf(lab: string, ...names: readonly string[]): CleanupSelection {
  const users = names.map((name) => ({ userid: `${name}@pve`, pool: name }));
  const labMachines = [machine('pc', [alias('lan')]), machine('router', [alias('lan'), alias('wan')])];
  return { by: 'stands', lab, labMachines, users };
}

function plan(snapshot: Inventory, selection: CleanupSelection, options: Partial<CleanupOptions> = {}): Plan {
  return planCleanup({ have: snapshot, selection, options: { ...OPTIONS, ...options } });
}

function notes(result: Plan): string {
  return result.stands.flatMap((stand) => stand.notes).join('\n');
}

const REVOKE = 'acl.revoke:/pool/anna PVEVMAdmin';
const byAnna: CleanupSelection = { by: 'stands', users: [{ userid: 'anna@pve' }] };

/** Anna has one VM of lab `net`, on a bridge of her own. */
const oneStand: Built = {
  vms: { 10000: { nets: ['vmbr1000'] } },
  pools: { anna: comment('anna@pve', { claims: [claim('net', [10000])] }) },
  users: [userInfo('anna')],
  bridges: [lan('vmbr1000')],
};
const ALL_OF_IT = [
  REVOKE,
  'vm.delete:10000',
  'bridge.delete:pve1/vmbr1000',
  'network.reload:pve1',
  'pool.delete:anna',
  'user.delete:anna@pve',
];

describe('one stand', () => {
  test.each<{ name: string; selection: CleanupSelection }>([
    { name: 'by class', selection: classOf('net', 'anna') },
    { name: 'by lab', selection: { by: 'stands', lab: 'net' } },
    { name: 'by user', selection: byAnna },
    {
      name: 'by user, named twice',
      selection: { by: 'stands', users: [{ userid: 'anna@pve' }, { userid: 'anna@pve' }] },
    },
  ])('goes $name: access, VM, bridge, reload, pool, user', ({ selection }) => {
    const result = plan(cluster(oneStand), selection);
    expect(ids(result)).toEqual(ALL_OF_IT);
    const edges = Object.fromEntries(
      result.steps.map((step) => [step.id, [...step.dependsOn, ...step.after]]),
    );
    expect(edges).toEqual({
      [REVOKE]: [],
      'vm.delete:10000': [REVOKE],
      'bridge.delete:pve1/vmbr1000': ['vm.delete:10000'],
      'network.reload:pve1': ['bridge.delete:pve1/vmbr1000'],
      'pool.delete:anna': ['bridge.delete:pve1/vmbr1000', 'vm.delete:10000'],
      'user.delete:anna@pve': ['bridge.delete:pve1/vmbr1000', 'pool.delete:anna', 'vm.delete:10000'],
    });
    expect(result.steps.find((step) => step.kind === 'network.reload')).toMatchObject({ gone: ['vmbr1000'] });
  });

  test.each<{ name: string; selection: CleanupSelection }>([
    { name: 'another lab', selection: { by: 'stands', lab: 'dmz' } },
    { name: 'another lab of the class', selection: classOf('dmz', 'boris') },
    { name: 'another user', selection: { by: 'stands', users: [{ userid: 'boris@pve' }] } },
    { name: 'what is expired', selection: { by: 'expired' } },
    { name: 'orphans', selection: { by: 'orphans' } },
  ])('stays when $name is selected', ({ selection }) => {
    expect(ids(plan(cluster(oneStand), selection))).toEqual([]);
  });

  test('that runs under HA is stopped and taken out first, each after the other', () => {
    const running = cluster({ ...oneStand, vms: { 10000: { guest: { status: 'running', ha: true } } } });
    const { steps } = plan(running, byAnna);
    expect(steps.slice(1, 4).map((step) => [step.id, step.dependsOn])).toEqual([
      ['vm.stop:10000', []],
      ['ha.remove:10000', ['vm.stop:10000']],
      ['vm.delete:10000', ['ha.remove:10000']],
    ]);
  });

  test('leaves user, pool and mark with --keep-users, without access', () => {
    const result = plan(cluster(oneStand), byAnna, { keepUsers: true });
    expect(ids(result)).toEqual([...ALL_OF_IT.slice(0, 4), 'pool.release:anna']);
    expect(result.steps.at(-1)).toMatchObject({ comment: 'deploy-stand user=anna@pve kept' });
  });

  test('leaves a user that we did not create', () => {
    const snapshot = cluster({ ...oneStand, users: [userInfo('anna', { comment: 'of the department' })] });
    expect(ids(plan(snapshot, byAnna))).toEqual(ALL_OF_IT.slice(0, -1));
  });

  test('is found by its bridge alone', () => {
    const snapshot = cluster({ bridges: [lan('vmbr1000')] });
    expect(ids(plan(snapshot, { by: 'stands', lab: 'net' }))).toEqual([
      'bridge.delete:pve1/vmbr1000',
      'network.reload:pve1',
    ]);
  });
});

describe('a pool', () => {
  test('with a second lab keeps user, access and the other claim', () => {
    const snapshot = cluster({
      ...oneStand,
      vms: { 10000: {}, 10001: { values: finished('dmz', 'anna', 10001), nets: ['vmbr1001'] } },
      pools: { anna: comment('anna@pve', { claims: [claim('net', [10000, 10002]), claim('dmz', [10001])] }) },
      bridges: [lan('vmbr1000'), lan('vmbr1001', 'dmz')],
    });
    const result = plan(snapshot, classOf('net', 'anna'));
    expect(ids(result)).toEqual([
      'vm.delete:10000',
      'bridge.delete:pve1/vmbr1000',
      'network.reload:pve1',
      'pool.release:anna',
    ]);
    expect(result.steps.at(-1)).toMatchObject({
      comment: comment('anna@pve', { claims: [claim('dmz', [10001])] }),
      removeVmids: [10002],
    });
  });

  test('that was there before us stays, without our lines', () => {
    const pools = {
      anna: comment('anna@pve', {
        claims: [claim('net', [10000])],
        adopted: true,
        others: ['of the department'],
      }),
    };
    const result = plan(cluster({ ...oneStand, pools }), byAnna);
    expect(ids(result)).toContain('pool.release:anna');
    expect(result.steps.find((step) => step.kind === 'pool.release')).toMatchObject({
      comment: 'of the department',
    });
  });

  test('that was there before us gives up our mark whatever is in it, and nothing of that goes', () => {
    const pools = { anna: comment('anna@pve', { claims: [claim('net', [10000])], adopted: true }) };
    const vms = { 10000: {}, 300: { values: { description: '' } }, 301: { guest: { type: 'lxc' as const } } };
    const result = plan(cluster({ ...oneStand, vms, pools }), byAnna, { includeMembers: true });
    expect(result.steps.find((step) => step.kind === 'pool.release')).toMatchObject({
      comment: '',
    });
    expect(notes(result)).toContain('members that are not ours (300, 301)');
    expect(ids(result).filter((id) => id.startsWith('vm.'))).toEqual(['vm.delete:10000']);
    expect(result.stands[0]?.refused).toBeUndefined();
  });

  test('without our mark is left alone, with the rights on it', () => {
    const snapshot = cluster({ ...oneStand, pools: { anna: 'of the department' }, bridges: [], users: [] });
    for (const selection of [byAnna, classOf('net', 'anna')])
      expect(ids(plan(snapshot, selection))).toEqual([]);
  });

  test("with another user's mark is left alone, with the rights on it", () => {
    const pools = { anna: comment('anna@ldap', { claims: [claim('net', [10000])] }) };
    const snapshot = cluster({ ...oneStand, pools, bridges: [], users: [] });
    expect(ids(plan(snapshot, byAnna))).toEqual([]);
  });

  test('each of two of one user goes, and then the user, once', () => {
    const pools = {
      anna: comment('anna@pve', { claims: [claim('net', [10000])] }),
      'anna-2': comment('anna@pve', { claims: [claim('dmz', [10001])] }),
    };
    const vms = { 10000: {}, 10001: { guest: { pool: 'anna-2' }, values: finished('dmz', 'anna', 10001) } };
    const result = plan(cluster({ ...oneStand, vms, pools, bridges: [] }), byAnna);
    expect(ids(result).slice(-3)).toEqual(['pool.delete:anna', 'pool.delete:anna-2', 'user.delete:anna@pve']);
    expect(ids(plan(cluster({ ...oneStand, vms, pools }), { by: 'stands', lab: 'net' }))).not.toContain(
      'user.delete:anna@pve',
    );
  });
});

describe('what a class made in a pool of ours', () => {
  const own: Vm = { guest: { name: 'mine' }, values: { name: 'mine', description: '' } };
  const withOwn = (more: Vm = {}): Built => ({
    ...oneStand,
    vms: {
      10000: {},
      300: { guest: { ...own.guest, ...more.guest }, values: { ...own.values, ...more.values } },
    },
    bridges: [],
  });
  const emptied = `deploy-stand user=anna@pve\nlab=net vms= since=${OLD}`;
  const removal = ['acl.revoke:/pool/anna PVEVMAdmin', 'vm.delete:10000'];

  test.each<{ name: string; selection: CleanupSelection }>([
    { name: '--user', selection: byAnna },
    { name: '--lab', selection: { by: 'stands', lab: 'net' } },
    { name: '-c and -u', selection: classOf('net', 'anna') },
  ])('is named by $name, stays with pool and user, and goes with --include-members', ({ selection }) => {
    const first = plan(cluster(withOwn()), selection);
    expect(ids(first)).toEqual([...removal, 'pool.release:anna']);
    expect(first.steps.at(-1)).toMatchObject({ comment: emptied });
    expect(first.stands[0]?.refused).toMatchObject({
      code: 'MEMBERS_LEFT',
      message: expect.stringContaining('VM 300 (mine) on pve1 is in pool anna') as string,
      hint: expect.stringContaining('--include-members') as string,
    });
    expect(first.stands[0]?.vms).toContainEqual(expect.objectContaining({ vmid: 300, state: 'staying' }));
    const after = appliedCleanup(cluster(withOwn()), first.steps);
    expect(ids(plan(after, selection))).toEqual([]);
    const second = plan(after, selection, { includeMembers: true });
    expect(ids(second)).toEqual(['vm.delete:300', 'pool.delete:anna', 'user.delete:anna@pve']);
    expect(second.steps[0]).toMatchObject({ vmid: 300, pool: 'anna', member: true });
    const once = plan(cluster(withOwn()), selection, { includeMembers: true });
    expect(ids(once)).toEqual([...removal, 'vm.delete:300', 'pool.delete:anna', 'user.delete:anna@pve']);
    expect(once.steps.find(({ id }) => id === 'pool.delete:anna')?.dependsOn).toContain('vm.delete:300');
  });

  test.each<{ name: string; vm: Vm; code?: string; kinds: readonly string[] }>([
    { name: 'runs: off first', vm: { guest: { status: 'running' } }, kinds: ['vm.stop', 'vm.delete'] },
    { name: 'HA manages: out of it', vm: { guest: { ha: true } }, kinds: ['ha.remove', 'vm.delete'] },
    { name: 'is protected: stays', vm: { values: { protection: '1' } }, code: 'PROTECTED', kinds: [] },
    // Its own user can make it one by a single option, and PVE removes none that has linked clones.
    { name: 'is a template: goes', vm: { values: { template: '1' } }, kinds: ['vm.delete'] },
    { name: 'is a container: stays', vm: { guest: { type: 'lxc' } }, code: 'MEMBER_CONTAINER', kinds: [] },
    { name: 'is hibernated: goes', vm: { values: { lock: 'suspended' } }, kinds: ['vm.delete'] },
  ])('and $name', ({ vm, code, kinds }) => {
    const result = plan(cluster(withOwn(vm)), byAnna, { includeMembers: true });
    const of300 = result.steps.filter((step) => 'vmid' in step && step.vmid === 300);
    expect(of300.map(({ kind }) => kind)).toEqual(kinds);
    expect(of300.every((step) => 'member' in step && step.member)).toBe(true);
    expect(result.stands[0]?.refused?.code).toBe(code);
  });

  test('and what was made a template goes after what may be a linked clone of it', () => {
    const { steps } = plan(cluster(withOwn({ values: { template: '1' } })), byAnna, { includeMembers: true });
    const last = steps.find(({ id }) => id === 'vm.delete:300');
    expect(last?.after).toContain('vm.delete:10000');
  });

  test('at a claimed number is not ours, but goes like the rest', () => {
    const claims = [
      makeClaim({
        lab: 'net',
        machines: [{ machine: 'pc', vmid: 300, state: 'reserved', seals: ['0'.repeat(24)] }],
        unnamed: [],
        since: OLD,
      }),
    ];
    const built = { ...withOwn(), pools: { anna: comment('anna@pve', { claims }) }, vms: { 300: own } };
    expect(plan(cluster(built), byAnna).stands[0]?.refused?.code).toBe('MEMBERS_LEFT');
    const result = plan(cluster(built), byAnna, { includeMembers: true });
    expect(result.steps.find(({ id }) => id === 'vm.delete:300')).toMatchObject({ member: true });
  });

  test('where a machine was being made, without its seal: in the pool it goes like the rest, in none its claim stays', () => {
    const seals = ['0'.repeat(24)];
    const made = (more: Partial<Claim>, macs?: []): Record<string, string> => {
      const pc = { machine: 'pc', vmid: 300, state: 'reserved', seals, ...(macs ? { macs } : {}) } as const;
      return { anna: comment('anna@pve', { claims: [claim('net', [], { machines: [pc], ...more })] }) };
    };
    for (const pools of [made({ joinsAtOnce: true }), made({}, [])]) {
      const built = { ...withOwn(), pools, vms: { 300: own } };
      expect(plan(cluster(built), byAnna).stands[0]?.refused?.code).toBe('MEMBERS_LEFT');
      const gone = plan(cluster(built), byAnna, { includeMembers: true });
      expect(ids(gone)).toEqual(expect.arrayContaining(['vm.delete:300', 'pool.delete:anna']));
      // Until then its number stays claimed, so that the next deploy makes no further one beside it.
      expect(ids(plan(cluster(built), byAnna)).filter((id) => id.startsWith('pool.'))).toEqual([]);
    }
    // Beside another lab nobody asks about members: then it is told as one in no pool.
    const [net] = [made({}, [])].map(({ anna = '' }) => anna);
    const two = {
      anna: `${net}\n${comment('anna@pve', { claims: [claim('dmz', [10001])] }).split('\n')[1] ?? ''}`,
    };
    const shared = {
      ...withOwn(),
      pools: two,
      vms: { 300: own, 10001: { values: finished('dmz', 'anna', 10001) } },
    };
    const byNet = plan(cluster(shared), { by: 'stands', lab: 'net' }, { includeMembers: true });
    expect(byNet.stands[0]?.refused?.code).toBe('SEAL_LOST');
    expect(ids(byNet).filter((id) => /^(vm|pool)/.test(id))).toEqual([]);
    const outside = guest(300, { name: 'mine', status: 'stopped' });
    const left = { ...cluster({ ...withOwn(), pools: made({}, []), vms: { 300: own } }), guests: [outside] };
    for (const selection of [byAnna, { by: 'orphans' } as const]) {
      const { stands, steps } = plan(left, selection);
      expect(stands[0]?.refused).toMatchObject({
        code: 'SEAL_LOST',
        hint: expect.stringContaining('qm destroy 300 --purge') as string,
      });
      expect(steps.filter(({ kind }) => kind.startsWith('vm.') || kind === 'pool.delete')).toEqual([]);
    }
  });

  test('stays while another lab is on the pool, without a word', () => {
    const pools = { anna: comment('anna@pve', { claims: [claim('net', [10000]), claim('dmz', [10001])] }) };
    const built = { ...withOwn(), pools };
    const vms = { ...built.vms, 10001: { values: finished('dmz', 'anna', 10001) } };
    const result = plan(cluster({ ...built, vms }), { by: 'stands', lab: 'net' }, { includeMembers: true });
    expect(ids(result).filter((id) => id.startsWith('vm.'))).toEqual(['vm.delete:10000']);
    expect(result.stands[0]?.refused).toBeUndefined();
  });

  test('stays when another pool claims its number', () => {
    const built = withOwn();
    const pools = { ...built.pools, boris: comment('boris@pve', { claims: [claim('net', [300])] }) };
    const result = plan(cluster({ ...built, pools }), byAnna, { includeMembers: true });
    expect(result.stands[0]?.refused?.code).toBe('MEMBER_CLAIMED');
    expect(ids(result)).not.toContain('vm.delete:300');
  });

  test('is no orphan, however old its stand is', () => {
    const built = { ...withOwn(), vms: { 300: own } };
    const orphans: CleanupSelection = { by: 'orphans' };
    const result = plan(cluster(built), orphans, { includeMembers: true, minAgeSeconds: 0 });
    expect(ids(result).filter((id) => id.startsWith('vm.'))).toEqual([]);
    expect(result.stands[0]?.refused?.hint).toContain('cleanup --user anna@pve --include-members');
  });

  test('goes from a pool that stays for the next lab', () => {
    const options = { includeMembers: true, keepUsers: true };
    const result = plan(cluster(withOwn()), byAnna, options);
    expect(ids(result)).toEqual([...removal, 'vm.delete:300', 'pool.release:anna']);
    expect(result.steps.at(-1)).toMatchObject({ comment: 'deploy-stand user=anna@pve kept' });
  });
});

describe('a claimed number', () => {
  const cases: readonly { name: string; vm: Vm; goes: boolean; note?: string; code?: string }[] = [
    {
      name: 'of a VM in the pool, whatever its notes say',
      vm: { values: { description: 'mine' } },
      goes: true,
    },
    {
      name: 'of a VM put into another pool, whatever its mark says',
      vm: { guest: { pool: 'staff' } },
      goes: false,
      note: 'not ours',
    },
    {
      name: 'of a VM taken out of the pool',
      vm: { guest: { pool: undefined as never } },
      goes: false,
      code: 'LEFT_POOL',
    },
    {
      name: 'of a stranger elsewhere',
      vm: { guest: { pool: 'staff' }, values: { description: 'mail' } },
      goes: false,
      note: 'not ours',
    },
    {
      name: 'of a clone that inherited the mark of another',
      vm: { guest: { pool: 'staff' }, values: finished('net', 'anna', 9999) },
      goes: false,
      note: 'not ours',
    },
    {
      name: 'of a container elsewhere',
      vm: { guest: { type: 'lxc', pool: 'staff' } },
      goes: false,
      note: 'not ours',
    },
    {
      name: 'of a container in the pool, which we never make',
      vm: { guest: { type: 'lxc' } },
      goes: false,
      code: 'MEMBER_CONTAINER',
    },
    { name: 'of a protected VM', vm: { values: { protection: '1' } }, goes: false, code: 'PROTECTED' },
    {
      // A student does that to the own machine by a single option, and must not keep it from going.
      name: 'of a VM made a template',
      vm: { values: { template: '1' } },
      goes: true,
    },
    { name: 'of a VM that cannot be read', vm: { unreadable: true }, goes: false, code: 'VM_UNREADABLE' },
    {
      name: 'of a VM outside pools that cannot be read',
      vm: { unreadable: true, guest: { pool: undefined as never } },
      goes: false,
      code: 'LEFT_POOL',
    },
    { name: 'of a half-made VM', vm: { values: { description: '' } }, goes: true },
    {
      name: 'of a rest of a removal in our pool (the handler tries)',
      vm: { values: { lock: 'destroyed', description: '' } },
      goes: true,
    },
    {
      name: 'of a rest of a removal that lost its pool',
      vm: { guest: { pool: undefined as never }, values: { lock: 'destroyed' } },
      goes: false,
      code: 'ZOMBIE_VM',
    },
    {
      name: 'of a rest of a clone that lost its pool',
      vm: { guest: { pool: undefined as never }, values: { lock: 'clone' } },
      goes: false,
      code: 'ZOMBIE_VM',
    },
    {
      name: 'of a VM under a backup (the handler waits)',
      vm: { values: { lock: 'backup' } },
      goes: true,
      note: "VM 10000 on pve1 is locked (backup): no task of it is to be seen on pve1; unless somebody else's holds it, as root on pve1: `qm unlock 10000`",
    },
  ];
  test.each(cases)('$name', ({ vm, goes, note, code }) => {
    const snapshot = cluster({ ...oneStand, vms: { 10000: vm }, bridges: [] });
    const result = plan(snapshot, byAnna);
    expect(ids(result).includes('vm.delete:10000')).toBe(goes);
    expect(result.stands[0]?.refused?.code).toBe(code);
    expect(notes(result)).toContain(note ?? '');
    // What stays by our own rules keeps its claim; what is not ours does not hold up the rest.
    expect(ids(result).includes('pool.delete:anna')).toBe(code === undefined);
  });

  test('of a VM whose removal is under way is waited for, not broken', () => {
    const vm = { guest: { pool: undefined as never }, values: { lock: 'destroyed' } };
    const tasks = [{ node: 'pve1', type: 'qmdestroy', id: '10000' }];
    const { stands } = plan(cluster({ ...oneStand, vms: { 10000: vm }, more: { tasks } }), byAnna);
    expect(stands[0]?.refused).toMatchObject({
      code: 'VM_LOCKED',
      message: 'VM 10000 on pve1 is being removed',
      hint: 'task qmdestroy holds it: wait until it has ended, then run again',
    });
  });

  test('of the emptied rest of a clone that never joined is told, and keeps its claim', () => {
    const reserved = { machine: 'pc', vmid: 10000, state: 'reserved' as const, seals: ['5e'.repeat(12)] };
    const half = makeClaim({ lab: 'net', machines: [reserved], unnamed: [], since: OLD, node: 'pve1' });
    const pools = { anna: comment('anna@pve', { claims: [half] }) };
    const vm = { guest: { pool: undefined as never }, values: { lock: 'destroyed', description: '' } };
    const result = plan(cluster({ ...oneStand, pools, vms: { 10000: vm } }), byAnna);
    expect(result.stands[0]?.refused).toMatchObject({
      code: 'ZOMBIE_VM',
      message: expect.stringContaining('the rest of a failed removal (lock: destroyed)') as string,
    });
    expect(ids(result)).not.toContain('pool.delete:anna');
    expect(notes(result)).not.toContain('is not ours');
  });

  test('of a zombie comes with the command for root', () => {
    const vm = { guest: { pool: undefined as never }, values: { lock: 'destroyed' } };
    const { stands } = plan(cluster({ ...oneStand, vms: { 10000: vm } }), byAnna);
    expect(stands[0]?.refused?.hint).toContain('qm unlock 10000 && qm destroy 10000 --purge');
  });

  test('of a protected VM goes with --force-protected, the flag first', () => {
    const snapshot = cluster({ ...oneStand, vms: { 10000: { values: { protection: '1' } } } });
    const { steps } = plan(snapshot, byAnna, { forceProtected: true });
    expect(steps.slice(1, 3).map((step) => [step.id, step.dependsOn])).toEqual([
      ['vm.unprotect:10000', []],
      ['vm.delete:10000', ['vm.unprotect:10000']],
    ]);
  });

  test('that two pools claim is removed once', () => {
    const pools = {
      anna: comment('anna@pve', { claims: [claim('net', [10000])] }),
      boris: comment('boris@pve', { claims: [claim('net', [10000])] }),
    };
    const result = plan(cluster({ ...oneStand, pools }), { by: 'stands', lab: 'net' });
    expect(ids(result).filter((id) => id === 'vm.delete:10000')).toHaveLength(1);
  });
});

describe('a bridge of the stand stays, and the claim with it while it could not go', () => {
  const inUse = (vm: Vm): Built => ({ ...oneStand, vms: { ...oneStand.vms, 300: vm } });
  const elsewhere = { guest: { pool: 'staff' } };
  const [pve1, pve2] = cluster(oneStand).networks;
  const foreign = { iface: 'vmbr7', change: 'added', ours: false, text: '+iface vmbr7 inet manual' } as const;
  test.each<{ name: string; built: Built; note: string; code?: string }>([
    {
      name: 'when a VM of others names it',
      built: inUse({ ...elsewhere, nets: ['vmbr1000'] }),
      note: 'guest 300',
    },
    {
      name: 'when a container names it',
      built: inUse({ guest: { pool: 'staff', type: 'lxc' }, nets: ['vmbr1000'] }),
      note: 'guest 300',
    },
    {
      name: 'when a guest cannot be read',
      built: inUse({ ...elsewhere, nets: ['*'] }),
      note: '',
      code: 'GUESTS_UNREADABLE',
    },
    {
      name: 'when somebody gave it a port',
      built: { ...oneStand, bridges: [{ ...lan('vmbr1000'), ports: ['eno2'] }] },
      note: 'eno2',
    },
    {
      name: 'when somebody gave the host an address on it',
      built: { ...oneStand, bridges: [{ ...lan('vmbr1000'), addresses: ['10.1.0.1/24'] }] },
      note: 'address 10.1.0.1/24',
    },
    {
      name: 'when another interface is built on it',
      built: { ...oneStand, bridges: [{ ...lan('vmbr1000'), above: ['vmbr7'] }] },
      note: 'vmbr7 is built on it',
    },
    {
      name: 'when the guests were not read',
      built: { ...oneStand, more: { bridgeUseNodes: ['pve2'] } },
      note: '',
      code: 'GUESTS_UNREADABLE',
    },
    {
      name: 'when guests may be hidden from the caller',
      built: { ...oneStand, more: { hidden: { bridges: false, guests: true } } },
      note: '',
      code: 'GUESTS_HIDDEN',
    },
    {
      name: 'when others staged changes on the node',
      built: { ...oneStand, more: { networks: [{ ...pve1!, pending: [foreign] }, pve2!] } },
      note: '',
      code: 'FOREIGN_PENDING_CHANGES',
    },
  ])('$name', ({ built, note, code }) => {
    const result = plan(cluster(built), byAnna);
    expect(ids(result)).not.toContain('bridge.delete:pve1/vmbr1000');
    expect(ids(result)).not.toContain('network.reload:pve1');
    expect(notes(result)).toContain(note);
    expect(result.stands[0]?.refused?.code).toBe(code);
    // A claim that is given up for a bridge that could not go would leave it to nobody.
    const kept = code === undefined ? ['pool.delete:anna', 'user.delete:anna@pve'] : [];
    expect(ids(result).filter((id) => /^(?:pool|user)\./.test(id))).toEqual(kept);
  });
});

test('a list of bridges that may be short is said to be', () => {
  const hidden = { bridges: true, guests: false };
  expect(plan(cluster({ ...oneStand, more: { hidden } }), byAnna).warnings.join()).toContain('SDN.Audit');
});

test('the rights of before survive the cleanup of an adopted pool, those of deploy do not', () => {
  const pools = {
    anna: `deploy-stand user=anna@pve adopted roles=PVEVMAdmin\nlab=net vmids=10000 since=${OLD}`,
  };
  const snapshot = cluster({ ...oneStand, pools });
  const granted = { ...snapshot.acls[0]!, role: 'PVEVMUser' };
  const result = plan({ ...snapshot, acls: [...snapshot.acls, granted] }, byAnna);
  expect(ids(result)).toContain('acl.revoke:/pool/anna PVEVMUser');
  expect(ids(result)).not.toContain(REVOKE);
});

describe('expired', () => {
  const until = (expires: string): Built => ({
    ...oneStand,
    pools: { anna: comment('anna@pve', { claims: [claim('net', [10000], { expires })] }) },
  });
  const second = (when: string): number => Date.parse(when) / 1000;
  test.each<{ name: string; built: Built; goes: boolean }>([
    { name: 'a lab after its last day', built: until('2026-11-20'), goes: true },
    { name: 'not a lab on its last day', built: until('2026-11-21'), goes: false },
    { name: 'not a lab without an end', built: oneStand, goes: false },
    {
      name: 'a user after the second PVE says',
      built: { ...oneStand, users: [userInfo('anna', { expire: second('2026-11-21T08:00:00Z') })] },
      goes: true,
    },
    {
      name: 'not a user before',
      built: { ...oneStand, users: [userInfo('anna', { expire: second('2026-11-21T08:00:01Z') })] },
      goes: false,
    },
  ])('$name', ({ built, goes }) => {
    expect(ids(plan(cluster(built), { by: 'expired' }))).toEqual(goes ? ALL_OF_IT : []);
  });
});

const KEPT = 'deploy-stand user=anna@pve kept';

describe('orphans', () => {
  const orphans: CleanupSelection = { by: 'orphans' };

  test('a finished stand, whose bridges were looked at, is not told', () => {
    expect(plan(cluster(oneStand), orphans).stands).toEqual([]);
  });

  const halfMade = { values: { description: 'deploy-stand lab=net user=anna@pve machine=pc vmid=10001' } };
  const twoVms = { 10000: { nets: ['vmbr1000'] }, 10001: halfMade };
  const pools = { anna: comment('anna@pve', { claims: [claim('net', [10000, 10001])] }) };
  const dead: Built = { ...oneStand, vms: {} };
  const young = { anna: comment('anna@pve', { claims: [claim('net', [10000], { since: YOUNG })] }) };
  const release = [REVOKE, 'bridge.delete:pve1/vmbr1000', 'network.reload:pve1', 'pool.delete:anna'];
  test.each<{ name: string; built: Built; steps: readonly string[] }>([
    { name: 'are not a finished stand', built: oneStand, steps: [] },
    {
      name: 'are the half-made VMs of a stand, which keeps its claim to the rest',
      built: { ...oneStand, vms: twoVms, pools },
      steps: ['vm.delete:10001', 'pool.release:anna'],
    },
    {
      name: 'are all that is left when every VM is half-made',
      built: {
        ...oneStand,
        vms: { 10001: halfMade },
        pools: { anna: comment('anna@pve', { claims: [claim('net', [10001, 10002])] }) },
      },
      steps: [REVOKE, 'vm.delete:10001', ...release.slice(1), 'user.delete:anna@pve'],
    },
    {
      name: 'are a claim without VMs, with bridge, pool and user',
      built: dead,
      steps: [...release, 'user.delete:anna@pve'],
    },
    { name: 'are not younger than --min-age', built: { ...dead, pools: young }, steps: [] },
    {
      name: 'are nothing while anything is cloned',
      built: { ...dead, more: { tasks: [{ node: 'pve2', type: 'qmclone', id: '101' }] } },
      steps: [],
    },
    {
      name: 'are not under a task of their own',
      built: {
        ...oneStand,
        vms: { 10000: {}, 10001: halfMade },
        pools,
        more: { tasks: [{ node: 'pve1', type: 'qmconfig', id: '10001' }] },
      },
      steps: [],
    },
    {
      name: 'are a bridge without a stand',
      built: { bridges: [lan('vmbr1000')] },
      steps: ['bridge.delete:pve1/vmbr1000', 'network.reload:pve1'],
    },
    {
      name: 'are not a young bridge',
      built: { bridges: [lan('vmbr1000', 'net', 'anna', YOUNG)] },
      steps: [],
    },
    {
      name: 'are not the unplugged bridge of a stand that lives',
      built: { ...oneStand, vms: { 10000: { nets: ['vmbr0'] } } },
      steps: [],
    },
    {
      name: 'are the bridge of a lab that a living user has no more',
      built: { ...oneStand, bridges: [lan('vmbr1000'), lan('vmbr1001', 'dmz')] },
      steps: ['bridge.delete:pve1/vmbr1001', 'network.reload:pve1'],
    },
    {
      name: 'are a user without stands',
      built: { users: [userInfo('anna')] },
      steps: ['user.delete:anna@pve'],
    },
    {
      name: 'are not a young user, nor one of others',
      built: {
        users: [
          userInfo('anna', { comment: `deploy-stand since=${YOUNG}` }),
          userInfo('boris', { comment: 'of the department' }),
        ],
      },
      steps: [],
    },
    {
      name: 'are an empty pool with its user',
      built: { pools: { anna: comment('anna@pve', { claims: [] }) }, users: [userInfo('anna')] },
      steps: [REVOKE, 'pool.delete:anna', 'user.delete:anna@pve'],
    },
    {
      name: 'are no user and pool that were made for the class, with their access',
      built: { pools: { anna: KEPT }, users: [userInfo('anna')] },
      steps: [],
    },
    {
      name: 'are such a pool when its user is gone',
      built: { pools: { anna: KEPT }, more: { acls: [] } },
      steps: ['pool.delete:anna'],
    },
    {
      name: 'are of the class only what is left of a stand',
      built: { ...dead, pools: { anna: `${KEPT}\nlab=net vmids=10000 since=${OLD}` } },
      steps: ['bridge.delete:pve1/vmbr1000', 'network.reload:pve1', 'pool.release:anna'],
    },
    {
      name: 'are an empty pool whose user is gone',
      built: { pools: { anna: comment('anna@pve', { claims: [] }) }, more: { acls: [] } },
      steps: ['pool.delete:anna'],
    },
    {
      name: 'are not an empty pool of a user that was there before, for it has no age',
      built: {
        pools: { anna: comment('anna@pve', { claims: [] }) },
        users: [userInfo('anna', { comment: 'of the department' })],
      },
      steps: [],
    },
  ])('$name', ({ built, steps }) => {
    const result = plan(cluster(built), orphans);
    expect(ids(result)).toEqual(steps);
    expect(ids(plan(appliedCleanup(cluster(built), result.steps), orphans))).toEqual([]);
    // Finished since then, it is none: its handler asks.
    const removals = result.steps.filter((step) => step.kind === 'vm.delete');
    expect(removals.every((step) => 'halfMade' in step)).toBe(true);
  });

  test('of one pool, dead and half-made at once, are given back in one write', () => {
    const claims = [claim('net', [10000, 10001]), claim('dmz', [10005])];
    const built = { ...oneStand, vms: twoVms, pools: { anna: comment('anna@pve', { claims }) } };
    const { steps } = plan(cluster(built), orphans);
    expect(steps.map((step) => step.id)).toEqual(['vm.delete:10001', 'pool.release:anna']);
    expect(steps.at(-1)).toMatchObject({
      comment: comment('anna@pve', { claims: [claim('net', [10000])] }),
      removeVmids: [10005],
    });
  });
});

describe('a stand of the Python tool', () => {
  const plain = { values: { description: '' } };
  const onLan = { values: { description: '', net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr1000' } };
  const python: Built = {
    vms: {
      500: { ...onLan, nets: ['vmbr1000'] },
      501: { ...onLan, guest: { name: 'router' }, nets: ['vmbr1000', 'vmbr0'] },
      502: { ...plain, guest: { name: 'mail' } },
      503: { ...plain, guest: { pool: 'staff' } },
      504: { guest: { type: 'lxc' } },
    },
    pools: { anna: 'created by hand' },
    users: [userInfo('anna', { comment: '' })],
    bridges: [bridge('vmbr1000', { ports: [] })],
  };

  test('is left alone without --adopt', () => {
    for (const selection of [classOf('net', 'anna'), byAnna, { by: 'stands', lab: 'net' } as const]) {
      expect(ids(plan(cluster(python), selection))).toEqual([]);
    }
  });

  test('at an id that 0.1.0 claimed, and nothing shows who made it: with --adopt only what is called like a machine', () => {
    const vms = { 10000: plain, 10001: { ...plain, guest: { name: 'mail' } } };
    const pools = { anna: `deploy-stand user=anna@pve\nlab=net vmids=10000-10001 since=${OLD}` };
    const more = { acls: [] };
    const result = plan(cluster({ vms, pools, users: [userInfo('anna')], more }), classOf('net', 'anna'), {
      adopt: true,
    });
    expect(result.steps.filter(({ kind }) => kind === 'vm.delete').map(({ id }) => id)).toEqual([
      'vm.delete:10000',
    ]);
    expect(result.stands[0]?.refused).toMatchObject({
      code: 'UNMARKED_VM',
      message: expect.stringContaining('VM 10001 (mail)') as string,
    });
  });

  test('is left alone with --adopt in a pool that is marked for a user of the same name in another realm', () => {
    const pools = { anna: 'deploy-stand user=anna@ldap' };
    const selection = classOf('net', 'anna');
    expect(ids(plan(cluster({ ...python, pools }), selection, { adopt: true }))).toEqual([]);
  });

  test('is removed with --adopt: VMs called like machines, the bridge that only they name', () => {
    const result = plan(cluster(python), classOf('net', 'anna'), { adopt: true });
    expect(ids(result)).toEqual([
      'vm.delete:500',
      'vm.delete:501',
      'bridge.delete:pve1/vmbr1000',
      'network.reload:pve1',
    ]);
    expect(result.steps.map((step) => step.reason)).toEqual([
      'no mark; adopted: in pool anna, called pc like a machine of the lab',
      'no mark; adopted: in pool anna, called router like a machine of the lab',
      'no mark; adopted: a network of the lab leads to it, and only VMs removed here name it',
      'once, for all of them',
    ]);
    expect(notes(result)).toContain('were not made by deploy-stand: they stay');
  });

  test('does not take a bridge that no network of the lab leads to, though a VM that goes is plugged into it', () => {
    // A card too many: its student may have plugged it in anywhere.
    const values = { ...onLan.values, net5: 'virtio=BC:24:11:00:00:05,bridge=vmbr1001' };
    const vms = { ...python.vms, 500: { values, nets: ['vmbr1000', 'vmbr1001'] } };
    const bridges = [1000, 1001].map((number) => bridge(`vmbr${number}`, { ports: [] }));
    const result = plan(cluster({ ...python, vms, bridges }), classOf('net', 'anna'), { adopt: true });
    expect(ids(result)).toEqual([
      'vm.delete:500',
      'vm.delete:501',
      'bridge.delete:pve1/vmbr1000',
      'network.reload:pve1',
    ]);
    expect(notes(result)).toContain(
      'bridge vmbr1001 on pve1 stays: it carries no mark, and no network of the lab leads to it',
    );
  });

  test('takes the bridge behind the cards that the tool kept of the template', () => {
    const nets = ['vmbr0', 'vmbr1000'];
    const cards = nets.map((name, at) => [`net${at}`, `virtio=BC:24:11:00:00:0${at},bridge=${name}`]);
    const vms = { 500: { values: { description: '', ...Object.fromEntries(cards) }, nets } };
    const bridges = [bridge('vmbr1000', { ports: [] })];
    const steps = ids(plan(cluster({ ...python, vms, bridges }), classOf('net', 'anna'), { adopt: true }));
    expect(steps).toContain('bridge.delete:pve1/vmbr1000');
  });

  test.each<{ name: string; bridges: readonly BridgeInfo[]; nets: readonly string[] }>([
    { name: 'with a comment', bridges: [bridge('vmbr1000', { ports: [], comments: 'mail' })], nets: [] },
    { name: 'with a port', bridges: [bridge('vmbr1000')], nets: [] },
    {
      name: 'with an address',
      bridges: [bridge('vmbr1000', { ports: [], addresses: ['10.1.0.1/24'] })],
      nets: [],
    },
    { name: 'below another', bridges: [bridge('vmbr1000', { ports: [], above: ['bond1'] })], nets: [] },
    { name: 'below vmbr1000', bridges: [bridge('vmbr999', { ports: [] })], nets: [] },
    { name: 'that another guest names', bridges: [bridge('vmbr1000', { ports: [] })], nets: ['vmbr1000'] },
  ])('does not take a bridge $name', ({ bridges, nets }) => {
    const vms = { ...python.vms, 503: { ...plain, guest: { pool: 'staff' }, nets } };
    const result = plan(cluster({ ...python, vms, bridges }), classOf('net', 'anna'), { adopt: true });
    expect(ids(result)).toEqual(['vm.delete:500', 'vm.delete:501']);
  });

  test.each<{ name: string; called: string; takes: boolean }>([
    { name: 'called like a machine: a takeover was cut short', called: 'pc', takes: true },
    { name: 'called otherwise: a clone of ours failed', called: 'dns', takes: false },
  ])('a VM at a claimed id, without a mark, $name', ({ called, takes }) => {
    const vms = { 10000: { ...onLan, guest: { name: called }, nets: ['vmbr1000'] } };
    const snapshot = cluster({ ...oneStand, vms, bridges: [bridge('vmbr1000', { ports: [] })] });
    const steps = ids(plan(snapshot, classOf('net', 'anna'), { adopt: true }));
    expect(steps).toContain('vm.delete:10000');
    expect(steps.includes('bridge.delete:pve1/vmbr1000')).toBe(takes);
  });

  test('releases the claim though a bridge without a mark stays: the claim tells nothing of it', () => {
    const vms = { 10000: { ...onLan, guest: { name: 'pc' }, nets: ['vmbr1000'] } };
    const bridges = [bridge('vmbr1000', { ports: [] })];
    // Anybody who may edit a card may have led it there.
    const snapshot = cluster({ ...oneStand, vms, bridges, more: { version: '7.4' } });
    const result = plan(snapshot, classOf('net', 'anna'), { adopt: true });
    expect(result.stands[0]?.refused?.code).toBe('ADOPT_BRIDGE');
    expect(ids(result)).toEqual([REVOKE, 'vm.delete:10000', 'pool.delete:anna', 'user.delete:anna@pve']);
  });

  test('keeps the claim where another node cannot be read, whatever else stays', () => {
    const vms = { 10000: { ...onLan, guest: { name: 'pc' }, nets: ['vmbr1000'] } };
    const bridges = [bridge('vmbr1000', { ports: [] })];
    const all = cluster({ ...oneStand, vms, bridges, more: { version: '7.4' } });
    const unread = { node: 'pve9', readable: false, bridges: [], pending: [] };
    const snapshot = {
      ...all,
      nodes: [...all.nodes, { ...all.nodes[0]!, name: 'pve9' }],
      networks: [...all.networks, unread],
    };
    const result = plan(snapshot, classOf('net', 'anna'), { adopt: true });
    expect(result.stands[0]?.refused?.code).toBe('NODE_UNREACHABLE');
    expect(ids(result).filter((id) => /^(?:pool|user)[.]/.test(id))).toEqual([]);
  });

  test.each([
    { name: 'of a node that is on keeps the claims', online: true },
    { name: 'of a node that is off does not: they would stay for ever', online: false },
  ])('a network that could not be read, $name', ({ online }) => {
    const all = cluster(oneStand);
    const networks = [{ node: 'pve9', readable: false, bridges: [], pending: [] }];
    const nodes = [...all.nodes, { ...all.nodes[0]!, name: 'pve9', online }];
    const result = plan({ ...all, nodes, networks: [...all.networks, ...networks] }, classOf('net', 'anna'));
    expect(result.stands[0]?.refused?.code).toBe(online ? 'NODE_UNREACHABLE' : undefined);
    expect(ids(result).filter((id) => /^(pool|user)[.]delete/.test(id))).toEqual(
      online ? [] : ['pool.delete:anna', 'user.delete:anna@pve'],
    );
  });

  test('that a killed cleanup left half removed is finished: its staged removal carries no mark', () => {
    const row = (iface: string, more: string[] = [], method = 'manual') => ({
      iface,
      change: 'removed' as const,
      ours: false,
      text: [
        ...[`auto ${iface}`, `iface ${iface} inet ${method}`],
        ...['\tbridge-ports none', '\tbridge-stp off', '\tbridge-fd 0', ...more],
      ]
        .map((line) => `-${line}`)
        .join('\n'),
    });
    const after = (rows: readonly ReturnType<typeof row>[], more: Partial<Inventory> = {}) =>
      cluster({
        more: { networks: [{ node: 'pve1', readable: true, bridges: [], pending: rows }], ...more },
      });
    const options = { adopt: true };
    expect(plan(after([row('vmbr1000')]), classOf('net', 'anna'), options).steps).toEqual([
      expect.objectContaining({ id: 'network.reload:pve1', gone: ['vmbr1000'] }),
    ]);
    const aware = row('vmbr1000', ['\tbridge-vlan-aware yes', '\tbridge-vids 2-4094']);
    expect(ids(plan(after([aware]), classOf('net', 'anna'), options))).toEqual(['network.reload:pve1']);
    for (const rows of [
      [row('vmbr7')],
      [row('vmbr1000', ['#mail'])],
      // The tool gave no bridge an address, a size or a command, and VLANs all or none.
      [row('vmbr1000', ['\taddress 10.0.0.1/24'], 'static')],
      [row('vmbr1000', ['\taddress 10.0.0.1/24'])],
      [row('vmbr1000', ['\tmtu 9000'])],
      [row('vmbr1000', ['\tpost-up ip route add 10.0.0.0/8 dev vmbr1000'])],
      [row('vmbr1000', ['\tbridge-vlan-aware yes', '\tbridge-vids 10 20'])],
      [row('vmbr1000', ['iface vmbr1000 inet6 auto'])],
    ]) {
      expect(ids(plan(after(rows), classOf('net', 'anna'), options))).toEqual([]);
    }
    const guest = { vmid: 400, node: 'pve1', bridges: ['vmbr1000'], snapshotBridges: [], description: '' };
    for (const more of [
      { bridgeUse: [guest] },
      { bridgeUse: [{ ...guest, bridges: [], snapshotBridges: ['vmbr1000'] }] },
      { bridgeUseNodes: [] },
      { hidden: { bridges: false, guests: true } },
      { version: '7.4' },
    ]) {
      expect(ids(plan(after([row('vmbr1000')], more), classOf('net', 'anna'), options))).toEqual([]);
    }
    expect(ids(plan(after([row('vmbr1000')]), classOf('net', 'anna')))).toEqual([]);
  });
});

describe('an unmarked VM at a claimed id, in the pool', () => {
  const unmarked: Built = { ...oneStand, vms: { 10000: { values: { description: 'do not touch' } } } };

  test("of a stand that was handed out is the student's, who may have edited the notes", () => {
    expect(ids(plan(cluster(unmarked), byAnna))).toContain('vm.delete:10000');
  });

  test("of a stand that never was may be somebody else's: it stays, claimed and reported", () => {
    const result = plan(cluster({ ...unmarked, more: { acls: [] } }), byAnna);
    expect(ids(result).filter((id) => /^(vm|pool|user)\./.test(id))).toEqual([]);
    expect(result.stands[0]?.refused?.code).toBe('UNMARKED_VM');
  });
});

test('stands of another lab of this name are not removed by the files of this one', () => {
  const machines = [{ machine: 'web', vmid: 10000, state: 'made' as const, seals: [] }];
  const other = cluster({
    ...oneStand,
    pools: { anna: comment('anna@pve', { claims: [claim('net', [], { machines })] }) },
  });
  expect(() => plan(other, classOf('net', 'anna'))).toThrow(
    expect.objectContaining({
      code: 'OTHER_LAB',
      hint: 'give the name of the lab that is meant with --lab-name NAME; all stands of the other one go with: deploy-stand cleanup --lab net',
    }),
  );
  // An edited lab has a machine in common, and a class without a stand has nothing to lose.
  const labMachines = ['web', 'more'].map((name) => machine(name, []));
  const edited = { ...classOf('net', 'anna'), labMachines } as CleanupSelection;
  expect(ids(plan(other, edited))).toContain('vm.delete:10000');
  expect(ids(plan(other, classOf('net', 'boris')))).toEqual([]);
  expect(ids(plan(other, { by: 'stands', lab: 'net' }))).toContain('vm.delete:10000');
});

describe('a pool below that of a stand', () => {
  const below = (more: Readonly<Record<string, string>> = { 'anna/exam': '' }): Built => ({
    ...oneStand,
    pools: { ...oneStand.pools, ...more },
  });
  const kept = [...ALL_OF_IT.slice(0, 4), 'pool.release:anna'];

  test('is told in the plan; the rest goes, and pool and user once it is gone', () => {
    const first = plan(cluster(below()), byAnna);
    expect(ids(first)).toEqual(kept);
    expect(first.stands[0]?.refused).toEqual({
      code: 'SUBPOOLS_LEFT',
      message: 'pool anna stays: there is pool anna/exam below it, which is not of this stand',
      hint: 'remove it, as root on a node: `pvesh delete /pools --poolid anna/exam`; then run cleanup again',
    });
    const after = appliedCleanup(cluster(below()), first.steps);
    const again = plan(after, byAnna);
    expect([ids(again), again.stands[0]?.refused?.code]).toEqual([[], 'SUBPOOLS_LEFT']);
    const without = { ...after, pools: after.pools.filter(({ pool }) => pool !== 'anna/exam') };
    expect(ids(plan(without, byAnna))).toEqual(['pool.delete:anna', 'user.delete:anna@pve']);
  });

  test('with something in it', () => {
    const vms = { ...oneStand.vms, 300: { guest: { pool: 'anna/exam' } } };
    const { hint } = plan(cluster({ ...below(), vms }), byAnna).stands[0]?.refused ?? {};
    expect(hint).toMatch(/^take out what is in it, then remove it/);
  });

  test('is no matter where the pool is not ours: that is what is told', () => {
    const world = cluster({ pools: { boss: '', 'boss/anna': '' } });
    const delegated = {
      path: '/pool/boss',
      propagate: true,
      says: 'boss@pve has PVEPoolAdmin on /pool/boss',
    };
    const pools = world.pools.map((pool) => ({ ...pool, delegated }));
    const byBoss: CleanupSelection = { by: 'stands', users: [{ userid: 'boss@pve' }] };
    expect(plan({ ...world, pools }, byBoss).stands[0]?.refused?.code).toBe('POOL_DELEGATED');
    expect(plan(world, byBoss).stands[0]?.refused).toBeUndefined();
  });

  test('is no matter where the pool stays anyway, nor below another one', () => {
    const result = plan(cluster(below()), byAnna, { keepUsers: true });
    expect([ids(result), result.stands[0]?.refused]).toEqual([kept, undefined]);
    const others = plan(cluster(below({ 'annabel/exam': '', annabel: '' })), byAnna);
    expect(ids(others)).toEqual(ALL_OF_IT);
  });
});
