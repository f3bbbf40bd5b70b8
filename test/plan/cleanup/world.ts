/** Random clusters for cleanup, each object with the word on whose it is: written down when it is made, not derived. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type {
  BridgeInfo,
  GuestInfo,
  Inventory,
  PendingRow,
  VmConfig,
} from '../../../src/lib/inventory/types.ts';
import type { CleanupOptions, CleanupSelection } from '../../../src/lib/plan/cleanup/context.ts';
import { alias, bridge, guest, have, machine } from '../builders.ts';

const LABS = ['net', 'dmz', 'old'];
const USERS = ['anna@pve', 'boris@pve', 'carla@ldap', 'dora@pve'];
const NODES = ['pve1', 'pve2'];
const OLD = '2026-11-01T00:00:00Z';
const YOUNG = '2026-11-21T07:30:00Z';

/** `ours`: made by us. `adoptable`: looks like a stand of the Python tool. `foreign`: neither. */
type Whose = 'ours' | 'adoptable' | 'foreign';

export interface World {
  readonly have: Inventory;
  readonly guests: ReadonlyMap<number, Whose>;
  /** Pools with our header that we made. */
  readonly ownPools: ReadonlySet<string>;
  /** Pools with our header, those that were there before included → their user. */
  readonly markedPools: ReadonlyMap<string, string>;
  /** Guests that somebody made, or put, into a pool that we made, and that no claim makes ours. */
  readonly members: ReadonlySet<number>;
  readonly ownUsers: ReadonlySet<string>;
  /** `node/iface`. */
  readonly ownBridges: ReadonlySet<string>;
}

const VM_KINDS = [
  'absent',
  'finished',
  'finished',
  'finished',
  'half-made',
  'cloning',
  'zombie',
  'protected',
  'template',
  'moved-out',
  'moved-to-foreign-pool',
  'unreadable',
  'stranger',
  'stranger-with-inherited-mark',
  'container',
] as const;
type VmKind = (typeof VM_KINDS)[number];

const FOREIGN_KINDS = [
  'plain',
  'in-user-pool',
  'machine-name',
  'inherited-mark',
  'tagged',
  'own-mark-unclaimed',
] as const;

const claimSpec = fc.record({
  lab: fc.constantFrom(...LABS),
  young: fc.boolean(),
  /** 0.1.0 claimed by membership, and wrote neither names nor states. */
  form: fc.constantFrom('old', 'new', 'new'),
  expires: fc.constantFrom(undefined, '2026-10-01', '2026-12-31'),
  vms: fc.array(fc.constantFrom(...VM_KINDS), { maxLength: 3 }),
});

const poolSpec = fc.record({
  user: fc.constantFrom(...USERS),
  /** `foreign`: without our header. */
  kind: fc.constantFrom('own', 'own', 'own', 'adopted', 'foreign'),
  name: fc.constantFrom('default', 'default', 'default', 'other'),
  others: fc.constantFrom<readonly string[]>([], [], ['ask the admin before you touch this']),
  claims: fc.uniqueArray(claimSpec, { maxLength: 2, selector: (claim) => claim.lab }),
  acl: fc.boolean(),
});

const userSpec = fc.record({
  kind: fc.constantFrom('ours', 'ours', 'ours-young', 'foreign', 'absent'),
  expire: fc.constantFrom(0, 1_700_000_000, 1_900_000_000),
});

const foreignSpec = fc.record({
  kind: fc.constantFrom(...FOREIGN_KINDS),
  user: fc.constantFrom(...USERS),
  node: fc.constantFrom(...NODES),
  type: fc.constantFrom<GuestInfo['type']>('qemu', 'qemu', 'lxc'),
  bridges: fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 2 }),
});

const GROWN: readonly Partial<BridgeInfo>[] = [
  ...Array.from({ length: 6 }, () => ({})),
  { ports: ['eno9'] },
  { addresses: ['10.1.0.1/24'] },
  { addresses: ['10.1.0.1/24'], gateways: ['10.1.0.254'] },
  { above: ['vmbr7'] },
];

