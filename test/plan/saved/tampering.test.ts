import { Ajv } from 'ajv';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { StandError } from '../../../src/lib/errors.ts';
import type { DeployPlan } from '../../../src/lib/plan/document/plan.ts';
import type { Step, StepKind, StepOf } from '../../../src/lib/plan/document/step.ts';
import { hasRole, leewayOf } from '../../../src/lib/plan/document/step-traits.ts';
import { change, changed as distort } from '../../fuzz/mutate.ts';
import { runs } from '../../runs.ts';
import { again, adopted, confined, fresh, worlds, type World } from './worlds.ts';

const readSchema = (): object =>
  JSON.parse(readFileSync(new URL('../../../schemas/plan.schema.json', import.meta.url), 'utf8')) as object;
const isPlan = new Ajv({ strict: false, discriminator: true }).compile<DeployPlan>(readSchema());

/** What is applied of it; undefined: it is refused, in words. */
function stepsOf(world: World, saved: DeployPlan): readonly Step[] | undefined {
  try {
    return again(world, saved).steps;
  } catch (error) {
    if (!(error instanceof StandError) || ![2, 3].includes(error.exitCode)) throw error;
    return undefined;
  }
}

/** Words and order; kinds are changed into each other below, others are refused by the schema. */
const FRAME = ['id', 'reason', 'dependsOn', 'after', 'kind'];

/** Every part of every step of every world. */
const parts = Object.entries(worlds).flatMap(([name, world]) =>
  world.saved.steps.flatMap((step, at) =>
    Object.keys(step)
      .filter((part) => !FRAME.includes(part))
      .map((part) => ({ name, world, at, part, kind: step.kind })),
  ),
);

function edited({ saved }: World, at: number, edit: (step: Record<string, unknown>) => void): DeployPlan {
  const step = structuredClone(saved.steps[at]!) as unknown as Record<string, unknown>;
  edit(step);
  return { ...saved, steps: saved.steps.with(at, step as unknown as Step) };
}

const { definitions } = readSchema() as {
  definitions: Record<string, { properties?: { kind?: { const: StepKind } } }>;
};
const KINDS = Object.entries(definitions).flatMap(([name, { properties }]) =>
  name.startsWith('step') && properties?.kind ? [properties.kind.const] : [],
);

test('the worlds have every kind of step that a saved plan may hold', () => {
  const held = new Set(parts.map(({ kind }) => kind));
  expect(KINDS.filter((kind) => hasRole({ kind }, 'deploys') && !held.has(kind))).toEqual([]);
  expect([...held].filter((kind) => !hasRole({ kind }, 'deploys'))).toEqual([]);
});

test.each(Object.entries(worlds))('what is planned for %s is planned again', (_, world) => {
  expect(again(world, world.saved).steps).toEqual(world.saved.steps);
  expect(again(world, JSON.parse(JSON.stringify(world.saved)) as DeployPlan).steps).toEqual(
    world.saved.steps,
  );
});

