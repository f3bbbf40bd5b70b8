import { counterpart } from '../../../src/lib/plan/saved/same-step.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../../src/lib/inventory/types.ts';
import { PlanRefusedError, UsageError } from '../../../src/lib/errors.ts';
import type { DeployOptions } from '../../../src/lib/plan/deploy/context.ts';
import type { DeployPlan, Plan } from '../../../src/lib/plan/document/plan.ts';
import type { Step } from '../../../src/lib/plan/document/step.ts';
import { planAgain } from '../../../src/lib/plan/saved/plan-again.ts';
import { runs } from '../../runs.ts';
import {
  alias,
  applied,
  bridge,
  claimOf,
  guest,
  have,
  ids,
  lab,
  machine,
  plan,
  real,
  template,
  user,
} from '../builders.ts';
import { again, fresh } from './worlds.ts';

function refusalOf(act: () => unknown): PlanRefusedError {
  try {
    act();
  } catch (error) {
    if (error instanceof PlanRefusedError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const linesOf = (act: () => unknown): string[] => refusalOf(act).message.split('\n  ').slice(1);

/** The steps of these places, with all that have to be done before them. */
function closed(steps: readonly Step[], wanted: ReadonlySet<number>): Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const done = new Set<string>();
  const add = (step: Step): void => {
    if (done.has(step.id)) return;
    done.add(step.id);
    for (const id of [...step.dependsOn, ...step.after]) add(byId.get(id)!);
  };
  steps.forEach((step, at) => wanted.has(at) && add(step));
  return steps.filter(({ id }) => done.has(id));
}

describe('a plan that was half applied', () => {
  const classes = {
    fresh,
    'many stands': (() => {
      const users = Array.from({ length: 6 }, (_, i) => user(`student${i + 1}`));
      return { ...fresh, users, saved: plan(fresh.lab, users, fresh.have) };
    })(),
  };

  test.each(Object.entries(classes))('%s: whatever is done, the rest is planned again', (_, world) => {
    const { saved } = world;
    const end = applied(world.lab, saved, world.have);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(saved.steps.length - 1)), (places) => {
        const done = closed(saved.steps, new Set(places));
        const half = applied(world.lab, { ...saved, steps: done }, world.have);
        const rest = again(world, saved, { ...half, now: '2026-11-22T09:30:00.000Z' });
        const known = new Map(saved.steps.map((step) => [step.id, step]));
        expect(rest.steps.filter((step) => counterpart(step, known) === undefined)).toEqual([]);
        const finished = applied(world.lab, rest, half);
        // What is begun a day later is a day younger.
        const atOnce = (comment: string) =>
          comment.replaceAll('since=2026-11-22T09:30:00Z', 'since=2026-11-21T08:00:00Z');
        const byName = ({ pools }: Inventory) =>
          pools
            .map((one) => ({ ...one, comment: atOnce(one.comment) }))
            .sort((a, b) => (a.pool < b.pool ? -1 : 1));
        expect(byName(finished)).toEqual(byName(end));
        expect(finished.users.map(({ userid }) => userid).sort()).toEqual(
          end.users.map(({ userid }) => userid).sort(),
        );
        const sorted = ({ vms }: Inventory) => [...vms].sort((a, b) => a.vmid - b.vmid);
        expect(sorted(finished)).toEqual(sorted(end));
      }),
      runs(25, 3000),
    );
  });

  test('and one that was applied has nothing to do', () => {
    const made = applied(fresh.lab, fresh.saved, fresh.have);
    // A snapshot is no part of an inventory of a test.
    expect(ids(again(fresh, fresh.saved, made)).filter((id) => !id.startsWith('vm.snapshot'))).toEqual([]);
  });

  test('a stand that another run has made is done, whatever its numbers are', () => {
    const taken = have({ guests: [...have().guests, guest(10000), guest(10001)] });
    const other = applied(fresh.lab, plan(fresh.lab, fresh.users, taken), taken);
    expect(ids(again(fresh, fresh.saved, other)).filter((id) => !id.startsWith('vm.snapshot'))).toEqual([]);
  });
});

