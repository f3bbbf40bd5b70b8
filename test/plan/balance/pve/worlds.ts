import fc from 'fast-check';
import type {
  BalanceInventory,
  HaRule,
  MigrationRecord,
} from '../../../../src/lib/inventory/balance-types.ts';
import type { Plan } from '../../../../src/lib/plan/document/plan.ts';
import {
  ago,
  inventory,
  localBridge,
  localStorage,
  standScene,
  type GuestSpec,
  type NodeSpec,
  type StandSpec,
} from './builders.ts';

/** A random cluster, and a configuration for it. */
export interface Case {
  readonly have: BalanceInventory;
  readonly yaml: string;
}

const MODELS = ['Intel(R) Xeon(R) Gold 6226R', 'Intel(R) Xeon(R) E5', 'AMD EPYC 7302'];

const node = (index: number): fc.Arbitrary<NodeSpec> =>
  fc
    .record({
      isUnknown: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, fc.constant(true)),
      name: fc.constant(`pve${index}`),
      gib: fc.constantFrom(32, 64, 64, 128),
      cpus: fc.constantFrom(8, 16, 32),
      own: fc.integer({ min: 1, max: 12 }),
      online: fc.oneof({ weight: 12, arbitrary: fc.constant(true) }, fc.constant(false)),
      maintenance: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, fc.constant(true)),
      cpuModel: fc.constantFrom(MODELS[0]!, MODELS[0]!, MODELS[0]!, MODELS[1]!, MODELS[2]!),
      qemuVersion: fc.constantFrom('9.2.0', '9.2.0', '9.2.0', '9.0.2', '10.1.0'),
    })
    .map(({ isUnknown, ...spec }) => ({ ...spec, ...(isUnknown ? { loadUnknown: true as const } : {}) }));

/** `undefined` most of the time. */
function seldom<T>(arbitrary: fc.Arbitrary<T>, weight = 12): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight, arbitrary: fc.constant(undefined) }, arbitrary);
}

const disks = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  fc.constantFrom<Record<string, string>>(
    { scsi1: 'data:vm-1-disk-1,size=8G' },
    { scsi1: 'data:base-9-disk-0/vm-1-disk-1,size=8G' },
    { ide2: 'data:iso/x.iso,media=cdrom' },
    { parent: 'before', scsi1: 'data:vm-1-disk-1,size=8G' },
    { hostpci0: '0000:01:00' },
    { cpu: 'host' },
    { net1: 'virtio=BC:24:11:00:00:02,bridge=vmbr7' },
    { net1: 'virtio=BC:24:11:00:00:02,bridge=simple1' },
  ),
);

function guest(nodes: number): fc.Arbitrary<Omit<GuestSpec, 'vmid'>> {
  return fc
    .record({
      node: fc.integer({ min: 1, max: nodes }).map((index) => `pve${index}`),
      gib: fc.constantFrom(1, 2, 4, 4, 8, 16, 24),
      threads: fc.double({ min: 0, max: 4, noNaN: true }),
      used: fc.double({ min: 0.1, max: 1, noNaN: true }),
      status: fc.constantFrom('running', 'running', 'running', 'running', 'stopped', 'paused'),
      type: fc.constantFrom<'qemu' | 'lxc'>('qemu', 'qemu', 'qemu', 'qemu', 'qemu', 'lxc'),
      ha: fc.constantFrom(false, false, false, false, true),
      lock: seldom(fc.constant('backup'), 20),
      isUnknown: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, fc.constant(true)),
      tags: fc.constantFrom([], [], [], ['keep'], ['group'], ['apart'], ['home']),
      values: disks,
    })
    .map(({ lock, used, isUnknown, ...rest }) => ({
      ...rest,
      // What it takes is in the load of its node only.
      ...(isUnknown && rest.status === 'running' ? { loadUnknown: true as const, threads: 0 } : {}),
      ...(lock === undefined ? {} : { lock }),
      memoryUsed: rest.status === 'stopped' || isUnknown ? 0 : rest.gib * used * 2 ** 30,
    }));
}

