import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BalanceConfig } from '../../../../src/lib/config/balance/types.ts';
import { planBalance } from '../../../../src/lib/plan/balance/pve/balance.ts';
import type { BalanceGuest, BalanceInventory } from '../../../../src/lib/inventory/balance-types.ts';
import type { PlannedMove } from '../../../../src/lib/plan/document/balance-report.ts';
import type { BalancePlan as Plan } from '../../../../src/lib/plan/document/plan.ts';
import type { StepOf } from '../../../../src/lib/plan/document/step.ts';
import { runs } from '../../../runs.ts';
import { config, qemuOf } from './builders.ts';
import { applied, cases, type Case } from './worlds.ts';

const SLACK = 1e-6;

const configs = new Map<string, BalanceConfig>();

function parse(yaml: string): BalanceConfig {
  const known = configs.get(yaml) ?? config(yaml);
  configs.set(yaml, known);
  return known;
}

function plan({ have, yaml }: Case): Plan {
  return planBalance({ have, config: parse(yaml) }).plan;
}

function migrations({ steps }: Plan): StepOf<'vm.migrate'>[] {
  return steps.filter((step) => step.kind === 'vm.migrate');
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
  level: 'overload' | 'relieveTo' = 'overload',
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

/** Largest load by limit. */
function severities(have: BalanceInventory, config: BalanceConfig): Map<string, number> {
  return new Map([...sharesOf(have, config)].map(([node, shares]) => [node, Math.max(...shares)]));
}

function crowds(have: BalanceInventory): Map<string, number> {
  return new Map(
    have.nodes.map(({ name }) => [name, have.guests.filter(({ node }) => node === name).length]),
  );
}

/** The states in between, when steps end in an order that their edges allow. `order` chooses among the ready ones. */
function* prefixes(made: Plan, order: readonly number[]): Generator<Plan> {
  const done = new Set<string>();
  let left = [...made.steps];
  for (let turn = 0; left.length > 0; turn += 1) {
    const ready = left.filter(({ dependsOn, after }) => [...dependsOn, ...after].every((id) => done.has(id)));
    const next = ready[(order[turn % order.length] ?? 0) % ready.length]!;
    done.add(next.id);
    left = left.filter((step) => step !== next);
    yield { ...made, steps: made.steps.filter(({ id }) => done.has(id)) };
  }
}

const isForLoad = ({ why }: PlannedMove): boolean => why === 'overload' || why === 'spread';

/** A case with its plan and what comes of it. */
interface Done {
  readonly one: Case;
  readonly config: BalanceConfig;
  readonly made: Plan;
  readonly after: BalanceInventory;
}

function breaksNoHardRule({ one, config: wanted, made }: Done): void {
  const steps = migrations(made);
  expect(steps.flatMap((step) => forbidden(step, one.have, wanted) ?? [])).toEqual([]);
  expect(new Set(steps.map(({ vmid }) => vmid)).size).toBe(steps.length);
}

function tearsNoStand({ one, after }: Done): void {
  const nodesOf = (have: BalanceInventory, pool: string): number =>
    new Set(have.guests.filter((guest) => guest.pool === pool).map(({ node }) => node)).size;
  for (const { pool } of one.have.pools) {
    expect(nodesOf(after, pool)).toBeLessThanOrEqual(nodesOf(one.have, pool));
  }
}

function bringsNoPairTogether({ one, after }: Done): void {
  if (!one.yaml.includes('anti_affinity')) return;
  const pairs = (have: BalanceInventory): Set<string> => {
    const members = have.guests.filter(({ tags }) => tags.includes('apart'));
    return new Set(
      members.flatMap((a) =>
        members.filter((b) => b.vmid > a.vmid && b.node === a.node).map((b) => `${a.vmid} ${b.vmid}`),
      ),
    );
  };
  const before = pairs(one.have);
  expect([...pairs(after)].filter((pair) => !before.has(pair))).toEqual([]);
}

function takesBridgesAlong({ made, after }: Done): void {
  for (const { vmid } of migrations(made)) {
    const { node } = after.guests.find((guest) => guest.vmid === vmid)!;
    const there = after.networks.find((network) => network.node === node)!.bridges.map(({ iface }) => iface);
    const named = after.bridgeUse
      .find((use) => use.vmid === vmid)!
      .bridges.filter((name) => name !== 'simple1');
    expect(named.filter((name) => !there.includes(name))).toEqual([]);
  }
}

/** Machines go back to one that failed again and again, whatever the load there. */
function goesBack({ one, made }: Done): boolean {
  const failed = one.have.migrations.filter(({ status }) => status !== 'ok').map(({ vmid }) => vmid);
  const isRepeated = failed.length > new Set(failed).size;
  return isRepeated && made.balance.moves.some(({ why }) => why === 'half-moved');
}

/** In whatever order the steps end, and wherever the run is killed. */
function staysWithinLimits({ one, config: wanted, made }: Done, order: readonly number[]): void {
  const before = severities(one.have, wanted);
  const most = wanted.maxGuests ?? Infinity;
  const crowdsBefore = crowds(one.have);
  for (const part of prefixes(made, order)) {
    const between = applied(one.have, part);
    for (const [node, count] of crowds(between))
      expect(count).toBeLessThanOrEqual(Math.max(most, crowdsBefore.get(node)!));
    for (const [node, severity] of severities(between, wanted)) {
      expect(severity).toBeLessThanOrEqual(Math.max(1, before.get(node)!) + SLACK);
    }
  }
}

/** What must move (a torn stand, a broken rule) stays within the limits; what moves for load makes no new worst. */
function makesNoNewWorst({ one, config: wanted, made, after }: Done): void {
  const worst = (have: BalanceInventory): number => Math.max(0, ...severities(have, wanted).values());
  const limit = made.balance.moves.every(isForLoad) ? 0 : 1;
  expect(worst(after)).toBeLessThanOrEqual(Math.max(worst(one.have), limit) + SLACK);
}

const TOLD = '; no further than that: ';

/** What is relieved goes down to `relieve_to`, or says why not; what is only eased stays above the limit. */
function relievesAllTheWay({ one, config: wanted, made, after }: Done): void {
  const reasons = made.balance.moves.filter(({ why }) => why === 'overload').map(({ reason }) => reason);
  if (wanted.mode !== 'threshold' || made.balance.deferred > 0) return;
  const before = sharesOf(one.have, wanted);
  const worst = severities(after, wanted);
  const left = sharesOf(after, wanted, 'relieveTo');
  for (const [node, shares] of before) {
    const own = reasons.filter((reason) => reason.startsWith(`relieves ${node} (`));
    if (own.length === 0 || worst.get(node)! > 1 || own.some((reason) => reason.includes(TOLD))) continue;
    const above = left.get(node)!.filter((share, at) => shares[at]! > 1 && share > 1 + SLACK);
    expect([node, above]).toEqual([node, []]);
  }
}

/** What is left to move when `rounds` more runs have done their part. */
function leftAfter(
  rounds: number,
  one: Case,
  forget: (have: BalanceInventory) => BalanceInventory,
): string[] {
  let have = forget(one.have);
  for (let round = 0; round < rounds; round += 1) have = forget(applied(have, plan({ ...one, have })));
  return migrations(plan({ ...one, have })).map(({ id }) => id);
}

/**
 * With unchanged load there is nothing more to do, unless the limits per run put something off. What had to move (a torn
 * stand, a broken rule) and arrives on a node that is blamed for failures makes it a target again, for the next run.
 */
function isComplete({ one, made, after }: Done): void {
  if (made.balance.deferred > 0) return;
  const isCleared =
    !made.balance.moves.every(isForLoad) && one.have.migrations.some(({ status }) => status !== 'ok');
  expect(leftAfter(isCleared ? 3 : 0, { ...one, have: after }, (have) => have)).toEqual([]);
}

/**
 * Mode `threshold`: it is the state that is at rest, not the memory that holds it. What had to move in this run moves no
 * second time to make room for others; without memory it can in a later one, but that ends, too.
 */
function restsWithoutMemory({ one, made, after }: Done): void {
  if (made.balance.deferred > 0 || one.yaml.includes('spread') || one.have.migrations.length > 0) return;
  const rounds = made.balance.moves.every(isForLoad) ? 0 : 3;
  const forget = (have: BalanceInventory): BalanceInventory => ({ ...have, migrations: [] });
  expect(leftAfter(rounds, { ...one, have: after }, forget)).toEqual([]);
}

/** Cut into portions by the limits per run: run after run ends, and moves no guest twice. */
function endsInPortions({ one, made }: Done): void {
  let next = made;
  let { have } = one;
  const moved = new Set<number>();
  for (let run = 0; migrations(next).length > 0; run += 1) {
    expect(migrations(next).filter(({ vmid }) => moved.has(vmid))).toEqual([]);
    for (const { vmid } of migrations(next)) moved.add(vmid);
    expect(run).toBeLessThan(80);
    // Within the cooldown however many runs it takes.
    have = applied(have, next, 0.1);
    next = plan({ ...one, have });
  }
}

function dependsOnNoOrder({ one: { have, yaml }, made }: Done): void {
  const turned = Object.fromEntries(
    Object.entries(have).map(([key, value]) => [key, Array.isArray(value) ? [...value].reverse() : value]),
  ) as unknown as BalanceInventory;
  expect(plan({ have: turned, yaml })).toEqual(made);
}

test('a plan breaks no rule, makes nothing worse and leaves nothing to do', () => {
  const seen = { moves: 0, stands: 0, mended: 0, rules: 0, none: 0, allocation: 0, unknown: 0, crowded: 0 };
  fc.assert(
    fc.property(cases, fc.array(fc.nat(7), { minLength: 1, maxLength: 9 }), (one, order) => {
      const made = plan(one);
      const done = { one, config: parse(one.yaml), made, after: applied(one.have, made) };
      breaksNoHardRule(done);
      tearsNoStand(done);
      bringsNoPairTogether(done);
      takesBridgesAlong(done);
      if (!goesBack(done)) {
        staysWithinLimits(done, order);
        makesNoNewWorst(done);
      }
      relievesAllTheWay(done);
      isComplete(done);
      restsWithoutMemory(done);
      endsInPortions(done);
      dependsOnNoOrder(done);
      const { moves } = made.balance;
      seen.none += Number(moves.length === 0);
      seen.moves += Number(moves.some(isForLoad));
      seen.stands += Number(moves.some(({ unit }) => unit === 'stand'));
      seen.mended += Number(moves.some(({ why }) => why === 'half-moved'));
      seen.rules += Number(moves.some(({ why }) => why === 'rule'));
      seen.allocation += Number(moves.some(({ reason }) => reason.includes('virtual CPUs')));
      seen.unknown += Number(moves.length > 0 && one.have.nodes.some(({ loadUnknown }) => loadUnknown));
      seen.crowded += Number(moves.length > 0 && done.config.maxGuests !== undefined);
    }),
    runs(200, 20_000),
  );
  // A property over worlds in which nothing ever happens would prove nothing.
  expect(Object.entries(seen).filter(([, count]) => count < 5)).toEqual([]);
});
