/** What holds of every plan of balance, on any platform; the worlds are each platform's own. */
import { expect } from 'vitest';
import type { BalanceConfig } from '../../../src/lib/config/balance/types.ts';
import type { MigrationRecord } from '../../../src/lib/inventory/balance-types.ts';
import type { PlannedMove } from '../../../src/lib/plan/document/balance-report.ts';
import type { BalancePlan as Plan } from '../../../src/lib/plan/document/plan.ts';
import type { StepOf } from '../../../src/lib/plan/document/step.ts';

const SLACK = 1e-6;

interface Observed {
  readonly now: string;
  readonly migrations: readonly MigrationRecord[];
}

interface Place {
  readonly vmid: number;
  readonly node: string;
  readonly tags: readonly string[];
}

/** What a platform's worlds say of themselves, by words of the documentation rather than by the planner's functions. */
export interface Rig<H extends Observed> {
  readonly config: BalanceConfig;
  readonly plan: (have: H) => Plan;
  /** The world after these migrations, with the same load, `minutes` later. */
  readonly applied: (have: H, plan: Plan, minutes?: number) => H;
  /** The rule that the step breaks. */
  readonly forbidden: (step: StepOf<'vm.migrate'>, have: H) => string | undefined;
  /** Loads by limit, from the guests on each node of which the load is known; in one order for all. */
  readonly shares: (have: H, level: 'overload' | 'relieveTo') => ReadonlyMap<string, readonly number[]>;
  readonly guests: (have: H) => readonly Place[];
  /** Most guests of each node. */
  readonly most: (have: H) => ReadonlyMap<string, number>;
}

/** A world with its plan and what comes of it. `order`: in which steps end, of those that are ready. */
export interface Done<H extends Observed> {
  readonly rig: Rig<H>;
  readonly have: H;
  readonly order: readonly number[];
  readonly made: Plan;
  readonly after: H;
}

export function doneOf<H extends Observed>(rig: Rig<H>, have: H, order: readonly number[]): Done<H> {
  const made = rig.plan(have);
  return { rig, have, order, made, after: rig.applied(have, made) };
}

export function migrations({ steps }: Plan): StepOf<'vm.migrate'>[] {
  return steps.filter((step) => step.kind === 'vm.migrate');
}

export const isForLoad = ({ why }: PlannedMove): boolean => why === 'overload' || why === 'spread';

/** Largest load by limit. */
function severities<H extends Observed>({ shares }: Rig<H>, have: H): Map<string, number> {
  return new Map([...shares(have, 'overload')].map(([node, all]) => [node, Math.max(...all)]));
}

