/** Random clusters of Proxmox VE: what holds on any platform, and what only stands and bridges ask for. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BalanceConfig } from '../../../../src/lib/config/balance/types.ts';
import { planBalance } from '../../../../src/lib/plan/balance/pve/balance.ts';
import type { BalanceGuest, BalanceInventory } from '../../../../src/lib/inventory/balance-types.ts';
import type { StepOf } from '../../../../src/lib/plan/document/step.ts';
import { runs } from '../../../runs.ts';
import { assertHolds, doneOf, isForLoad, migrations, type Done, type Rig } from '../properties.ts';
import { config, qemuOf } from './builders.ts';
import { applied, cases } from './worlds.ts';

const configs = new Map<string, BalanceConfig>();

function parse(yaml: string): BalanceConfig {
  const known = configs.get(yaml) ?? config(yaml);
  configs.set(yaml, known);
  return known;
}

/** Told from the inventory alone, by words of the documentation rather than by the planner's functions. */
function forbidden(
  step: StepOf<'vm.migrate'>,
  have: BalanceInventory,
  config: BalanceConfig,
): string | undefined {
  const guest = have.guests.find(({ vmid }) => vmid === step.vmid)!;
  const [source, target] = [guest.node, step.target].map((name) =>
    have.nodes.find((one) => one.name === name)!,
  );
  const values = have.configs.find(({ vmid }) => vmid === step.vmid)!.values;
  const text = Object.values(values).join(' ');
  const isOurs = guest.vmid >= 10_000;
  const isLocal = text.includes('data:');
  const reasons: Record<string, boolean> = {
    source: step.node !== guest.node || !source!.online,
    target: !target!.online || target!.maintenance || target!.name === source!.name,
    unknown: target!.loadUnknown === true,
    template: guest.template || guest.type !== 'qemu',
    foreign: !isOurs && config.guests === 'ours',
    locked: guest.lock !== undefined,
    state: guest.status !== 'running' && guest.status !== 'stopped',
    ha: guest.ha && config.ha === 'skip',
    ignored: config.ignore.length > 0 && guest.tags.includes('keep'),
    pinned:
      config.pin.length > 0 && guest.tags.includes('home') && !config.pin[0]!.nodes.includes(step.target),
    passthrough: 'hostpci0' in values,
    iso:
      text.includes('media=cdrom') &&
      have.storages.some((row) => row.node === guest.node && row.storage === 'data'),
    storage: isLocal && !have.storages.some((row) => row.node === step.target && row.storage === 'data'),
    clone:
      text.includes('base-9') &&
      have.storages.some((row) => row.node === guest.node && row.type === 'zfspool'),
    snapshot:
      'parent' in values &&
      guest.status === 'running' &&
      have.storages.some((row) => row.node === guest.node && row.storage === 'data'),
    qemu: guest.status === 'running' && qemuOf(have, target!.name) < qemuOf(have, source!.name),
    vendor: guest.status === 'running' && target!.cpuModel!.slice(0, 3) !== source!.cpuModel!.slice(0, 3),
    model: guest.status === 'running' && values['cpu'] === 'host' && target!.cpuModel !== source!.cpuModel,
    cpus: guest.cpus > target!.cpus,
    bridge: text.includes('vmbr7') && !['pve1', 'pve2'].includes(step.target),
  };
  return Object.keys(reasons).find((key) => reasons[key]);
}

function total(guests: readonly BalanceGuest[], of: (guest: BalanceGuest) => number): number {
  return guests.reduce((sum, guest) => sum + of(guest), 0);
}

/** Loads by limit, from the guests on each node of which the load is known; in one order for all. */
function sharesOf(
  have: BalanceInventory,
  { measures, ...config }: BalanceConfig,
  level: 'overload' | 'relieveTo',
): Map<string, readonly number[]> {
  const limits = config[level];
  return new Map(
    have.nodes
      .filter(({ loadUnknown }) => !loadUnknown)
      .map((node) => {
        const here = have.guests.filter((guest) => guest.node === node.name);
        const running = here.filter(({ status }) => status === 'running');
        const promised = total(running, ({ memory }) => memory);
        const memory = config.memoryMeasure === 'used' ? node.memoryUsed : promised;
        const values = {
          load: [node.cpu / limits.cpu, memory / node.memoryTotal / limits.memory],
          allocation: [total(running, ({ cpus }) => cpus) / node.cpus / limits.vcpusPerCore],
          overcommit: [promised / node.memoryTotal / limits.committed],
        };
        return [node.name, measures.flatMap((measure) => values[measure])];
      }),
  );
}

function rigFor(yaml: string): Rig<BalanceInventory> {
  const wanted = parse(yaml);
  return {
    config: wanted,
    plan: (have) => planBalance({ have, config: wanted }).plan,
    applied,
    forbidden: (step, have) => forbidden(step, have, wanted),
    shares: (have, level) => sharesOf(have, wanted, level),
    guests: ({ guests }) => guests,
    most: ({ nodes }) => new Map(nodes.map(({ name }) => [name, wanted.maxGuests ?? Infinity])),
  };
}

function tearsNoStand({ have, after }: Done<BalanceInventory>): void {
  const nodesOf = ({ guests }: BalanceInventory, pool: string): number =>
    new Set(guests.filter((guest) => guest.pool === pool).map(({ node }) => node)).size;
  for (const { pool } of have.pools) {
    expect(nodesOf(after, pool)).toBeLessThanOrEqual(nodesOf(have, pool));
  }
}

function takesBridgesAlong({ made, after }: Done<BalanceInventory>): void {
  for (const { vmid } of migrations(made)) {
    const { node } = after.guests.find((guest) => guest.vmid === vmid)!;
    const there = after.networks.find((network) => network.node === node)!.bridges.map(({ iface }) => iface);
    const named = after.bridgeUse
      .find((use) => use.vmid === vmid)!
      .bridges.filter((name) => name !== 'simple1');
    expect(named.filter((name) => !there.includes(name))).toEqual([]);
  }
}

test('a plan breaks no rule, makes nothing worse and leaves nothing to do', () => {
  const seen = { moves: 0, stands: 0, mended: 0, rules: 0, none: 0, allocation: 0, unknown: 0, crowded: 0 };
  fc.assert(
    fc.property(cases, fc.array(fc.nat(7), { minLength: 1, maxLength: 9 }), (one, order) => {
      const done = doneOf(rigFor(one.yaml), one.have, order);
      assertHolds(done);
      tearsNoStand(done);
      takesBridgesAlong(done);
      const { moves } = done.made.balance;
      seen.none += Number(moves.length === 0);
      seen.moves += Number(moves.some(isForLoad));
      seen.stands += Number(moves.some(({ unit }) => unit === 'stand'));
      seen.mended += Number(moves.some(({ why }) => why === 'half-moved'));
      seen.rules += Number(moves.some(({ why }) => why === 'rule'));
      seen.allocation += Number(moves.some(({ reason }) => reason.includes('virtual CPUs')));
      seen.unknown += Number(moves.length > 0 && one.have.nodes.some(({ loadUnknown }) => loadUnknown));
      seen.crowded += Number(moves.length > 0 && done.rig.config.maxGuests !== undefined);
    }),
    runs(150, 20_000),
  );
  // A property over worlds in which nothing ever happens would prove nothing.
  expect(Object.entries(seen).filter(([, count]) => count < 5)).toEqual([]);
});