const bridgeSpec = fc.record({
  node: fc.constantFrom(...NODES),
  kind: fc.constantFrom('stand', 'stand', 'stand', 'reserved', 'foreign', 'unmarked'),
  /** What somebody has made of it. */
  grown: fc.constantFrom(...GROWN),
  user: fc.constantFrom(...USERS),
  lab: fc.constantFrom(...LABS),
  young: fc.boolean(),
  active: fc.boolean(),
});

const spec = fc.record({
  pools: fc.array(poolSpec, { maxLength: 5 }),
  users: fc.tuple(userSpec, userSpec, userSpec, userSpec),
  foreign: fc.array(foreignSpec, { maxLength: 4 }),
  bridges: fc.array(bridgeSpec, { maxLength: 8 }),
  vmBridges: fc.array(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 2 }), { maxLength: 12 }),
  vmNodes: fc.array(fc.constantFrom(...NODES), { minLength: 4, maxLength: 4 }),
  running: fc.boolean(),
  ha: fc.boolean(),
  readNodes: fc.constantFrom<readonly string[]>(NODES, NODES, NODES, ['pve1'], []),
  hiddenNics: fc.boolean(),
  hiddenGuests: fc.constantFrom(false, false, false, true),
  pending: fc.constantFrom<readonly PendingRow[]>(
    [],
    [],
    [],
    [{ iface: 'vmbr9', change: 'added', ours: false, text: '+iface vmbr9 inet manual' }],
    [{ iface: 'vmbr1900', change: 'removed', ours: true, text: '-iface vmbr1900 inet manual' }],
  ),
  task: fc.constantFrom('none', 'none', 'clone', 'backup'),
});
type Spec = typeof spec extends fc.Arbitrary<infer T> ? T : never;

interface Draft {
  nextVmid: number;
  vmCount: number;
  readonly guests: GuestInfo[];
  readonly vms: VmConfig[];
  readonly whose: Map<number, Whose>;
}

function markOf(lab: string, user: string, vmid: number, isFinished = true): string {
  return `deploy-stand lab=${lab} user=${user} machine=pc vmid=${vmid}${isFinished ? ' spec=0123456789ab' : ''}`;
}

interface Placing {
  readonly lab: string;
  readonly user: string;
  readonly pool: string;
  readonly poolIsMarked: boolean;
  readonly form: 'old' | 'new';
}

/** Drawn by nobody: the same in each run. */
function sealOf(vmid: number): string {
  return `${vmid}`.padStart(32, 'a');
}

function hashOf(vmid: number): string {
  return createHash('sha256')
    .update(`${sealOf(vmid)}${vmid}`)
    .digest('hex')
    .slice(0, 24);
}

/** Kinds that were never seen finished: their claim believes a seal only. */
const RESERVED: readonly VmKind[] = ['half-made', 'cloning', 'stranger', 'stranger-with-inherited-mark'];

