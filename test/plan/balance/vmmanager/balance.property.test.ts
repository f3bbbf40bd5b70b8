/** Random installations of VMmanager 6: what holds of plans on Proxmox VE holds there. Running them is test/e2e's. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBalance } from '../../../../src/lib/config/balance/balance.ts';
import type { BalanceConfig } from '../../../../src/lib/config/balance/types.ts';
import type { MigrationRecord } from '../../../../src/lib/inventory/balance-types.ts';
import type {
  SeenGuest,
  SeenNode,
  VmmanagerInventory,
} from '../../../../src/lib/inventory/vmmanager-types.ts';
import { planVmmanager } from '../../../../src/lib/plan/balance/vmmanager/balance.ts';
import type { BalancePlan as Plan } from '../../../../src/lib/plan/document/plan.ts';
import type { StepOf } from '../../../../src/lib/plan/document/step.ts';
import { runs } from '../../../runs.ts';
import { assertHolds, doneOf, isForLoad, type Rig } from '../properties.ts';

const GIB = 2 ** 30;
const NOW = '2026-03-02T12:00:00Z';

const before = (minutes: number): string => new Date(Date.parse(NOW) - minutes * 60_000).toISOString();

const seldom = fc.constantFrom(...Array.from({ length: 12 }, () => false), true);

const nodeRows = fc.record({
  cluster: fc.constantFrom(1, 1, 1, 1, 2),
  cpus: fc.constantFrom(4, 16),
  gib: fc.constantFrom(32, 64, 64),
  /** What VMmanager counts beside the guests that run. */
  extra: fc.constantFrom(undefined, 0, 4),
  isOff: seldom,
  maintenance: seldom,
  creationBlocked: seldom,
  isUnknown: seldom,
  most: fc.constantFrom(undefined, undefined, 8),
  qemuVersion: fc.constantFrom('7.2.0', '7.2.0', '7.2.0', '6.2.0'),
});

const guestRows = fc.record({
  home: fc.constantFrom(0, 0, 0, 1, 2, 3),
  cpus: fc.constantFrom(1, 4, 12),
  gib: fc.constantFrom(2, 4, 8, 16),
  state: fc.constantFrom('active', 'active', 'active', 'active', 'stopped'),
  hasIso: seldom,
  snapshots: fc.constantFrom(0, 0, 0, 0, 1),
  balancer: fc.constantFrom<'on' | 'off'>('on', 'on', 'on', 'on', 'off'),
  isDisabled: seldom,
  isRescue: seldom,
  tags: fc.constantFrom([], ['keep'], ['group'], ['apart'], ['home']),
});

const pastMoves = fc.array(
  fc.record({
    vmid: fc.integer({ min: 101, max: 130 }),
    from: fc.constantFrom('node1', 'node2', 'node3'),
    to: fc.constantFrom('node1', 'node2', 'node3'),
    start: fc.constant(before(50)),
    end: fc.constant(before(45)),
    status: fc.constantFrom<MigrationRecord['status']>('ok', 'failed', 'timeout'),
  }),
  { maxLength: 4 },
);

const yamls = fc
  .record({
    mode: fc.constantFrom('mode: threshold', 'mode: threshold', 'mode: spread'),
    limits: fc.constantFrom(
      'max_migrations: 2',
      'max_inflow_per_node: 1',
      'max_migrations: 9999\nmax_migrations_per_node: 9999\nmax_inflow_per_node: 9999',
    ),
    overcommit: fc.constantFrom('', 'overcommit: 200'),
    rules: fc.constantFrom(
      'rules: { ignore: [{ tags: [keep] }] }',
      'rules: { affinity: [{ tags: [group] }] }',
      'rules: { anti_affinity: [{ tags: [apart] }] }',
      'rules: { pin: [{ tags: [home], nodes: [node1, node2] }] }',
      'rules: { pin: [{ tags: [home], nodes: [node2] }], anti_affinity: [{ tags: [apart] }] }',
    ),
    measures: fc.constantFrom('', 'measures: [load, allocation]'),
    relief: fc.constantFrom('', '', 'relieve_to: { memory: 80%, load_per_core: 1.5, vcpus_per_core: 7 }'),
    most: fc.constantFrom('', '', 'max_guests: 9'),
  })
  .map((lines) => Object.values(lines).join('\n'));

function vcpusOn(id: number, guests: readonly SeenGuest[]): number {
  return guests.reduce((sum, one) => sum + (one.node === id && one.state === 'active' ? one.cpus : 0), 0);
}

function memoryOn(id: number, guests: readonly SeenGuest[]): number {
  return guests.reduce((sum, one) => sum + (one.node === id && one.state === 'active' ? one.memory : 0), 0);
}

