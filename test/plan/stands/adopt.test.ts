/** `deploy --adopt` on stands of the older Python tool: what is taken over, what is refused, and that nothing else is named. */
import { describe, expect, test } from 'vitest';
import type { BridgeInfo, GuestInfo, Inventory, VmConfig } from '../../../src/lib/inventory/types.ts';
import { PlanRefusedError } from '../../../src/lib/errors.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import type { StepOf, StepKind } from '../../../src/lib/plan/document/step.ts';
import { planCleanup } from '../../../src/lib/plan/cleanup/cleanup.ts';
import {
  alias,
  applied,
  bridge,
  guest,
  have,
  ids,
  lab,
  machine,
  plan,
  real,
  router,
  user,
} from '../builders.ts';

const eco = router('eco', [real('vmbr0'), alias('hq')]);
const pc = machine('pc', [alias('hq')]);
const wanted = lab([eco, pc]);
const anna = user('anna');
const boris = user('boris');

interface Vm {
  readonly guest?: Partial<GuestInfo>;
  readonly values?: Readonly<Record<string, string>>;
  readonly unreadable?: true;
}

const NICS = {
  eco: {
    net0: 'vmxnet3=1C:87:76:40:00:01,bridge=vmbr0,link_down=1',
    net1: 'vmxnet3=1C:87:76:40:00:02,bridge=vmbr0',
    net2: 'vmxnet3=1C:87:76:40:00:03,bridge=vmbr1000',
  },
  pc: { net0: 'virtio=BC:24:11:00:00:09,bridge=vmbr1000' },
} as const;

const bare = (iface: string, more: Partial<BridgeInfo> = {}) => bridge(iface, { ports: [], ...more });

interface Built {
  readonly vms?: Readonly<Record<number, Vm>>;
  readonly bridges?: readonly BridgeInfo[];
  readonly pools?: Readonly<Record<string, string>>;
  readonly more?: Partial<Inventory>;
}

/** VM 500 `eco` and 501 `pc` of anna, stopped, both on vmbr1000, in an unmarked pool. */
const PYTHON: Readonly<Record<number, Vm>> = {
  500: { guest: { name: 'eco' }, values: { ...NICS.eco } },
  501: { guest: { name: 'pc' }, values: { ...NICS.pc, description: 'homework\nof May\n' } },
};

function cluster({
  vms = PYTHON,
  bridges = [bare('vmbr1000')],
  pools = { anna: 'of the Python tool' },
  more = {},
}: Built): Inventory {
  const guests: GuestInfo[] = [];
  const configs: VmConfig[] = [];
  const use: Inventory['bridgeUse'][number][] = [];
  for (const [key, vm] of Object.entries(vms)) {
    const vmid = Number(key);
    const built = guest(vmid, { status: 'stopped', pool: 'anna', ...vm.guest });
    guests.push(built);
    const values = { name: built.name ?? '', ...vm.values };
    const named = Object.values(values).flatMap((value) => /bridge=([^,]+)/.exec(value)?.[1] ?? []);
    use.push({ vmid, node: built.node, bridges: named, snapshotBridges: [], description: '' });
    if (vm.unreadable || built.type === 'lxc') continue;
    configs.push({ vmid, node: built.node, digest: 'd', values });
  }
  return have({
    guests: [...have().guests, ...guests],
    vms: configs,
    pools: Object.entries(pools).map(([pool, comment]) => ({ pool, comment })),
    users: [
      {
        userid: 'anna@pve',
        comment: '',
        enabled: true,
        expire: 0,
        email: '',
        firstName: '',
        lastName: '',
        groups: [],
      },
    ],
    acls: [{ path: '/pool/anna', role: 'PVEVMAdmin', subject: 'anna@pve', type: 'user', propagate: true }],
    networks: [
      { node: 'pve1', readable: true, bridges: [bridge('vmbr0'), ...bridges], pending: [] },
      { node: 'pve2', readable: true, bridges: [bridge('vmbr0')], pending: [] },
    ],
    bridgeUse: use,
    bridgeUseNodes: ['pve1', 'pve2'],
    hidden: { bridges: false, guests: false },
    ...more,
  });
}

const adopt = (snapshot: Inventory, want = wanted, users = [anna]) =>
  plan(want, users, snapshot, { adopt: true });