const stand = (
  nodes: number,
): fc.Arbitrary<Omit<StandSpec, 'user' | 'vmids' | 'bridge'> & { size: number }> =>
  fc
    .record({
      size: fc.integer({ min: 1, max: 4 }),
      at: fc.integer({ min: 1, max: nodes }),
      other: seldom(fc.integer({ min: 1, max: nodes }), 8),
      gib: fc.constantFrom(1, 2, 4, 8),
      threads: fc.double({ min: 0, max: 2, noNaN: true }),
      values: disks,
    })
    .map(({ size, at, other, gib, threads, values }) => ({
      size,
      node: Array.from({ length: size }, (_, index) => `pve${index === size - 1 ? (other ?? at) : at}`),
      bridgesOn: [...new Set([`pve${at}`, `pve${other ?? at}`])],
      guest: { gib, threads, values },
    }));

const RULES = [
  '',
  'rules: { ignore: [{ tags: [keep] }] }',
  'rules: { affinity: [{ tags: [group] }] }',
  'rules: { anti_affinity: [{ tags: [apart] }] }',
  'rules: { pin: [{ tags: [home], nodes: [pve1, pve2] }] }',
  'rules: { pin: [{ tags: [home], nodes: [pve1] }], affinity: [{ tags: [group] }], anti_affinity: [{ tags: [apart] }] }',
];

/** The levels are such that the worlds here go beyond them. */
const MEASURES = [
  'measures: [load, allocation]\noverload: { vcpus_per_core: 2.5 }\ntarget: { vcpus_per_core: 2 }',
  'measures: [allocation]\noverload: { vcpus_per_core: 2.5 }\ntarget: { vcpus_per_core: 2 }',
  'measures: [load, overcommit]',
];

const yamls = fc
  .record({
    guests: fc.constantFrom('ours', 'all', 'all'),
    mode: fc.constantFrom('threshold', 'threshold', 'spread'),
    limits: fc.constantFrom('', 'max_migrations: 2', 'max_inflow_per_node: 1', WIDE()),
    measure: fc.constantFrom('used', 'committed'),
    overcommit: fc.constantFrom(100, 200),
    ha: fc.constantFrom('skip', 'follow'),
    rules: fc.constantFrom(...RULES),
    measures: fc.constantFrom('', '', ...MEASURES),
    relief: fc.constantFrom(
      '',
      '',
      'relieve_to: { cpu: 75%, memory: 80% }',
      'relieve_to: { cpu: 65%, memory: 70% }',
    ),
    most: fc.constantFrom('', '', 'max_guests: 9'),
  })
  .map(({ guests, mode, limits, measure, overcommit, ha, ...lines }) =>
    [
      `guests: ${guests}`,
      `mode: ${mode}`,
      limits,
      `memory_measure: ${measure}`,
      `overcommit: ${overcommit}`,
      `ha: ${ha}`,
      ...Object.values(lines),
    ].join('\n'),
  );

/** No limits per run. */
function WIDE(): string {
  return 'max_migrations: 9999\nmax_migrations_per_node: 9999\nmax_inflow_per_node: 9999';
}

const haRules: fc.Arbitrary<readonly HaRule[]> = fc.constantFrom<readonly HaRule[]>(
  [],
  [],
  [{ name: 'prefer', kind: 'node-affinity', vmids: [101, 102, 103], nodes: ['pve1', 'pve2'], strict: false }],
  [{ name: 'apart', kind: 'resource-affinity', vmids: [101, 104, 105], affinity: 'negative' }],
);

function pastMoves(guests: number): fc.Arbitrary<MigrationRecord[]> {
  return fc.array(
    fc.record({
      vmid: fc.integer({ min: 101, max: 101 + guests }),
      from: fc.constantFrom('pve1', 'pve2', 'pve3'),
      to: fc.constantFrom('pve1', 'pve2', 'pve3'),
      start: fc.constant(ago(50)),
      end: fc.constant(ago(45)),
      status: fc.constantFrom<MigrationRecord['status']>('ok', 'failed', 'timeout'),
    }),
    { maxLength: 4 },
  );
}