describe('each part of each step', () => {
  test('taken away', () => {
    for (const { world, at, part } of parts)
      expect([
        part,
        stepsOf(
          world,
          edited(world, at, (step) => Reflect.deleteProperty(step, part)),
        ),
      ]).toEqual([part, undefined]);
  });

  test('changed', () => {
    fc.assert(
      fc.property(fc.nat(parts.length - 1), fc.jsonValue({ maxDepth: 2 }), (which, value) => {
        const { world, at, part } = parts[which]!;
        const before = (world.saved.steps[at] as unknown as Record<string, unknown>)[part];
        fc.pre(JSON.stringify(before) !== JSON.stringify(value));
        const steps = stepsOf(
          world,
          edited(world, at, (step) => (step[part] = value)),
        );
        // Of a list that may be shorter now, what the file has more is not looked at.
        const { shrinks, claims, progress } = leewayOf(world.saved.steps[at]!);
        if (steps && [...shrinks, ...claims, ...progress].includes(part))
          expect(steps).toEqual(world.saved.steps);
        else expect(steps).toBeUndefined();
      }),
      runs(60, 10_000),
    );
  });

  test('taken from another step', () => {
    fc.assert(
      fc.property(fc.nat(parts.length - 1), fc.nat(), (which, other) => {
        const { world, at, part } = parts[which]!;
        const values = world.saved.steps as unknown as readonly Record<string, unknown>[];
        const same = values.filter((step) => part in step);
        const value = same[other % same.length]![part];
        const steps = stepsOf(
          world,
          edited(world, at, (step) => (step[part] = value)),
        );
        if (JSON.stringify(value) === JSON.stringify(values[at]![part]))
          expect(steps).toEqual(world.saved.steps);
        else expect(steps).toBeUndefined();
      }),
      runs(60, 10_000),
    );
  });

  test('another kind', () => {
    fc.assert(
      fc.property(fc.nat(parts.length - 1), fc.constantFrom(...KINDS), (which, kind) => {
        const { world, at } = parts[which]!;
        fc.pre(world.saved.steps[at]!.kind !== kind);
        expect(
          stepsOf(
            world,
            edited(world, at, (step) => (step['kind'] = kind)),
          ),
        ).toBeUndefined();
      }),
      runs(60, 5000),
    );
  });

  test('something added, anywhere in it', () => {
    for (const { world, at, part } of parts) {
      expect(
        stepsOf(
          world,
          edited(world, at, (step) => (step['extra'] = 1)),
        ),
      ).toBeUndefined();
      const value = (world.saved.steps[at] as unknown as Record<string, unknown>)[part];
      if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
      const more = edited(world, at, (step) => ((step[part] as Record<string, unknown>)['extra'] = '1'));
      expect(stepsOf(world, more)).toBeUndefined();
    }
  });

  test('words and order are those of the plan that is applied', () => {
    for (const [, world] of Object.entries(worlds))
      for (const at of world.saved.steps.keys()) {
        const steps = stepsOf(
          world,
          edited(world, at, (step) => {
            step['reason'] = 'x';
            step['dependsOn'] = [];
            step['after'] = [];
          }),
        );
        expect(steps).toEqual(world.saved.steps);
      }
  });
});

test('any edit of a plan: refused, or the very same steps', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(worlds) as (keyof typeof worlds)[])),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (name, changes) => {
        const world = worlds[name];
        const plan = distort(world.saved, changes);
        // What the schema refuses never gets as far as this.
        if (!isPlan(plan)) return;
        expect([undefined, world.saved.steps]).toContainEqual(stepsOf(world, plan));
      },
    ),
    runs(250, 20_000),
  );
});

/** Absent is what plans say of a VM; more is no plan of this lab. */
test.each([
  ['lxc', true],
  ['qemu', true],
  ['openvz', false],
])('the kind of a guest put into it, %s: does the schema take it? %s', (type, isKnown) => {
  for (const { world, at } of parts.filter(({ part }) => part === 'vmid')) {
    const more = edited(world, at, (step) => (step['type'] = type));
    expect([isPlan(more), stepsOf(world, more)]).toEqual([isKnown, undefined]);
  }
});

test('a step left out is needed', () => {
  for (const world of Object.values(worlds))
    for (const { id } of world.saved.steps) {
      const steps = world.saved.steps.filter((step) => step.id !== id);
      expect([id, stepsOf(world, { ...world.saved, steps })]).toEqual([id, undefined]);
    }
});