interface Case {
  readonly have: VmmanagerInventory;
  readonly yaml: string;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    nodes: fc.array(nodeRows, { minLength: 2, maxLength: 6 }),
    guests: fc.array(guestRows, { maxLength: 30, size: 'max' }),
    /** How busy every virtual CPU is, by load averages; absent: nobody reads them. */
    share: fc.constantFrom(undefined, 0.25, 0.5),
    migrations: pastMoves,
    yaml: yamls,
  })
  .map(({ nodes: rows, guests: machines, share, migrations, yaml }) => {
    const clusterOf = (index: number): number => rows[index]?.cluster ?? 1;
    const guests = machines.map(({ home, gib, ...rest }, at): SeenGuest => {
      const index = home % rows.length;
      const own = { id: 101 + at, name: `vm${101 + at}`, node: index + 1, cluster: clusterOf(index) };
      return { ...rest, ...own, memory: gib * GIB };
    });
    const nodes = rows.map(({ gib, extra, isOff, isUnknown, most, cpus, ...rest }, at): SeenNode => {
      const id = at + 1;
      return {
        ...{ ...rest, id, name: `node${id}`, online: !isOff, memoryTotal: gib * GIB },
        ...(isUnknown ? {} : { cpus }),
        ...(most === undefined ? {} : { maxGuests: most }),
        ...(extra === undefined ? {} : { memoryAllocated: memoryOn(id, guests) + extra * GIB }),
        ...(share === undefined ? {} : { loadAverage: share * vcpusOn(id, guests) }),
      };
    });
    const clusters = [1, 2].map((id) => ({ id, name: `cluster${id}` }));
    const known = guests.map(({ id }) => id);
    const unread = { historyOf: known, targetsOf: known, vetoes: [], gaps: [] };
    return { yaml, have: { now: NOW, clusters, nodes, guests, migrations, ...unread } };
  });

/** The installation after these migrations, with the same load. */
function applied(have: VmmanagerInventory, { steps }: Plan, minutes = 5): VmmanagerInventory {
  const idOf = new Map(have.nodes.map(({ id, name }) => [name, id]));
  const moves = new Map(steps.flatMap((step) => (step.kind === 'vm.migrate' ? [[step.vmid, step]] : [])));
  const guests = have.guests.map((guest) => ({
    ...guest,
    node: idOf.get(moves.get(guest.id)?.target ?? '') ?? guest.node,
  }));
  const busy = have.nodes.flatMap(({ id, loadAverage = 0 }) => {
    const vcpus = vcpusOn(id, have.guests);
    return vcpus === 0 ? [] : [loadAverage / vcpus];
  });
  const nodes = have.nodes.map((node) => {
    const more = memoryOn(node.id, guests) - memoryOn(node.id, have.guests);
    return {
      ...node,
      ...(node.memoryAllocated === undefined ? {} : { memoryAllocated: node.memoryAllocated + more }),
      ...(node.loadAverage === undefined ? {} : { loadAverage: (busy[0] ?? 0) * vcpusOn(node.id, guests) }),
    };
  });
  const records = [...moves.values()].map((step): MigrationRecord => ({
    ...{ vmid: step.vmid, from: step.node, to: step.target, start: have.now, end: have.now, status: 'ok' },
  }));
  const now = new Date(Date.parse(have.now) + minutes * 60_000).toISOString();
  return { ...have, now, nodes, guests, migrations: [...have.migrations, ...records] };
}

function forbidden(
  step: StepOf<'vm.migrate'>,
  { guests, nodes }: VmmanagerInventory,
  { ignore, pin }: BalanceConfig,
): string | undefined {
  const guest = guests.find(({ id }) => id === step.vmid)!;
  const source = nodes.find(({ id }) => id === guest.node)!;
  const target = nodes.find(({ name }) => name === step.target)!;
  const reasons: Record<string, boolean> = {
    source: step.node !== source.name || !source.online,
    target: !target.online || target.maintenance || target.creationBlocked || target === source,
    cluster: target.cluster !== source.cluster,
    unknown: target.cpus === undefined,
    state: guest.state !== 'active',
    balancer: guest.balancer === 'off',
    obstacle: guest.hasIso || guest.snapshots > 0 || guest.isDisabled || guest.isRescue,
    ignored: ignore.length > 0 && guest.tags.includes('keep'),
    pinned: pin.length > 0 && guest.tags.includes('home') && !pin[0]!.nodes.includes(step.target),
    qemu: Number.parseFloat(target.qemuVersion!) < Number.parseFloat(source.qemuVersion!),
  };
  return Object.keys(reasons).find((key) => reasons[key]);
}