/** One claimed number: what is there under it, and whose that is. */
function placeClaimed(kind: VmKind, at: Placing, world: Spec, draft: Draft): number {
  const vmid = draft.nextVmid;
  draft.nextVmid += 1;
  if (kind === 'absent') return vmid;
  const { lab, user, pool } = at;
  const node = world.vmNodes[draft.vmCount % world.vmNodes.length]!;
  const isStranger = kind === 'stranger' || kind === 'stranger-with-inherited-mark' || kind === 'container';
  const isNew = at.form === 'new' && at.poolIsMarked;
  const isMoved = kind === 'moved-out' || kind === 'moved-to-foreign-pool';
  const isOutside = isStranger || isMoved || (isNew && RESERVED.includes(kind));
  const lock = { cloning: 'clone', zombie: 'destroyed' }[kind as string];
  const description = {
    stranger: 'made by hand',
    'stranger-with-inherited-mark': `${markOf(lab, user, vmid - 1)} seal=${sealOf(vmid - 1)}`,
    'half-made': `${markOf(lab, user, vmid, false)} seal=${sealOf(vmid)}`,
    cloning: '',
    zombie: '',
  }[kind as string];
  const own = guest(vmid, {
    node,
    type: kind === 'container' ? 'lxc' : 'qemu',
    name: 'pc',
    status: world.running && lock === undefined ? 'running' : 'stopped',
    ha: world.ha,
    template: kind === 'template',
    ...(isOutside && kind !== 'container'
      ? kind === 'moved-to-foreign-pool'
        ? { pool: 'staff' }
        : {}
      : { pool }),
    ...(lock === undefined ? {} : { lock }),
  });
  draft.guests.push(own);
  // In a pool without our mark it is the Python tool's, as far as one can see: in the user's pool, called like a machine.
  const isLookAlike = !at.poolIsMarked && !isOutside;
  // Whoever put it into another pool wants it there.
  const isOurs = at.poolIsMarked && !isStranger && kind !== 'moved-to-foreign-pool';
  draft.whose.set(vmid, isLookAlike ? 'adoptable' : isOurs ? 'ours' : 'foreign');
  if (kind === 'unreadable' || kind === 'container') return vmid;
  draft.vms.push({
    vmid,
    node,
    digest: 'd',
    values: {
      name: 'pc',
      description: description ?? markOf(lab, user, vmid),
      ...(kind === 'protected' ? { protection: '1' } : {}),
      ...(kind === 'template' ? { template: '1' } : {}),
      ...(lock === undefined ? {} : { lock }),
    },
  });
  return vmid;
}

function idsText(claim: Spec['pools'][number]['claims'][number], ids: readonly number[]): string {
  if (claim.form === 'old') return `vmids=${ids.join(',')}`;
  const words = ids.map((vmid, at) => {
    const isReserved = RESERVED.includes(claim.vms[at]!) || (claim.vms[at] === 'absent' && vmid % 2 === 0);
    return `pc-${vmid}:${vmid}${isReserved ? `?${hashOf(vmid)}` : ''}`;
  });
  return `vms=${words.join(',')}`;
}

function poolComment(one: Spec['pools'][number], ids: ReadonlyMap<string, readonly number[]>): string {
  const lines = one.claims.map((claim) =>
    [
      `lab=${claim.lab}`,
      idsText(claim, ids.get(claim.lab) ?? []),
      `since=${claim.young ? YOUNG : OLD}`,
      ...(claim.expires === undefined ? [] : [`expires=${claim.expires}`]),
    ].join(' '),
  );
  const header = `deploy-stand user=${one.user}${one.kind === 'adopted' ? ' adopted' : ''}`;
  return [...one.others, header, ...lines].join('\n');
}

function nameOfPool({ user, name }: Spec['pools'][number]): string {
  const plain = user.slice(0, user.lastIndexOf('@'));
  return name === 'default' ? plain : `${plain}-2`;
}

function placePools(world: Spec, draft: Draft) {
  const pools = new Map<string, string>();
  const own = new Set<string>();
  const marked = new Map<string, string>();
  const acls: Inventory['acls'][number][] = [];
  for (const one of world.pools) {
    const pool = nameOfPool(one);
    if (pools.has(pool)) continue;
    const isMarked = one.kind !== 'foreign';
    const at = { user: one.user, pool, poolIsMarked: isMarked };
    const ids = new Map(
      one.claims.map((claim) => [
        claim.lab,
        claim.vms.map((kind) => {
          const vmid = placeClaimed(kind, { ...at, lab: claim.lab, form: claim.form }, world, draft);
          draft.vmCount += 1;
          return vmid;
        }),
      ]),
    );
    pools.set(pool, isMarked ? poolComment(one, ids) : 'of the department');
    if (isMarked) marked.set(pool, one.user);
    if (one.kind === 'own') own.add(pool);
    const entry = { path: `/pool/${pool}`, type: 'user', propagate: true } as const;
    if (one.acl) acls.push({ ...entry, role: 'PVEVMAdmin', subject: one.user });
    acls.push({ ...entry, role: 'PVEPoolAdmin', subject: 'teacher@pve' });
  }
  return { pools, own, marked, acls };
}

