/** Random installations of VMmanager 6: what holds of balance on Proxmox VE holds there, whatever is lost or killed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import type {
  Scenario,
  ScenarioGuest,
  ScenarioNode,
} from '../../src/lib/vmmanager-stand-in/scenario-types.ts';
import { Mortal } from '../mortal.ts';
import { isLengthy, runs } from '../runs.ts';
import { balanceOn, startInstallation, type Installation } from './installations.ts';

const GIB = 1024;
/** The defaults of balance.yml. */
const LIMIT = { memory: 0.8, vcpusPerCore: 7 };

const worlds: fc.Arbitrary<Scenario> = fc
  .record({
    nodes: fc.array(
      fc.record({
        cluster: fc.constantFrom(1, 1, 1, 1, 2),
        cpus: fc.constantFrom(4, 16),
        memory_gib: fc.constantFrom(32, 64, 64),
        maintenance: fc.constantFrom(false, false, false, false, false, false, true),
        creation_blocked: fc.constantFrom(false, false, false, false, false, false, true),
        host_limit: fc.constantFrom(0, 0, 4),
        qemu_version: fc.constantFrom('7.2.0', '7.2.0', '7.2.0', '6.2.0'),
        unsuitable: fc.constantFrom(false, false, false, false, false, false, true),
      }),
      { minLength: 3, maxLength: 6 },
    ),
    guests: fc.array(
      fc.record({
        home: fc.constantFrom(0, 0, 0, 1, 2, 3),
        cores: fc.constantFrom(1, 4, 12),
        memory_mib: fc.constantFrom(4 * GIB, 8 * GIB, 16 * GIB),
        state: fc.constantFrom('active', 'active', 'active', 'stopped'),
        iso: fc.constantFrom(false, false, false, true),
        snapshots: fc.constantFrom(0, 0, 0, 1),
        balancer: fc.constantFrom(true, true, true, false),
      }),
      { minLength: 10, maxLength: 24, size: 'max' },
    ),
  })
  .map(({ nodes, guests }): Scenario => ({
    platform: 'vmmanager6',
    clusters: [
      { id: 1, name: 'kvm' },
      { id: 2, name: 'lab' },
    ],
    nodes: nodes.map((node, at) => ({ ...node, id: at + 1, name: `node${at + 1}` })),
    guests: guests.map(({ home, ...guest }, at) => ({
      ...{ ...guest, id: 101 + at, name: `vm${101 + at}` },
      node: (home % nodes.length) + 1,
    })),
  }));

type Trouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'lost'; readonly when: 'before' | 'after' }
  /** `later`: so many milliseconds before the next run. */
  | {
      readonly kind: 'killed';
      readonly at: number;
      readonly phase: 'before' | 'after';
      readonly later: number;
    };

const sides = fc.constantFrom('before' as const, 'after' as const);
const troubles: fc.Arbitrary<Trouble> = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc.record({ kind: fc.constant('lost' as const), when: sides }),
  fc.record({
    ...{ kind: fc.constant('killed' as const), at: fc.integer({ min: 1, max: 3 }), phase: sides },
    later: fc.constantFrom(0, 400, 5000, 30_000),
  }),
);

interface Order {
  readonly guest: number;
  readonly from: number;
  readonly to: number;
}

function isOlder(one: string, other: string): boolean {
  return Number.parseFloat(one) < Number.parseFloat(other);
}

/** Nothing here asks the planner: an order is judged by the scenario alone. */
function assertAllowed({ guest, from, to }: Order, { nodes, guests = [] }: Scenario, places: Places): void {
  const [home, target] = [from, to].map((id) => nodes.find((node) => node.id === id)) as [
    ScenarioNode,
    ScenarioNode,
  ];
  const moving = guests.find(({ id }) => id === guest)!;
  expect(moving).toMatchObject({ state: 'active', iso: false, snapshots: 0, balancer: true });
  expect(target).toMatchObject({
    cluster: home.cluster,
    maintenance: false,
    creation_blocked: false,
    unsuitable: false,
  });
  expect(isOlder(target.qemu_version ?? '', home.qemu_version ?? '')).toBe(false);
  const there = guests.filter(({ id }) => places[id] === to);
  if (target.host_limit) expect(there.length).toBeLessThan(target.host_limit);
  const running = [...there.filter(({ state }) => state === 'active'), moving];
  const sum = (of: (one: ScenarioGuest) => number): number =>
    running.reduce((total, one) => total + of(one), 0);
  expect(sum(({ memory_mib: memory }) => memory) / (target.memory_gib * GIB)).toBeLessThanOrEqual(
    LIMIT.memory,
  );
  expect(sum(({ cores }) => cores) / target.cpus).toBeLessThanOrEqual(LIMIT.vcpusPerCore);
}