/** The same choice made otherwise, wherever the plan speaks of it. */
describe('a choice changed throughout the plan', () => {
  const replaced = (from: string, to: string): DeployPlan =>
    JSON.parse(JSON.stringify(fresh.saved).replaceAll(from, to)) as DeployPlan;

  test('a free bridge is one that the planner could make: as it is written there', () => {
    const plan = replaced('vmbr1001', 'vmbr1077');
    expect(again(fresh, plan).steps).toEqual(plan.steps);
    expect(JSON.stringify(plan)).toContain('vmbr1077');
  });

  test('a time in the past is one at which it could have been planned: what is made carries its own', () => {
    const plan = replaced('2026-11-21T08:00:00Z', '2026-11-20T08:00:00Z');
    expect(plan.since).toBe('2026-11-20T08:00:00Z');
    const now = again(fresh, plan);
    expect([now.since, now.steps]).toEqual([fresh.saved.since, fresh.saved.steps]);
  });

  test.each([
    { name: 'a time to come', from: '2026-11-21T08:00:00Z', to: '2026-11-21T08:00:01Z', says: /since=/ },
    { name: 'no time', from: '2026-11-21T08:00:00Z', to: '2026-13-21T08:00:00Z', says: /since=/ },
    {
      name: 'a bridge that is no stand’s',
      from: 'vmbr1001',
      to: 'vmbr999',
      says: /bridge vmbr999 on pve2 would be vmbr1001 now/,
    },
    {
      name: 'one bridge for two stands',
      from: 'vmbr1001',
      to: 'vmbr1000',
      says: /bridge vmbr1000 on pve2 would be vmbr1001 now/,
    },
    { name: 'a bridge that exists', from: 'vmbr1001', to: 'vmbr0', says: /bridge vmbr0 exists on pve2/ },
    { name: 'a guest’s VMID', from: '10003', to: '101', says: /VMID 101 is taken by a guest on pve1/ },
    { name: 'a VMID out of range', from: '10003', to: '11000', says: /VMID 11000 is not in the lab's range/ },
    { name: 'one VMID twice', from: '10003', to: '10001', says: /VMID 10001 would be 10003 now/ },
    { name: 'a node that is none', from: 'pve2', to: 'pve9', says: /node pve9 does not exist/ },
  ])('$name is refused', ({ from, to, says }) => {
    expect(() => again(fresh, replaced(from, to))).toThrow(says);
  });
});

describe('holes of 0.1.0', () => {
  function withStep<K extends StepKind>(
    world: World,
    kind: K,
    edit: (step: StepOf<K>) => object,
  ): DeployPlan {
    const at = world.saved.steps.findIndex((step) => step.kind === kind);
    expect(at).toBeGreaterThanOrEqual(0);
    return edited(world, at, (step) => Object.assign(step, edit(step as unknown as StepOf<K>)));
  }

  test('claims smuggled into pool.create', () => {
    const plan = withStep(fresh, 'pool.create', ({ comment }) => ({
      comment: `${comment}\nlab=net vmids=100-101 since=2026-11-21T08:00:00Z`,
    }));
    expect(() => again(fresh, plan)).toThrow(/pool\.create:anna: comment is .*vmids=100-101.* in the plan/);
  });

  test('vm.clone into a foreign pool', () => {
    for (const world of [fresh, confined]) {
      const plan = withStep(world, 'vm.clone', () => ({ pool: 'prod' }));
      expect(() => again(world, plan)).toThrow(/vm\.clone:anna\/.*: pool is "prod" in the plan/);
    }
  });

  test('a bogus bridge.create that makes a foreign bridge the stand’s own', () => {
    const bridgeStep = fresh.saved.steps.find((step) => step.kind === 'bridge.create' && step.user)!;
    const bogus = {
      ...bridgeStep,
      id: 'bridge.create:pve1/vmbr7',
      bridge: 'vmbr7',
      comment: 'deploy-stand bridge=vmbr7 lab=net user=anna@pve net=lan since=2026-11-21T08:00:00Z',
    } as Step;
    const nics = (plan: DeployPlan): DeployPlan => ({
      ...plan,
      steps: plan.steps.map((step) =>
        step.kind === 'vm.configure'
          ? { ...step, nics: step.nics.map((nic) => ({ ...nic, bridge: 'vmbr7' })) }
          : step,
      ),
    });
    const more = { ...fresh.saved, steps: [bogus, ...fresh.saved.steps] };
    expect(stepsOf(fresh, more)).toEqual(fresh.saved.steps);
    expect(() => again(fresh, nics(more))).toThrow(/nics is .*vmbr7.* in the plan/);
    const wished: DeployPlan = {
      ...nics(more),
      stands: fresh.saved.stands.map((stand) => ({
        ...stand,
        bridges: stand.bridges.map((one) => ({ ...one, iface: 'vmbr7' })),
      })),
    };
    expect(() => again(fresh, wished)).toThrow(/bridge vmbr7 on pve\d would be vmbr1000 now/);
  });

  test.each(['vm.delete', 'vm.stop', 'pool.delete', 'bridge.delete', 'user.delete', 'pool.release'] as const)(
    '%s is never taken from a file',
    (kind) => {
      const step = {
        ...{ id: `${kind}:x`, kind, user: 'anna@pve', reason: '', dependsOn: [], after: [] },
        ...{ node: 'pve1', vmid: 500, pool: 'anna', userid: 'anna@pve' },
      } as unknown as Step;
      const plan = { ...adopted.saved, steps: [...adopted.saved.steps, step] };
      expect(() => again(adopted, plan)).toThrow(
        `${kind}:x: a deploy takes no step of this kind from a file`,
      );
    },
  );
});