function placeForeign(world: Spec, draft: Draft): void {
  for (const one of world.foreign) {
    const vmid = 300 + draft.guests.length;
    const pool = one.user.slice(0, one.user.lastIndexOf('@'));
    const inPool = one.kind === 'in-user-pool' || one.kind === 'machine-name';
    const name = one.kind === 'machine-name' ? 'pc' : `guest-${vmid}`;
    draft.guests.push(guest(vmid, { node: one.node, type: one.type, name, ...(inPool ? { pool } : {}) }));
    draft.whose.set(vmid, one.kind === 'machine-name' && one.type === 'qemu' ? 'adoptable' : 'foreign');
    const marks: Partial<Record<typeof one.kind, string>> = {
      'inherited-mark': markOf('net', one.user, 10000),
      'own-mark-unclaimed': markOf('net', one.user, vmid),
    };
    if (one.type === 'lxc') continue;
    draft.vms.push({
      vmid,
      node: one.node,
      digest: 'd',
      values: {
        name,
        description: marks[one.kind] ?? '',
        ...(one.kind === 'tagged' ? { tags: 'deploy-stand;lab-net' } : {}),
      },
    });
  }
}

function placeBridges(world: Spec) {
  const networks = new Map(NODES.map((node) => [node, [] as BridgeInfo[]]));
  const own = new Set<string>();
  world.bridges.forEach((one, at) => {
    const iface = `vmbr${1000 + at}`;
    const since = one.young ? YOUNG : OLD;
    const stand = `deploy-stand lab=${one.lab} user=${one.user} net=lan since=${since}`;
    const comments = {
      stand,
      reserved: `deploy-stand reserved since=${since}`,
      foreign: 'deploy stand of the other team',
      unmarked: '',
    }[one.kind];
    networks.get(one.node)!.push(bridge(iface, { active: one.active, ports: [], comments, ...one.grown }));
    if (one.kind === 'stand' && Object.keys(one.grown).length === 0) own.add(`${one.node}/${iface}`);
  });
  return { networks, own };
}

/** net0, net1 …: of a machine with one network the first is the lab's, whatever its student has plugged in after it. */
function nicsOn(bridges: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    bridges.map((iface, at) => [`net${at}`, `virtio=BC:24:11:00:00:0${at},bridge=${iface}`]),
  );
}