type Places = Readonly<Record<number, number>>;

/** Orders that were accepted, those under way counted as arrived. */
function witness(
  scenario: Scenario,
  installation: Installation,
): {
  readonly connect: Installation['connect'];
  readonly orders: Order[];
  readonly wrong: readonly unknown[];
} {
  const orders: Order[] = [];
  const wrong: unknown[] = [];
  const coming = new Map<number, number>();
  const serve: Installation['serve'] = async (request) => {
    const guest = Number(/^\/vm\/v3\/host\/(\d+)\/migrate$/.exec(request.target)?.[1]);
    if (request.method !== 'POST' || Number.isNaN(guest)) return installation.serve(request);
    const places: Places = { ...installation.places(), ...Object.fromEntries(coming) };
    const order = { guest, from: places[guest]!, to: (JSON.parse(request.body) as { node: number }).node };
    const answer = await installation.serve(request);
    // Whatever the answer says, and whether or not it arrives.
    if (installation.ordered(guest) > orders.filter((one) => one.guest === guest).length) {
      // Thrown here it would be a lost answer to the run.
      try {
        assertAllowed(order, scenario, places);
      } catch (error) {
        wrong.push(error);
      }
      orders.push(order);
      coming.set(guest, order.to);
    }
    return answer;
  };
  return { orders, wrong, connect: inProcess(serve, installation.time) };
}

/** Returns how many migrations were ordered. */
async function runOne(scenario: Scenario, trouble: Trouble): Promise<number> {
  const path = '/vm/v3/host/{id}/migrate';
  const faults =
    trouble.kind === 'lost'
      ? [{ method: 'POST' as const, path, every: 2, action: `drop-${trouble.when}` as const }]
      : [];
  const mortal = new Mortal();
  const installation = startInstallation({ ...scenario, faults }, ({ n, phase }) => {
    if (trouble.kind === 'killed' && n === trouble.at && phase === trouble.phase) mortal.die();
  });
  const { connect, orders, wrong } = witness(scenario, installation);
  const seen = { ...installation, connect };
  const first = balanceOn(seen, ['--output', 'json'], { mortal });
  await Promise.race([first, mortal.death]);
  if (trouble.kind === 'killed') await installation.time.sleep(trouble.later);
  for (let round = 0; round < 5; round += 1) {
    const before = [orders.length, installation.requests.length] as const;
    const { code } = await balanceOn(seen, ['--output', 'json']);
    // 3: no two nodes to move between. Nothing else is wrong with these worlds.
    expect([0, 3]).toContain(code);
    const moves = orders.length - before[0];
    const asked = installation.requests
      .slice(before[1])
      .filter((request) => !request.path.startsWith('/vm/v3/task'));
    // An answer that is lost is looked up for a minute.
    const lost = asked.filter(({ status }) => status === 0).length;
    expect(asked.length).toBeLessThanOrEqual(
      10 + 4 * scenario.clusters.length + 3 * scenario.nodes.length + 12 * moves + 26 * lost,
    );
    await installation.time.sleep(600_000);
  }
  const moved = orders.map(({ guest }) => guest);
  // Within the hour of its cooldown nobody moves twice, and so nobody comes back.
  expect(new Set(moved).size).toBe(moved.length);
  const last = orders.length;
  await balanceOn(seen, ['--output', 'json']);
  expect(orders.length).toBe(last);
  mortal.bury();
  await first.catch(() => undefined);
  expect(wrong).toEqual([]);
  return orders.length;
}

test(
  'no forbidden move, no overloaded target, nothing twice, an end, and few questions',
  async () => {
    let moves = 0;
    const property = fc.asyncProperty(worlds, troubles, async (world, trouble) => {
      moves += await runOne(world, trouble);
    });
    await fc.assert(property, { ...runs(12, 600), endOnFailure: !isLengthy });
    // Worlds in which nothing moves would prove nothing.
    expect(moves).toBeGreaterThan(5);
  },
  isLengthy ? 1_800_000 : 60_000,
);