export const cases: fc.Arbitrary<Case> = fc.integer({ min: 2, max: 6 }).chain((count) =>
  fc
    .record({
      nodes: fc.tuple(...Array.from({ length: count }, (_, index) => node(index + 1))),
      guests: fc.array(guest(count), { maxLength: 40 }),
      stands: fc.array(stand(count), { maxLength: 8 }),
      migrations: pastMoves(40),
      haRules,
      yaml: yamls,
    })
    .map(({ nodes, guests, stands, migrations, haRules: rules, yaml }) => {
      const specs = stands.map(({ size, ...rest }, index) => ({
        ...rest,
        user: `user${index}`,
        bridge: `vmbr${1000 + index}`,
        vmids: Array.from({ length: size }, (_, machine) => 10_000 + index * 10 + machine),
      }));
      const have = inventory(
        standScene(specs, {
          nodes,
          guests: guests.map((spec, index) => ({ ...spec, vmid: 101 + index })),
          bridges: { pve1: [localBridge('vmbr7')], pve2: [localBridge('vmbr7')] },
          storages: nodes.flatMap(({ name }, index) =>
            index % 3 === 2 ? [] : [localStorage(name, 'data', index === 0 ? 'zfspool' : 'lvmthin')],
          ),
        }),
      );
      return {
        have: { ...have, migrations, haRules: rules, vnets: [{ vnet: 'simple1', zoneType: 'simple' }] },
        yaml,
      };
    }),
);

/** The cluster after these migrations, with the same load, `minutes` later; bridges follow the plan's steps. */
export function applied(have: BalanceInventory, plan: Plan, minutes = 5): BalanceInventory {
  const to = new Map(
    plan.steps.flatMap((step) => (step.kind === 'vm.migrate' ? [[step.vmid, step.target]] : [])),
  );
  const at = new Date(Date.parse(have.now) + minutes * 60_000).toISOString();
  const guests = have.guests.map((guest) => ({ ...guest, node: to.get(guest.vmid) ?? guest.node }));
  const nodes = have.nodes.map((one) => {
    let [threads, memory] = [one.cpu * one.cpus, one.memoryUsed];
    for (const guest of have.guests) {
      const target = to.get(guest.vmid);
      if (guest.status !== 'running' || target === undefined || target === guest.node) continue;
      const sign = Number(target === one.name) - Number(guest.node === one.name);
      threads += sign * guest.cpu * guest.cpus;
      memory += sign * guest.memoryUsed;
    }
    return { ...one, cpu: threads / one.cpus, memoryUsed: memory };
  });
  const networks = have.networks.map((network) => {
    const gone = new Set(
      plan.steps.flatMap((step) =>
        step.kind === 'bridge.delete' && step.node === network.node ? [step.bridge] : [],
      ),
    );
    const made = plan.steps.flatMap((step) =>
      step.kind === 'bridge.create' && step.node === network.node
        ? [localBridge(step.bridge, step.comment)]
        : [],
    );
    return { ...network, bridges: [...network.bridges.filter(({ iface }) => !gone.has(iface)), ...made] };
  });
  const records = [...to].map(([vmid, target]): MigrationRecord => {
    const from = have.guests.find((guest) => guest.vmid === vmid)?.node ?? '';
    return { vmid, from, to: target, start: have.now, end: have.now, status: 'ok' };
  });
  const move = <T extends { vmid: number; node: string }>(row: T): T => ({
    ...row,
    node: to.get(row.vmid) ?? row.node,
  });
  return {
    ...have,
    now: at,
    guests,
    nodes,
    networks,
    configs: have.configs.map(move),
    bridgeUse: have.bridgeUse.map(move),
    migrations: [...have.migrations, ...records],
  };
}