function build(world: Spec): World {
  const draft: Draft = { nextVmid: 10000, vmCount: 0, guests: [], vms: [], whose: new Map() };
  const { pools, own, marked, acls } = placePools(world, draft);
  placeForeign(world, draft);
  const bridges = placeBridges(world);
  const read = new Set(world.readNodes);
  const cards = new Map(
    draft.guests.map(({ vmid }, at) => [
      vmid,
      (world.vmBridges[at % Math.max(1, world.vmBridges.length)] ?? []).map(
        (number) => `vmbr${1000 + number}`,
      ),
    ]),
  );
  const bridgeUse = draft.guests
    .map(({ vmid, node }, at) => ({
      vmid,
      node,
      bridges: world.hiddenNics && at === 0 ? ['*'] : (cards.get(vmid) ?? []),
      snapshotBridges:
        vmid % 3 === 0 ? (world.vmBridges[0] ?? []).map((number) => `vmbr${1000 + number}`) : [],
      description: '',
    }))
    .filter(({ node }) => read.has(node));
  const users = USERS.flatMap((userid, at) => {
    const { kind, expire } = world.users[at]!;
    if (kind === 'absent') return [];
    const since = kind === 'ours-young' ? YOUNG : OLD;
    const comment = kind === 'foreign' ? 'of the department' : `deploy-stand since=${since}`;
    return [{ userid, comment, enabled: true, expire, email: '', firstName: '', lastName: '', groups: [] }];
  });
  const [first] = draft.guests;
  const tasks =
    world.task === 'clone'
      ? [{ node: 'pve1', type: 'qmclone', id: '101' }]
      : world.task === 'backup' && first
        ? [{ node: first.node, type: 'vzdump', id: String(first.vmid) }]
        : [];
  const vmAcls = draft.guests.slice(0, 3).flatMap(({ vmid }) => [
    { path: `/vms/${vmid}`, role: 'PVEVMUser', subject: USERS[0]!, type: 'user' as const, propagate: true },
    { path: `/vms/${vmid}`, role: 'PVEAuditor', subject: 'staff', type: 'group' as const, propagate: true },
  ]);
  return {
    have: have({
      guests: [...have().guests, ...draft.guests],
      vms: draft.vms.map((vm) => ({ ...vm, values: { ...vm.values, ...nicsOn(cards.get(vm.vmid) ?? []) } })),
      pools: [...pools, ['staff', 'of the department'] as const, ['deploy-stand-lock', 'x'] as const].map(
        ([pool, comment]) => ({ pool, comment }),
      ),
      users,
      acls: [...acls, ...vmAcls],
      networks: NODES.map((node) => ({
        node,
        readable: true,
        bridges: bridges.networks.get(node)!,
        pending: node === 'pve1' ? world.pending : [],
      })),
      bridgeUse,
      bridgeUseNodes: world.readNodes,
      hidden: { bridges: false, guests: world.hiddenGuests },
      tasks,
    }),
    guests: draft.whose,
    ownPools: own,
    members: new Set(
      draft.guests
        .filter(({ vmid, pool }) => pool !== undefined && own.has(pool) && draft.whose.get(vmid) !== 'ours')
        .map(({ vmid }) => vmid),
    ),
    markedPools: marked,
    ownUsers: new Set(
      users.filter(({ comment }) => comment.startsWith('deploy-stand')).map(({ userid }) => userid),
    ),
    ownBridges: bridges.own,
  };
}

export const worlds: fc.Arbitrary<World> = spec.map(build);

export const selections: fc.Arbitrary<CleanupSelection> = fc.oneof(
  fc.record({
    by: fc.constant('stands' as const),
    lab: fc.constantFrom(...LABS),
    labMachines: fc.constantFrom('pc', 'router').map((name) => [machine(name, [alias('lan')])]),
    users: fc
      .subarray(USERS, { minLength: 1 })
      .map((users) => users.map((userid) => ({ userid, pool: userid.slice(0, userid.lastIndexOf('@')) }))),
  }),
  fc.record({ by: fc.constant('stands' as const), lab: fc.constantFrom(...LABS) }),
  fc.record(
    {
      by: fc.constant('stands' as const),
      lab: fc.constantFrom(...LABS),
      users: fc.array(
        fc.constantFrom(...USERS).map((userid) => ({ userid })),
        { minLength: 1, maxLength: 3 },
      ),
    },
    { requiredKeys: ['by', 'users'] },
  ),
  fc.constant({ by: 'expired' as const }),
  fc.constant({ by: 'orphans' as const }),
);

export const optionSets: fc.Arbitrary<CleanupOptions> = fc.record({
  keepUsers: fc.boolean(),
  adopt: fc.boolean(),
  includeMembers: fc.boolean(),
  forceProtected: fc.boolean(),
  lockWaitSeconds: fc.constant(600),
  minAgeSeconds: fc.constantFrom(7200, 0),
});

/** The same cluster, its lists in another order. */
export function shuffled(snapshot: Inventory): Inventory {
  const turned = <T>(list: readonly T[]): T[] => [...list.slice(1), ...list.slice(0, 1)].reverse();
  return {
    ...snapshot,
    guests: turned(snapshot.guests),
    vms: turned(snapshot.vms),
    pools: turned(snapshot.pools),
    users: turned(snapshot.users),
    acls: turned(snapshot.acls),
    bridgeUse: turned(snapshot.bridgeUse),
    networks: turned(snapshot.networks).map((network) => ({ ...network, bridges: turned(network.bridges) })),
  };
}