/** Load averages where all nodes that are on tell them, else virtual CPUs; these in any case when asked for. */
function sharesOf(
  { nodes, guests }: VmmanagerInventory,
  config: BalanceConfig,
  level: 'overload' | 'relieveTo',
): Map<string, readonly number[]> {
  const limits = config[level];
  return new Map(
    nodes.flatMap(({ id, name, cpus, memoryTotal = 0, memoryAllocated = 0, loadAverage }) => {
      if (cpus === undefined) return [];
      const memory = Math.max(memoryAllocated, memoryOn(id, guests)) / memoryTotal / limits.memory;
      const vcpus = vcpusOn(id, guests) / cpus / limits.vcpusPerCore;
      const average = loadAverage === undefined ? [] : [loadAverage / cpus / limits.loadPerCore];
      const isJudged = loadAverage === undefined || config.measures.includes('allocation');
      return [[name, [memory, ...average, ...(isJudged ? [vcpus] : [])]] as const];
    }),
  );
}

function rigFor(yaml: string): Rig<VmmanagerInventory> {
  const { config } = parseBalance(yaml, 'balance.yml');
  return {
    config,
    applied,
    plan: (have) => planVmmanager({ have, config }).plan,
    forbidden: (step, have) => forbidden(step, have, config),
    shares: (have, level) => sharesOf(have, config, level),
    guests: ({ guests, nodes }) =>
      guests.map(({ id, node, tags }) => ({
        ...{ vmid: id, tags, node: nodes.find((one) => one.id === node)?.name ?? '' },
      })),
    most: ({ nodes }) =>
      new Map(
        nodes.map(({ name, maxGuests }) => [
          name,
          Math.min(maxGuests ?? Infinity, config.maxGuests ?? Infinity),
        ]),
      ),
  };
}

test('a plan breaks no rule, makes nothing worse and leaves nothing to do', () => {
  const seen = { none: 0, moves: 0, rules: 0, average: 0, allocation: 0, crowded: 0, several: 0 };
  fc.assert(
    fc.property(cases, fc.array(fc.nat(7), { minLength: 1, maxLength: 9 }), ({ have, yaml }, order) => {
      const done = doneOf(rigFor(yaml), have, order);
      assertHolds(done);
      const { moves } = done.made.balance;
      const isAny = moves.length > 0;
      seen.none += Number(!isAny);
      seen.moves += Number(moves.some(isForLoad));
      seen.rules += Number(moves.some(({ why }) => why === 'rule'));
      seen.average += Number(isAny && have.nodes[0]?.loadAverage !== undefined);
      seen.allocation += Number(moves.some(({ reason }) => reason.includes('virtual CPUs')));
      seen.crowded += Number(isAny && done.rig.config.maxGuests !== undefined);
      seen.several += Number(isAny && new Set(have.nodes.map(({ cluster }) => cluster)).size > 1);
    }),
    runs(100, 10_000),
  );
  // A property over worlds in which nothing ever happens would prove nothing.
  expect(Object.entries(seen).filter(([, count]) => count < 5)).toEqual([]);
});

test('rules that contradict each other are told, and leave their guests alone', () => {
  const guest = {
    cpus: 2,
    memory: GIB,
    state: 'active',
    hasIso: false,
    snapshots: 0,
    balancer: 'on',
  } as const;
  const flags = { isDisabled: false, isRescue: false, tags: [], cluster: 1 };
  const node = { cluster: 1, online: true, maintenance: false, creationBlocked: false, cpus: 16 };
  const have: VmmanagerInventory = {
    ...{ now: NOW, clusters: [{ id: 1, name: 'kvm' }], migrations: [], vetoes: [], gaps: [] },
    ...{ historyOf: [101, 102], targetsOf: [101, 102] },
    nodes: [1, 2].map((id) => ({ ...node, id, name: `node${id}`, memoryTotal: 64 * GIB })),
    guests: [101, 102].map((id) => ({ ...guest, ...flags, id, name: `vm${id}`, node: 1 })),
  };
  const yaml = 'rules: { affinity: [{ vmids: [101-102] }], anti_affinity: [{ names: [vm101, vm102] }] }';
  const { config } = parseBalance(yaml, 'balance.yml');
  const { plan } = planVmmanager({ have, config, evacuate: ['node1'] });
  expect(plan.steps).toEqual([]);
  expect(plan.warnings).toEqual([
    'rules of the configuration contradict each other: rule affinity[0] keeps together what rule anti_affinity[0] keeps apart; left alone: VM 101 (vm101), VM 102 (vm102)',
  ]);
  expect(plan.balance.remaining).toEqual([101, 102]);
});