function only<K extends StepKind>(result: Plan, kind: K): readonly StepOf<K>[] {
  return result.steps.filter((step) => step.kind === kind) as unknown as readonly StepOf<K>[];
}

function refused(snapshot: Inventory, want = wanted, isAdopting = true): PlanRefusedError {
  try {
    plan(want, [anna], snapshot, { adopt: isAdopting });
  } catch (error) {
    if (error instanceof PlanRefusedError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('a whole stand', () => {
  const result = adopt(cluster({}));

  test('is claimed, its bridge and VMs are marked, and it is configured', () => {
    expect(ids(result)).toEqual([
      'pool.update:anna',
      'bridge.update:pve1/vmbr1000',
      'network.reload:pve1',
      'vm.mark:anna/eco',
      'vm.configure:anna/eco',
      'vm.mark:anna/pc',
      'vm.configure:anna/pc',
    ]);
    expect(result.steps.map((step) => step.reason)).toEqual([
      'adopted: its other members stay foreign',
      'no mark; adopted: network hq, which only VMs of this stand name',
      'once, for all of them',
      'no mark; adopted: in pool anna, called eco like a machine of the lab',
      'adopted: set as the lab says',
      'no mark; adopted: in pool anna, called pc like a machine of the lab',
      'adopted: set as the lab says',
    ]);
  });

  test('the claim names the VMs, the roles of before and what the planner saw', () => {
    expect(only(result, 'pool.update')[0]).toMatchObject({
      comment:
        'of the Python tool\ndeploy-stand user=anna@pve adopted roles=PVEVMAdmin\nlab=net vms=eco:500,pc:501 node=pve1 since=2026-11-21T08:00:00Z',

      takeOver: { comment: 'of the Python tool', vmids: [500, 501] },
    });
  });

  test('what was in the notes stays; the bridge of the card is the network', () => {
    const [mark] = only(result, 'vm.mark').filter((step) => step.vmid === 501);
    const line = 'deploy-stand lab=net user=anna@pve machine=pc vmid=501';
    expect([mark?.description, mark?.newDescription]).toEqual([
      'homework\nof May\n',
      `homework\nof May\n${line} spec=adopted`,
    ]);
    const [configure] = only(result, 'vm.configure').filter((step) => step.vmid === 501);
    expect(configure?.description).toMatch(`homework\nof May\n${line} spec=`);
    expect(configure?.nics).toMatchObject([{ bridge: 'vmbr1000', mac: 'BC:24:11:00:00:09' }]);
    expect(only(result, 'bridge.update')[0]).toMatchObject({
      comment: '',
      newComment: 'deploy-stand bridge=vmbr1000 lab=net user=anna@pve net=hq since=2026-11-21T08:00:00Z',
    });
    expect(only(result, 'bridge.update')[0]).not.toHaveProperty('vlanAware');
  });

  test('VMs are marked last, so that an unmarked one tells of a takeover that was cut short', () => {
    for (const step of only(result, 'vm.mark')) {
      expect(step.dependsOn).toEqual(['bridge.update:pve1/vmbr1000', 'pool.update:anna']);
    }
  });

  test('without --adopt it is refused as before', () => {
    expect(() => plan(wanted, [anna], cluster({}))).toThrow(/was not made by deploy-stand/);
  });

  test('the order of what was read does not matter', () => {
    const one = cluster({});
    const turned = {
      ...one,
      guests: [...one.guests].reverse(),
      vms: [...one.vms].reverse(),
      bridgeUse: [...one.bridgeUse].reverse(),
    };
    expect(adopt(turned)).toEqual(result);
  });
});

/** The cluster after the plan: marks and claims where they belong. */
function after(result: Plan, before: Inventory): Inventory {
  const next = applied(wanted, result, before);
  const comments = new Map(
    only(result, 'bridge.update').map((step) => [step.bridge, step.newComment ?? step.comment]),
  );
  const marks = new Map(only(result, 'vm.mark').map((step) => [step.vmid, step.newDescription]));
  const configured = new Set(only(result, 'vm.configure').map((step) => step.vmid));
  return {
    ...next,
    vms: next.vms.map((config) =>
      configured.has(config.vmid) || !marks.has(config.vmid)
        ? config
        : { ...config, values: { ...config.values, description: marks.get(config.vmid) ?? '' } },
    ),
    networks: next.networks.map((network) => ({
      ...network,
      bridges: network.bridges.map((info) => ({
        ...info,
        comments: comments.get(info.iface) ?? info.comments,
      })),
    })),
  };
}

const asClass = {
  by: 'stands',
  lab: 'net',
  labMachines: [eco, pc],
  users: [{ userid: 'anna@pve', pool: 'anna' }],
} as const;
const OPTIONS = {
  keepUsers: false,
  adopt: false,
  includeMembers: false,
  forceProtected: false,
  lockWaitSeconds: 600,
  minAgeSeconds: 7200,
};

describe('afterwards', () => {
  test('deploy plans nothing, and cleanup takes the stand away without --adopt', () => {
    const before = cluster({});
    const next = after(adopt(before), before);
    expect(ids(plan(wanted, [anna], next))).toEqual([]);
    expect(ids(adopt(next))).toEqual([]);
    const removal = planCleanup({ have: next, selection: asClass, options: OPTIONS });
    expect(ids(removal)).toEqual([
      'vm.delete:500',
      'vm.delete:501',
      'bridge.delete:pve1/vmbr1000',
      'network.reload:pve1',
      'pool.release:anna',
    ]);
    expect(removal.steps.at(-1)).toMatchObject({ comment: 'of the Python tool' });
  });

  test('a role that deploy granted on the adopted pool is taken away, one of before is not', () => {
    const before = cluster({});
    const granted = {
      path: '/pool/anna',
      role: 'PVEVMUser',
      subject: 'anna@pve',
      type: 'user',
      propagate: true,
    } as const;
    const done = after(adopt(before), before);
    const removal = planCleanup({
      have: { ...done, acls: [...done.acls, granted] },
      selection: asClass,
      options: OPTIONS,
    });
    expect(removal.steps.filter((step) => step.kind === 'acl.revoke').map((step) => step.id)).toEqual([
      'acl.revoke:/pool/anna PVEVMUser',
    ]);
  });

  test('a running VM is marked, and waits to be changed until it is stopped', () => {
    const before = cluster({
      vms: { ...PYTHON, 501: { ...PYTHON[501], guest: { name: 'pc', status: 'running' } } },
    });
    const result = adopt(before);
    expect(ids(result).filter((id) => id.endsWith('/pc'))).toEqual(['vm.mark:anna/pc']);
    expect(result.stands[0]?.notes.join()).toContain('--update-running');
    const next = after(result, before);
    const again = plan(wanted, [anna], next);
    expect([ids(again), again.stands[0]?.vms[1]?.state]).toEqual([[], 'pending-change']);
    const forced = plan(wanted, [anna], next, { updateRunning: true });
    expect(ids(forced)).toEqual(['vm.configure:anna/pc']);
  });

  test('claimed but unmarked, as a killed run leaves it: --adopt finishes, without it nothing is guessed', () => {
    const pools = {
      anna: 'deploy-stand user=anna@pve adopted roles=PVEVMAdmin\nlab=net vms=eco:500,pc:501 node=pve1 since=2026-11-21T07:00:00Z',
    };
    const halfDone = cluster({ pools });
    expect(ids(adopt(halfDone))).toEqual(ids(adopt(cluster({}))).slice(1));
    const error = refused(halfDone, wanted, false);
    expect([error.code, error.hint]).toEqual([
      'BRIDGE_NOT_USABLE',
      expect.stringContaining('`deploy --adopt`'),
    ]);
    const unhanded = { ...halfDone, acls: [] };
    // The claim says that the VMs are the stand's, but not yet that their bridge is.
    expect(refused(unhanded, wanted, false).code).toBe('BRIDGE_NOT_USABLE');
    // 0.1.0 had only notes to tell of the VMs, and doubted them.
    const old = { anna: pools.anna.replace('vms=eco:500,pc:501', 'vmids=500-501') };
    expect(() => plan(wanted, [anna], { ...cluster({ pools: old }), acls: [] })).toThrow(
      /carries no mark of ours/,
    );
    expect(ids(adopt(unhanded))).toContain('vm.mark:anna/pc');
    const removal = planCleanup({ have: halfDone, selection: asClass, options: { ...OPTIONS, adopt: true } });
    expect(ids(removal)).toContain('bridge.delete:pve1/vmbr1000');
  });
});

describe('what is missing is made', () => {
  test('machines, on the bridge of those that are there', () => {
    const result = adopt(cluster({ vms: { 501: PYTHON[501]! } }));
    const [clone] = only(result, 'vm.clone');
    expect(clone).toMatchObject({ vmid: 10000, name: 'eco', target: 'pve1' });
    expect(
      only(result, 'vm.configure')
        .find((step) => step.vmid === 10000)
        ?.nics.at(-1)?.bridge,
    ).toBe('vmbr1000');
    expect(only(result, 'pool.update')[0]).toMatchObject({ takeOver: { vmids: [501] } });
  });

  test('a bridge that the cards name and nobody has, under its name', () => {
    const result = adopt(cluster({ bridges: [] }));
    expect(only(result, 'bridge.create').map((step) => step.bridge)).toEqual(['vmbr1000']);
    expect(only(result, 'bridge.update')).toEqual([]);
  });

  test('VLAN awareness, together with the mark', () => {
    const vlan = lab([machine('pc', [alias('hq', { tag: 100 })])]);
    const result = adopt(cluster({ vms: { 501: PYTHON[501]! } }), vlan);
    expect(only(result, 'bridge.update')[0]).toMatchObject({ vlanAware: true, comment: '' });
  });

  test('in a pool of ours: unmarked members with the name of a missing machine', () => {
    const result = adopt(cluster({ pools: { anna: 'deploy-stand user=anna@pve' } }));
    expect(only(result, 'pool.update')[0]?.reason).toBe('adopted: unmarked members become ours');
    expect(only(result, 'pool.update')[0]?.comment).not.toContain('roles=');
  });
});

describe('is never taken over', () => {
  test('a member that is called otherwise; it stays foreign', () => {
    const result = adopt(cluster({ vms: { ...PYTHON, 502: { guest: { name: 'mail' } } } }));
    expect(JSON.stringify(result.steps)).not.toContain('502');
  });

  test("a student's copy beside the machine of ours", () => {
    const before = cluster({});
    const next = after(adopt(before), before);
    const copy = next.vms.find(({ vmid }) => vmid === 501)!;
    const withCopy = {
      ...next,
      guests: [...next.guests, guest(777, { name: 'pc', pool: 'anna', status: 'stopped' })],
      vms: [...next.vms, { ...copy, vmid: 777 }],
    };
    const result = adopt(withCopy);
    expect(ids(result)).toEqual([]);
    expect(result.stands[0]?.notes.join()).toContain(
      'guest 777 in pool anna is called pc, too, but VM 501 is it',
    );
  });
});

describe('refused in words', () => {
  const more = (vm: Vm) => ({ vms: { ...PYTHON, 501: vm } });
  const onPc = (values: Readonly<Record<string, string>>) => more({ ...PYTHON[501], values });
  const cases: readonly { name: string; built: Built; code: string; says: RegExp }[] = [
    {
      name: 'a container',
      built: more({ guest: { name: 'pc', type: 'lxc' } }),
      code: 'ADOPT_CONTAINER',
      says: /guest 501 on pve1 .* it is a container/,
    },
    {
      name: 'a template',
      built: more({ guest: { name: 'pc', template: true }, values: { template: '1' } }),
      code: 'ADOPT_TEMPLATE',
      says: /it is a template/,
    },
    {
      name: 'a locked VM',
      built: onPc({ ...NICS.pc, lock: 'backup' }),
      code: 'ADOPT_LOCKED',
      says: /locked \(backup\)/,
    },
    {
      name: 'one that cannot be read',
      built: more({ guest: { name: 'pc' }, unreadable: true }),
      code: 'VM_UNREADABLE',
      says: /cannot be read/,
    },
    {
      name: 'one that another marked pool claims',
      built: {
        pools: {
          anna: '',
          boris: 'deploy-stand user=boris@pve\nlab=net vmids=501 since=2026-11-01T00:00:00Z',
        },
      },
      code: 'ADOPT_CLAIMED',
      says: /pool boris claims it/,
    },
    {
      name: 'two of one name',
      built: { vms: { ...PYTHON, 502: PYTHON[501]! } },
      code: 'ADOPT_TWICE',
      says: /guests 501 and 502 .* both called pc/,
    },
    {
      name: 'the notes of another VM',
      built: onPc({ ...NICS.pc, description: 'deploy-stand lab=net user=boris@pve machine=pc vmid=10001' }),
      code: 'ADOPT_COPY',
      says: /those of VM 10001 \(pc of boris@pve in lab net\)/,
    },
    {
      name: 'full notes',
      built: onPc({ ...NICS.pc, description: 'x'.repeat(8000) }),
      code: 'ADOPT_NOTES',
      says: /no room/,
    },
    {
      name: 'a card on a shared bridge',
      built: onPc({ net0: 'virtio=BC:24:11:00:00:09,bridge=vmbr0' }),
      code: 'ADOPT_BRIDGE',
      says: /net0 of VM 501 \(pc\) is on vmbr0/,
    },
    {
      name: 'two bridges for one network',
      built: {
        ...onPc({ net0: 'virtio=BC:24:11:00:00:09,bridge=vmbr1001' }),
        bridges: [bare('vmbr1000'), bare('vmbr1001')],
      },
      code: 'ADOPT_BRIDGE',
      says: /hq is vmbr1000, net0 .* hq is vmbr1001/,
    },
    {
      name: 'a guest of somebody else on the bridge',
      built: {
        vms: {
          ...PYTHON,
          400: { guest: { pool: 'staff', name: 'dns' }, values: { net0: 'virtio=AA,bridge=vmbr1000' } },
        },
      },
      code: 'ADOPT_BRIDGE',
      says: /guest 400 names it/,
    },
    {
      name: 'a guest that cannot be read',
      built: {
        more: {
          bridgeUse: [{ vmid: 900, node: 'pve1', bridges: ['*'], snapshotBridges: [], description: '' }],
        },
      },
      code: 'ADOPT_BRIDGE',
      says: /guest 900 of the node cannot be read and may be on it/,
    },
    {
      name: 'guests that may be hidden',
      built: { more: { hidden: { bridges: false, guests: true } } },
      code: 'ADOPT_BRIDGE',
      says: /VM.Audit on \/vms/,
    },
    {
      name: 'a bridge with a comment',
      built: { bridges: [bare('vmbr1000', { comments: 'uplink' })] },
      code: 'ADOPT_BRIDGE',
      says: /a comment that is not this stand's \("uplink"\)/,
    },
    {
      name: 'a bridge of another stand',
      built: {
        bridges: [
          bare('vmbr1000', {
            comments: 'deploy-stand lab=net user=boris@pve net=hq since=2026-11-01T00:00:00Z',
          }),
        ],
      },
      code: 'ADOPT_BRIDGE',
      says: /user=boris@pve/,
    },
    {
      name: 'a bridge with a port',
      built: { bridges: [bridge('vmbr1000', { ports: ['eno2'] })] },
      code: 'ADOPT_BRIDGE',
      says: /the port eno2/,
    },
    {
      name: 'a bridge with an address of the host',
      built: { bridges: [bare('vmbr1000', { addresses: ['10.1.0.1/24'], gateways: ['10.1.0.254'] })] },
      code: 'ADOPT_BRIDGE',
      says: /the address 10\.1\.0\.1\/24/,
    },
    {
      name: 'a bridge under another',
      built: { bridges: [bare('vmbr1000', { above: ['vmbr7'] })] },
      code: 'ADOPT_BRIDGE',
      says: /vmbr7 is built on it/,
    },
    {
      name: 'VMs on two nodes',
      built: more({ ...PYTHON[501], guest: { name: 'pc', node: 'pve2' } }),
      code: 'STAND_TORN',
      says: /pve1 and pve2/,
    },
  ];

  test.each(cases)('$name', ({ built, code, says }) => {
    const error = refused(cluster(built));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(says)]);
    expect(error.hint).not.toBe(undefined);
  });

  test('two networks on one bridge', () => {
    const two = lab([eco, machine('pc', [alias('dmz')])]);
    expect(refused(cluster({}), two).message).toMatch(
      /network hq is vmbr1000, net0 of VM 501 \(pc\) says that dmz is vmbr1000/,
    );
  });

  test('only that stand: the others go on', () => {
    const result = adopt(cluster({ vms: { ...PYTHON, 502: PYTHON[501]! } }), wanted, [anna, boris]);
    expect(result.stands.map((stand) => stand.refused?.code)).toEqual(['ADOPT_TWICE', undefined]);
    expect(result.steps.some((step) => step.user === 'anna@pve')).toBe(false);
  });
});