test('load does not matter, nor does room', () => {
  const busy = have();
  const nodes = busy.nodes.map((node) => ({ ...node, cpu: 0.9, memoryUsed: node.memoryTotal }));
  const crowded = {
    ...busy,
    nodes,
    guests: [...busy.guests, ...[1, 2, 3].map((at) => guest(200 + at, { memory: 2 ** 38, cpus: 64 }))],
  };
  expect(() => plan(fresh.lab, fresh.users, crowded)).toThrow(/is full/);
  expect(again(fresh, fresh.saved, crowded).steps).toEqual(fresh.saved.steps);
});

describe('stands without room', () => {
  const big = lab([machine('pc', [alias('lan')], { memory: 40 * 1024 })]);
  const users = ['anna', 'boris', 'carla', 'dora'].map((name) => user(name));
  const one = have({ nodes: have().nodes.slice(0, 1) });
  const saved = plan(big, users, one, { fit: true });
  const left = saved.stands.filter(({ refused }) => refused);
  const apply = (cluster: Inventory, edit: DeployPlan = saved) =>
    planAgain(edit, { lab: big, users, have: cluster, options: { adopt: false, updateRunning: false } });

  test('stay left out, also where there is room by now and without --fit', () => {
    expect([left.length > 0, left.length < 4]).toEqual([true, true]);
    for (const cluster of [one, have()]) {
      const result = apply(cluster);
      expect(result.steps).toEqual(saved.steps);
      expect(result.stands.filter(({ refused }) => refused).map((stand) => stand.user)).toEqual(
        left.map((stand) => stand.user),
      );
    }
  });

  test('are not left out by an edit while their steps stay', () => {
    const stands = saved.stands.map((stand) => ({
      ...stand,
      refused: { code: 'NO_CAPACITY', message: 'x' },
    }));
    expect(() => apply(one, { ...saved, stands: [...stands.slice(0, 1), ...saved.stands.slice(1)] })).toThrow(
      /the plan refuses the stand of anna@pve and has steps for it/,
    );
  });
});

const withBridge = (node: string, iface: string): Inventory => ({
  ...have(),
  networks: have().networks.map((network) =>
    network.node === node ? { ...network, bridges: [...network.bridges, bridge(iface)] } : network,
  ),
});