function crowds<H extends Observed>({ guests, most }: Rig<H>, have: H): Map<string, number> {
  const places = guests(have);
  return new Map(
    [...most(have).keys()].map((name) => [name, places.filter(({ node }) => node === name).length]),
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

function breaksNoHardRule<H extends Observed>({ rig, have, made }: Done<H>): void {
  const steps = migrations(made);
  expect(steps.flatMap((step) => rig.forbidden(step, have) ?? [])).toEqual([]);
  expect(new Set(steps.map(({ vmid }) => vmid)).size).toBe(steps.length);
}

function bringsNoPairTogether<H extends Observed>({ rig, have, after }: Done<H>): void {
  if (rig.config.antiAffinity.length === 0) return;
  const pairs = (state: H): Set<string> => {
    const members = rig.guests(state).filter(({ tags }) => tags.includes('apart'));
    return new Set(
      members.flatMap((a) =>
        members.filter((b) => b.vmid > a.vmid && b.node === a.node).map((b) => `${a.vmid} ${b.vmid}`),
      ),
    );
  };
  const before = pairs(have);
  expect([...pairs(after)].filter((pair) => !before.has(pair))).toEqual([]);
}

/** Machines go back to one that failed again and again, whatever the load there. */
function goesBack<H extends Observed>({ have, made }: Done<H>): boolean {
  const failed = have.migrations.filter(({ status }) => status !== 'ok').map(({ vmid }) => vmid);
  const isRepeated = failed.length > new Set(failed).size;
  return isRepeated && made.balance.moves.some(({ why }) => why === 'half-moved');
}

/** In whatever order the steps end, and wherever the run is killed. */
function staysWithinLimits<H extends Observed>(done: Done<H>): void {
  const { rig, have, made, order } = done;
  if (goesBack(done)) return;
  const before = severities(rig, have);
  const most = rig.most(have);
  const crowdsBefore = crowds(rig, have);
  for (const part of prefixes(made, order)) {
    const between = rig.applied(have, part);
    for (const [node, count] of crowds(rig, between))
      expect(count).toBeLessThanOrEqual(Math.max(most.get(node)!, crowdsBefore.get(node)!));
    for (const [node, severity] of severities(rig, between)) {
      expect(severity).toBeLessThanOrEqual(Math.max(1, before.get(node)!) + SLACK);
    }
  }
}

/** What must move (a torn stand, a broken rule) stays within the limits; what moves for load makes no new worst. */
function makesNoNewWorst<H extends Observed>(done: Done<H>): void {
  const { rig, have, made, after } = done;
  if (goesBack(done)) return;
  const worst = (state: H): number => Math.max(0, ...severities(rig, state).values());
  const limit = made.balance.moves.every(isForLoad) ? 0 : 1;
  expect(worst(after)).toBeLessThanOrEqual(Math.max(worst(have), limit) + SLACK);
}

const TOLD = '; no further than that: ';

/** What is relieved goes down to `relieve_to`, or says why not; what is only eased stays above the limit. */
function relievesAllTheWay<H extends Observed>({ rig, have, made, after }: Done<H>): void {
  const reasons = made.balance.moves.filter(({ why }) => why === 'overload').map(({ reason }) => reason);
  if (rig.config.mode !== 'threshold' || made.balance.deferred > 0) return;
  const before = rig.shares(have, 'overload');
  const worst = severities(rig, after);
  const left = rig.shares(after, 'relieveTo');
  for (const [node, shares] of before) {
    const own = reasons.filter((reason) => reason.startsWith(`relieves ${node} (`));
    if (own.length === 0 || worst.get(node)! > 1 || own.some((reason) => reason.includes(TOLD))) continue;
    const above = left.get(node)!.filter((share, at) => shares[at]! > 1 && share > 1 + SLACK);
    expect([node, above]).toEqual([node, []]);
  }
}

/** What is left to move when `rounds` more runs have done their part. */
function leftAfter<H extends Observed>(
  rig: Rig<H>,
  start: H,
  rounds: number,
  forget: (have: H) => H,
): string[] {
  let have = forget(start);
  for (let round = 0; round < rounds; round += 1) have = forget(rig.applied(have, rig.plan(have)));
  return migrations(rig.plan(have)).map(({ id }) => id);
}

/**
 * With unchanged load there is nothing more to do, unless the limits per run put something off. What had to move (a torn
 * stand, a broken rule) and arrives on a node that is blamed for failures makes it a target again, for the next run.
 */
function isComplete<H extends Observed>({ rig, have, made, after }: Done<H>): void {
  if (made.balance.deferred > 0) return;
  const isCleared =
    !made.balance.moves.every(isForLoad) && have.migrations.some(({ status }) => status !== 'ok');
  expect(leftAfter(rig, after, isCleared ? 3 : 0, (state) => state)).toEqual([]);
}

/**
 * Mode `threshold`: it is the state that is at rest, not the memory that holds it. What had to move in this run moves no
 * second time to make room for others; without memory it can in a later one, but that ends, too.
 */
function restsWithoutMemory<H extends Observed>({ rig, have, made, after }: Done<H>): void {
  if (made.balance.deferred > 0 || rig.config.mode === 'spread' || have.migrations.length > 0) return;
  const rounds = made.balance.moves.every(isForLoad) ? 0 : 3;
  expect(leftAfter(rig, after, rounds, (state) => ({ ...state, migrations: [] }))).toEqual([]);
}

/** Cut into portions by the limits per run: run after run ends, and moves no guest twice. */
function endsInPortions<H extends Observed>({ rig, have: start, made }: Done<H>): void {
  let next = made;
  let have = start;
  const moved = new Set<number>();
  for (let run = 0; migrations(next).length > 0; run += 1) {
    expect(migrations(next).filter(({ vmid }) => moved.has(vmid))).toEqual([]);
    for (const { vmid } of migrations(next)) moved.add(vmid);
    expect(run).toBeLessThan(80);
    // Within the cooldown however many runs it takes.
    have = rig.applied(have, next, 0.1);
    next = rig.plan(have);
  }
}

function dependsOnNoOrder<H extends Observed>({ rig, have, made }: Done<H>): void {
  const turned = Object.fromEntries(
    Object.entries(have).map(([key, value]: [string, unknown]) => [
      key,
      Array.isArray(value) ? [...(value as unknown[])].reverse() : value,
    ]),
  ) as unknown as H;
  expect(rig.plan(turned)).toEqual(made);
}

const PROPERTIES = {
  breaksNoHardRule,
  bringsNoPairTogether,
  staysWithinLimits,
  makesNoNewWorst,
  relievesAllTheWay,
  isComplete,
  restsWithoutMemory,
  endsInPortions,
  dependsOnNoOrder,
} as const;

export function assertHolds<H extends Observed>(done: Done<H>): void {
  for (const property of Object.values(PROPERTIES)) property(done);
}