describe('what changed meanwhile', () => {
  const pc = lab([machine('pc', [alias('lan')])]);
  const users = [user('anna'), user('boris')];
  const saved = plan(pc, users);
  const apply = (cluster: Inventory, options: Partial<DeployOptions> = {}) =>
    planAgain(saved, {
      lab: pc,
      users,
      have: cluster,
      options: { adopt: false, updateRunning: false, ...options },
    });

  test.each<{ name: string; cluster: Inventory; says: RegExp[] }>([
    {
      name: 'a guest took a VMID',
      cluster: have({ guests: [...have().guests, guest(10000, { node: 'pve2' })] }),
      says: [/^VMID 10000 is taken by a guest on pve2$/],
    },
    {
      name: 'another lab claims a VMID',
      cluster: have({ pools: [{ pool: 'x', comment: claimOf('x@pve', [10001], 'other') }] }),
      says: [/^VMID 10001 is claimed by pool x$/],
    },
    {
      name: 'the bridge exists',
      cluster: withBridge('pve1', 'vmbr1000'),
      says: [/^bridge vmbr1000 exists on pve1$/],
    },
    {
      name: 'the bridge exists on another node',
      cluster: withBridge('pve2', 'vmbr1000'),
      says: [/^bridge vmbr1000 exists on pve2$/],
    },
    {
      name: 'a node is offline',
      cluster: have({ nodes: have().nodes.map((node) => ({ ...node, online: node.name !== 'pve2' })) }),
      says: [/^node pve2 is offline$/],
    },
    {
      name: 'a node is gone',
      cluster: have({ nodes: have().nodes.slice(0, 1) }),
      says: [/^node pve2 does not exist$/],
    },
    {
      name: 'a pool of somebody else has the name',
      cluster: have({ pools: [{ pool: 'anna', comment: 'physics' }] }),
      says: [/^pool anna exists and was not made by deploy-stand/],
    },
    {
      name: 'another lab is in the pool',
      cluster: have({ pools: [{ pool: 'anna', comment: claimOf('anna@pve', [700], 'other') }] }),
      says: [/^pool\.update:anna: comment is .* in the plan and .*lab=other vmids=700.* now$/],
    },
    {
      name: 'both',
      cluster: have({ guests: [...have().guests, guest(10000), guest(10001)] }),
      says: [/^VMID 10000 is taken by a guest on pve1 \(and 1 more of this kind\)$/],
    },
  ])('$name', ({ cluster, says }) => {
    const lines = linesOf(() => apply(cluster));
    expect(lines).toEqual(says.map((text) => expect.stringMatching(text) as string));
    expect(refusalOf(() => apply(cluster))).toMatchObject({
      code: 'PLAN_STALE',
      exitCode: 3,
      hint: expect.stringContaining('--dry-run --out') as string,
    });
  });

  test('the template is gone', () => {
    expect(() => apply(have({ templates: [template(100)] }))).toThrow(PlanRefusedError);
  });

  test('a template that is on another node now is cloned from elsewhere', () => {
    const moved = have({ templates: [template(100), { ...template(101), node: 'pve2' }] });
    expect(linesOf(() => apply(moved))).toEqual([
      'vm.clone:anna/pc: node is "pve1" in the plan and "pve2" now (and 1 more of this kind)',
    ]);
  });

  test('another lab file, however it came to be believed', () => {
    const other = { ...pc, machines: [machine('pc', [alias('lan')], { cores: 8 })] };
    const lines = linesOf(() =>
      planAgain(saved, { lab: other, users, have: have(), options: { adopt: false, updateRunning: false } }),
    );
    expect(lines).toEqual([
      expect.stringMatching(/^vm\.configure:anna\/pc: description is .* \(and 1 more of this kind\)$/),
      expect.stringMatching(
        /^vm\.configure:anna\/pc: options is .*"cores":"8".* now \(and 1 more of this kind\)$/,
      ),
    ]);
  });

  test('what a machine that runs now would only have later is not said to be done', () => {
    const next = lab([machine('pc', [alias('lan')], { cores: 4 })]);
    const before = applied(pc, saved);
    const update = plan(next, users, before);
    expect(update.steps.map(({ kind }) => kind)).toEqual(['vm.configure', 'vm.configure']);
    const running = {
      ...before,
      guests: before.guests.map((one) => (one.vmid === 10000 ? { ...one, status: 'running' } : one)),
    };
    const run = (updateRunning: boolean) =>
      planAgain(update, { lab: next, users, have: running, options: { adopt: false, updateRunning } });
    expect(linesOf(() => run(false))).toEqual([
      'VM 10000 (pc) is running: it is not changed without --update-running',
    ]);
    expect(run(true).steps).toEqual(update.steps);
  });

  test('a stand that was refused and could be made now', () => {
    const held = have({ pools: [{ pool: 'anna', comment: 'physics' }] });
    const partly = plan(pc, users, held);
    const run = (cluster: Inventory) =>
      planAgain(partly, { lab: pc, users, have: cluster, options: { adopt: false, updateRunning: false } });
    expect(run(held).steps).toEqual(partly.steps);
    expect(linesOf(() => run(have()))).toEqual([
      expect.stringMatching(/^the plan refuses the stand of anna@pve, which can be made now: "pool anna/),
    ]);
  });

  test('390 students are said once', () => {
    const many = Array.from({ length: 390 }, (_, i) => user(`student${i + 1}`));
    const one = plan(pc, many);
    const guests = one.stands.flatMap(({ vms }) => vms.map(({ vmid }) => guest(vmid)));
    const refused = (): unknown =>
      planAgain(one, {
        lab: pc,
        users: many,
        have: have({ guests: [...have().guests, ...guests] }),
        options: { adopt: false, updateRunning: false },
      });
    expect(linesOf(refused)).toEqual(['VMID 10000 is taken by a guest on pve1 (and 389 more of this kind)']);
    const inFull = refusalOf(refused).inFull?.split('\n') ?? [];
    expect(inFull).toHaveLength(391);
    expect(inFull.at(-1)).toBe('  VMID 10389 is taken by a guest on pve1');
    const other = { ...pc, machines: [machine('pc', [real('vmbr0')], { cores: 8, storage: 'ceph' })] };
    const options = { adopt: false, updateRunning: false };
    expect(
      linesOf(() => planAgain(one, { lab: other, users: many, have: have(), options })).length,
    ).toBeLessThan(8);
  });
});

describe('whose plan it is', () => {
  const pc = lab([machine('pc', [real('vmbr0')])]);
  const users = [user('anna'), user('boris')];
  const files = { lab: 'a'.repeat(64), users: 'b'.repeat(64) };
  const options = { adopt: false, updateRunning: false };
  const want = { lab: pc, users, have: have(), options };
  const saved: DeployPlan = { ...plan(pc, users), files };

  test('files that say the same', () => {
    expect(planAgain(saved, { ...want, files }).steps).toEqual(saved.steps);
    expect(planAgain(saved, want).steps).toEqual(saved.steps);
  });

  test.each([
    {
      name: 'another lab file',
      plan: saved,
      files: { ...files, lab: 'c'.repeat(64) },
      says: [/^lab\.yml says something else/],
    },
    {
      name: 'another users file',
      plan: saved,
      files: { ...files, users: 'c'.repeat(64) },
      says: [/^the users file says/],
    },
    {
      name: 'nobody knows which',
      plan: plan(pc, users),
      files,
      says: [/^lab\.yml .*unknown then/, /^the users file .*unknown then/],
    },
  ])('$name', ({ plan: made, files: now, says }) => {
    expect(refusalOf(() => planAgain(made, { ...want, files: now })).code).toBe('PLAN_OTHER_FILES');
    expect(linesOf(() => planAgain(made, { ...want, files: now }))).toEqual(
      says.map((text) => expect.stringMatching(text) as string),
    );
  });

  test.each<{ name: string; edit: Partial<Plan>; code: string }>([
    { name: 'another lab', edit: { lab: 'other' }, code: 'PLAN_OTHER_LAB' },
    { name: 'another command', edit: { command: 'cleanup' }, code: 'PLAN_OTHER_COMMAND' },
  ])('$name', ({ edit, code }) => {
    expect(() => planAgain({ ...saved, ...edit } as Plan, want)).toThrow(
      expect.objectContaining({ code, exitCode: 2 }),
    );
  });

  test('users who are not in the file, in one line', () => {
    const many = Array.from({ length: 390 }, (_, i) => user(`student${i + 1}`));
    const run = () => planAgain(plan(pc, many), want);
    expect(run).toThrow(UsageError);
    expect(run).toThrow(
      'not in the users file, or not chosen by --only: student1@pve, student2@pve, student3@pve, student4@pve, student5@pve and 385 more',
    );
  });

  test('steps for somebody who has no stand in it', () => {
    const stands = saved.stands.slice(1);
    expect(() => planAgain({ ...saved, stands }, { ...want, users: users.slice(1) })).toThrow(
      /pool\.create:anna: anna@pve has no stand in the plan \(and \d more of this kind\)/,
    );
  });
});
