import { limitsOf } from '../../src/lib/plan/document/step-traits.ts';
import { StepError } from '../../src/lib/execute/step-error.ts';
import { createLimits } from '../../src/lib/execute/limits.ts';
import { runPlan, type RunOptions } from '../../src/lib/execute/scheduler.ts';
import type { ApplyEvent, Handlers, RunIo, StepIo, StepOutcome } from '../../src/lib/execute/types.ts';
import { createUser } from '../../src/lib/execute/handlers/user/create.ts';
import type { Step, StepKind, StepOf } from '../../src/lib/plan/document/step.ts';
import { virtualTime } from './world.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../runs.ts';

const FRAME = { reason: 'test', dependsOn: [] as string[], after: [] as string[] };

/** A step without limits of its own in the way: each starts a VM on its own node. */
function free(id: string, more: Partial<Step> = {}): Step {
  return { ...FRAME, id, kind: 'vm.start', node: `node-${id}`, vmid: 100, ...more } as Step;
}

function clone(id: string, node: string, locks: readonly string[], more: Partial<Step> = {}): Step {
  return { ...FRAME, id, kind: 'vm.clone', node, locks, ...more } as unknown as Step;
}

function ofKind(id: string, kind: StepKind, more: object = {}): Step {
  return { ...FRAME, id, kind, node: 'pve1', ...more } as unknown as Step;
}

/** `A -> B`: B depends on A. `A ~> B`: B is after A. Steps stand in the plan in order of first mention. */
function scenario(text: string): Step[] {
  const steps = new Map<string, { dependsOn: string[]; after: string[] }>();
  const named = (id: string) => {
    const known = steps.get(id) ?? { dependsOn: [], after: [] };
    steps.set(id, known);
    return known;
  };
  for (const edge of text.split(',').map((part) => part.trim())) {
    const [from = '', arrow, to] = edge.split(' ');
    named(from);
    if (to !== undefined) named(to)[arrow === '->' ? 'dependsOn' : 'after'].push(from);
  }
  return [...steps].map(([id, edges]) => free(id, edges));
}

type Behaviour = (step: Step, io: StepIo) => Promise<StepOutcome>;

function everyKind(behave: Behaviour): Handlers {
  return new Proxy({}, { get: () => behave }) as Handlers;
}

interface Run {
  readonly steps: readonly Step[];
  readonly behave?: Behaviour;
  readonly hard?: AbortSignal;
  readonly options?: Partial<RunOptions>;
  readonly time?: ReturnType<typeof virtualTime>;
  readonly onEvent?: (event: ApplyEvent) => void;
}

async function run({ steps, behave = () => Promise.resolve('done'), hard, options, onEvent, time }: Run) {
  const { clock, drive } = time ?? virtualTime();
  const started = clock.now();
  const log: string[] = [];
  const pveFor = (step: string) => ({ step });
  const io = { pveFor, clock, signal: hard ?? new AbortController().signal } as unknown as RunIo;
  const result = await drive(
    runPlan(
      { steps },
      {
        handlers: everyKind(behave),
        io,
        onEvent: (event) => {
          const tail = event.type === 'step.skipped' ? ` (${event.because})` : '';
          log.push(`${event.type.replace('step.', '')} ${event.step.id}${tail}`);
          onEvent?.(event);
        },
        ...options,
      },
    ),
  );
  const status = Object.fromEntries(result.results.map((entry) => [entry.id, entry.status]));
  return { result, log, status, seconds: (clock.now() - started) / 1000 };
}

const seconds =
  (table: Readonly<Record<string, number>>, failing: readonly string[] = []): Behaviour =>
  async (step, io) => {
    await io.clock.sleep((table[step.id] ?? 1) * 1000);
    if (failing.includes(step.id)) throw new StepError('STEP_KIND', `${step.id} broke`);
    return 'done';
  };

describe('order', () => {
  test.each([
    {
      name: 'dependents start when the last of what they need is done',
      steps: 'A -> C, B -> C',
      takes: { A: 1, B: 3 },
      log: ['started A', 'started B', 'succeeded A', 'succeeded B', 'started C', 'succeeded C'],
      seconds: 4,
    },
    {
      name: 'what is ready starts in plan order, at once',
      steps: 'C, A, B',
      takes: {},
      log: ['started C', 'started A', 'started B', 'succeeded C', 'succeeded A', 'succeeded B'],
      seconds: 1,
    },
    {
      name: 'after waits like a dependency',
      steps: 'A ~> B',
      takes: {},
      log: ['started A', 'succeeded A', 'started B', 'succeeded B'],
      seconds: 2,
    },
    {
      name: 'both kinds of edges between the same two steps',
      steps: 'A -> B, A ~> B',
      takes: {},
      log: ['started A', 'succeeded A', 'started B', 'succeeded B'],
      seconds: 2,
    },
  ])('$name', async ({ steps, takes, log, seconds: length }) => {
    const ran = await run({ steps: scenario(steps), behave: seconds(takes) });
    expect(ran.log).toEqual(log);
    expect(ran.seconds).toBe(length);
    expect(ran.result.interrupted).toBe(false);
  });

  test('an empty plan is done at once', async () => {
    expect((await run({ steps: [] })).result).toEqual({ results: [], interrupted: false });
  });
});

test('each step asks through a client of its own, so that a witness hears for which step', async () => {
  const seen: unknown[] = [];
  const behave: Behaviour = async (step, io) => {
    await io.clock.sleep(1000);
    seen.push([step.id, io.pve]);
    return 'done';
  };
  await run({ steps: scenario('A, B, C'), behave });
  expect(seen).toEqual(['A', 'B', 'C'].map((step) => [step, { step }]));
});

describe('failure', () => {
  test('a later step can ask what failed or was skipped before it', async () => {
    const asked: boolean[] = [];
    await run({
      steps: scenario('A -> B, B ~> C, D ~> C'),
      behave: async (step, io) => {
        if (step.id === 'C') asked.push(...['A', 'B', 'D'].map((id) => io.isUndone(id)));
        return seconds({}, ['A'])(step, io);
      },
    });
    expect(asked).toEqual([true, true, false]);
  });

  test.each([
    {
      name: 'skips dependents, however far behind, and names the step that failed',
      steps: 'A -> B, B -> C, D',
      log: ['skipped B (A failed)', 'skipped C (A failed)', 'succeeded D'],
      status: { A: 'failed', B: 'skipped', C: 'skipped', D: 'done' },
    },
    {
      name: 'does not skip what is merely after',
      steps: 'A ~> B, A -> C, C ~> D',
      log: ['skipped C (A failed)', 'succeeded B', 'succeeded D'],
      status: { A: 'failed', B: 'done', C: 'skipped', D: 'done' },
    },
    {
      name: 'skips a dependent although its other dependency succeeds',
      steps: 'A -> C, B -> C',
      log: ['skipped C (A failed)', 'succeeded B'],
      status: { A: 'failed', B: 'done', C: 'skipped' },
    },
  ])('$name', async ({ steps, log, status }) => {
    const ran = await run({ steps: scenario(steps), behave: seconds({ B: 2, D: 2 }, ['A']) });
    expect(ran.log.filter((line) => !line.startsWith('started') && !line.startsWith('failed'))).toEqual(log);
    expect(ran.status).toEqual(status);
  });

  test('every error is kept, with its code and hint', async () => {
    const errors: Error[] = [];
    const ran = await run({
      steps: scenario('A, B, C'),
      behave: (step) => {
        if (step.id === 'A') throw new StepError('VMID_TAKEN', 'taken', { hint: 'again' });
        return step.id === 'B' ? Promise.reject(new TypeError('ours')) : Promise.resolve('already-done');
      },
      onEvent: (event) => event.type === 'step.failed' && errors.push(event.error),
    });
    expect(ran.result.results).toEqual([
      { id: 'A', status: 'failed', code: 'VMID_TAKEN', message: 'taken', hint: 'again' },
      { id: 'B', status: 'failed', code: 'INTERNAL', message: 'ours' },
      { id: 'C', status: 'done', outcome: 'already-done' },
    ]);
    expect(errors.map((error) => error.name)).toEqual(['StepError', 'TypeError']);
  });

  test.each([
    {
      name: 'an unknown id',
      steps: [free('A', { dependsOn: ['ghost'] })],
      says: /A waits for unknown step ghost/,
    },
    {
      name: 'a cycle',
      steps: [free('A', { dependsOn: ['B'] }), free('B', { after: ['A'] })],
      says: /wait for each other/,
    },
    { name: 'a repeated id', steps: [free('A'), free('A')], says: /planned twice/ },
  ])('an unsound plan ($name) is a defect, before anything starts', async ({ steps, says }) => {
    const log: string[] = [];
    const ran = run({ steps, onEvent: (event) => log.push(event.type) });
    await expect(ran).rejects.toThrow(says);
    await expect(ran).rejects.toMatchObject({ exitCode: 1 });
    expect(log).toEqual([]);
  });

  test('a listener that throws ends the run with its error', async () => {
    const ran = run({
      steps: scenario('A'),
      onEvent: () => {
        throw new Error('listener');
      },
    });
    await expect(ran).rejects.toThrow('listener');
  });
});

describe('interrupt', () => {
  test('the soft stop waits for what runs and skips the rest', async () => {
    const soft = new AbortController();
    const ran = await run({
      steps: scenario('A -> B, B -> C, D'),
      behave: seconds({ A: 2, D: 5 }),
      options: { signal: soft.signal },
      onEvent: (event) => event.type === 'step.succeeded' && event.step.id === 'A' && soft.abort(),
    });
    expect(ran.log).toEqual([
      'started A',
      'started D',
      'succeeded A',
      'skipped B (interrupted)',
      'skipped C (interrupted)',
      'succeeded D',
    ]);
    expect(ran.result.interrupted).toBe(true);
  });

  test('the soft stop does not reach a handler, the hard one does', async () => {
    const soft = new AbortController();
    const hard = new AbortController();
    const ran = await run({
      steps: scenario('A'),
      hard: hard.signal,
      options: { signal: soft.signal },
      behave: async (_step, io) => {
        soft.abort();
        expect(io.signal.aborted).toBe(false);
        hard.abort(new Error('leave'));
        await io.clock.sleep(1000, io.signal);
        return 'done';
      },
    });
    expect(ran.result).toEqual({
      interrupted: true,
      results: [{ id: 'A', status: 'failed', code: 'INTERRUPTED', message: 'leave' }],
    });
  });

  test('aborted before the start: nothing starts', async () => {
    const ran = await run({ steps: scenario('A -> B'), options: { signal: AbortSignal.abort() } });
    expect(ran.log).toEqual(['skipped A (interrupted)', 'skipped B (interrupted)']);
    expect(ran.result.interrupted).toBe(true);
  });

  test('too late to stop anything is not an interruption', async () => {
    const soft = new AbortController();
    const ran = await run({
      steps: scenario('A'),
      options: { signal: soft.signal },
      onEvent: (event) => event.type === 'step.started' && soft.abort(),
    });
    expect(ran.result.interrupted).toBe(false);
  });

  test('a step that waits for a place only is skipped too', async () => {
    const soft = new AbortController();
    const ran = await run({
      steps: [ofKind('A', 'acl.grant'), ofKind('B', 'acl.grant')],
      behave: seconds({}),
      options: { signal: soft.signal },
      onEvent: (event) => event.type === 'step.started' && soft.abort(),
    });
    expect(ran.log).toEqual(['started A', 'skipped B (interrupted)', 'succeeded A']);
  });
});

describe('a step that steps aside', () => {
  const lane = (...ids: string[]) => ids.map((id) => ofKind(id, 'acl.grant'));
  /** A looks for 1 s, waits for something outside, then works for 1 s; the others work as long as told. */
  const waiting =
    (takes: Readonly<Record<string, number>>, wait: (io: StepIo) => Promise<unknown>): Behaviour =>
    async (step, io) => {
      if (step.id === 'A') {
        await io.clock.sleep(1000);
        await io.stepAside(() => wait(io));
      }
      await io.clock.sleep((takes[step.id] ?? 1) * 1000);
      return 'done';
    };
  const tenSeconds = (io: StepIo) => io.clock.sleep(10_000);

  test('leaves its place to others', async () => {
    const ran = await run({ steps: lane('A', 'B', 'C'), behave: waiting({}, tenSeconds) });
    const order = ran.log.filter((line) => line.startsWith('succeeded'));
    expect(order).toEqual(['succeeded B', 'succeeded C', 'succeeded A']);
    expect(ran.seconds).toBe(12);
  });

  test('goes on only when there is a place again, before those behind it in the plan', async () => {
    const ran = await run({ steps: lane('A', 'B', 'C'), behave: waiting({ B: 30 }, tenSeconds) });
    expect(ran.log.slice(2)).toEqual(['succeeded B', 'succeeded A', 'started C', 'succeeded C']);
    expect(ran.seconds).toBe(33);
  });

  test('fails with what its wait failed with, and leaves no place taken', async () => {
    const fails = async (io: StepIo) => {
      await tenSeconds(io);
      throw new StepError('VM_LOCKED', 'locked');
    };
    const ran = await run({ steps: lane('A', 'B', 'C'), behave: waiting({ B: 30 }, fails) });
    expect(ran.status).toEqual({ A: 'failed', B: 'done', C: 'done' });
    expect(ran.result.results[0]).toMatchObject({ code: 'VM_LOCKED' });
    expect(ran.seconds).toBe(32);
  });

  test('is waited for by the soft stop', async () => {
    const soft = new AbortController();
    const ran = await run({
      steps: lane('A', 'B', 'C'),
      behave: waiting({}, tenSeconds),
      options: { signal: soft.signal },
      onEvent: (event) => event.type === 'step.started' && event.step.id === 'B' && soft.abort(),
    });
    expect(ran.status).toEqual({ A: 'done', B: 'done', C: 'skipped' });
    expect(ran.seconds).toBe(12);
  });
});

describe('onReserved', () => {
  const reserving = [
    ofKind('user', 'user.create'),
    ofKind('pool', 'pool.create', { dependsOn: ['user'] }),
    ofKind('claim', 'pool.update', { dependsOn: ['pool'] }),
    ofKind('bridge', 'bridge.create'),
    ofKind('reload', 'network.reload', { after: ['bridge'] }),
    free('start', { dependsOn: ['claim'] }),
  ];

  test.each([
    { name: 'comes with the end of the last reserving step', failing: [], before: 'succeeded claim' },
    { name: 'counts failed and skipped ones as ended', failing: ['user'], before: 'succeeded bridge' },
  ])('$name', async ({ failing, before }) => {
    const log: string[] = [];
    await run({
      steps: reserving,
      behave: seconds({ user: 2, start: 5, reload: 9, bridge: 3 }, failing),
      onEvent: (event) => event.type === 'step.succeeded' && log.push(`succeeded ${event.step.id}`),
      options: { onReserved: () => void log.push('reserved') },
    });
    expect(log[log.indexOf('reserved') - 1]).toBe(before);
    expect(log.filter((line) => line === 'reserved')).toHaveLength(1);
    expect(log.indexOf('reserved')).toBeLessThan(log.indexOf('succeeded reload'));
  });

  test('comes at once when nothing reserves', async () => {
    const log: string[] = [];
    await run({
      steps: scenario('A'),
      onEvent: (event) => log.push(event.type),
      options: { onReserved: () => void log.push('reserved') },
    });
    expect(log).toEqual(['step.started', 'reserved', 'step.succeeded']);
  });

  test('is waited for, and its failure is not lost', async () => {
    let isOver = false;
    await run({
      steps: [],
      options: {
        onReserved: async () => {
          await Promise.resolve();
          isOver = true;
        },
      },
    });
    expect(isOver).toBe(true);
    const failing = run({
      steps: scenario('A'),
      behave: seconds({ A: 5 }),
      options: { onReserved: () => Promise.reject(new Error('no release')) },
    });
    await expect(failing).rejects.toThrow('no release');
  });
});

/** Highest number of steps at once per limit key. */
function watchWidth() {
  const now = new Map<string, number>();
  const highest = new Map<string, number>();
  const onEvent = (event: ApplyEvent) => {
    const change = event.type === 'step.started' ? 1 : /succeeded|failed/.test(event.type) ? -1 : 0;
    for (const key of ['all', ...limitsOf(event.step)]) {
      now.set(key, (now.get(key) ?? 0) + change);
      highest.set(key, Math.max(highest.get(key) ?? 0, now.get(key) ?? 0));
    }
  };
  return { highest, onEvent };
}

describe('limits', () => {
  const many = <T>(count: number, make: (index: number) => T) =>
    Array.from({ length: count }, (_, i) => make(i));

  test.each([
    {
      name: 'user.cfg is one lane',
      steps: many(5, (i) => ofKind(`u${i}`, 'user.create')),
      key: 'user.cfg',
      width: 1,
    },
    {
      name: 'bridge edits and reloads of a node come one by one',
      steps: many(4, (i) => ofKind(`b${i}`, i === 3 ? 'network.reload' : 'bridge.create')),
      key: 'network:pve1',
      width: 1,
    },
    {
      name: 'config writes of a node: as many as pvedaemon has workers',
      steps: many(9, (i) => ofKind(`c${i}`, 'vm.configure')),
      key: 'sync:pve1',
      width: 3,
    },
    {
      name: 'a shared storage is one limit for all nodes',
      steps: many(40, (i) => clone(`c${i}`, `pve${i % 10}`, ['shared:nfs'])),
      key: 'storage:shared:nfs',
      width: 9, // 4 at first, one more after each full round of successes
    },
    {
      name: 'a node starts so many tasks',
      steps: many(8, (i) => ofKind(`s${i}`, 'vm.snapshot.delete')),
      key: 'task:pve1',
      width: 8,
    },
  ])('$name', async ({ steps, key, width }) => {
    const watch = watchWidth();
    const ran = await run({ steps, behave: seconds({}), onEvent: watch.onEvent });
    expect(watch.highest.get(key)).toBe(width);
    expect(Object.values(ran.status)).toEqual(steps.map(() => 'done'));
  });

  test('local storages of different nodes are different limits', async () => {
    const watch = watchWidth();
    const steps = many(20, (i) => clone(`c${i}`, `pve${i % 5}`, [`pve${i % 5}:local`]));
    const ran = await run({ steps, behave: seconds({}), onEvent: watch.onEvent });
    expect(watch.highest.get('all')).toBe(20);
    expect(ran.seconds).toBe(1);
  });

  test('a full lane holds up nobody else, and the first in the plan is the first to get a place', async () => {
    const steps = [
      ofKind('u1', 'user.create'),
      ofKind('u2', 'acl.grant', { dependsOn: ['s'] }),
      ofKind('u3', 'pool.create'),
      ofKind('u4', 'pool.create'),
      free('s'),
    ];
    const ran = await run({ steps, behave: seconds({ u1: 2 }) });
    expect(ran.log.filter((line) => line.startsWith('started'))).toEqual([
      'started u1',
      'started s',
      'started u2',
      'started u3',
      'started u4',
    ]);
  });

  test('--concurrency caps everything', async () => {
    const watch = watchWidth();
    const steps = many(30, (i) => free(`f${i}`));
    const limits = createLimits({ concurrency: 4 });
    await run({ steps, behave: seconds({}), onEvent: watch.onEvent, options: { limits } });
    expect(watch.highest.get('all')).toBe(4);
  });

  test('lock timeouts narrow a storage, and it works on', async () => {
    const widths: number[] = [];
    let running = 0;
    const steps = many(60, (i) => clone(`c${i}`, `pve${i}`, ['shared:nfs']));
    const ran = await run({
      steps,
      behave: async (step, io) => {
        widths.push((running += 1));
        if (running > 2 && widths.length < 20) {
          const because = "cfs-lock 'storage-nfs' error: got lock request timeout";
          io.onRetry({ because, waitMs: 5000, busy: { of: 'storage', storage: 'nfs' } });
        }
        await io.clock.sleep(step.id.length * 1000);
        running -= 1;
        return 'done';
      },
    });
    expect(ran.log.filter((line) => line.startsWith('retrying')).length).toBeGreaterThan(0);
    expect(Math.min(...widths.slice(4, 12))).toBeLessThanOrEqual(2);
    expect(Math.max(...widths)).toBeLessThanOrEqual(4);
    expect(Object.values(ran.status)).toEqual(steps.map(() => 'done'));
  });

  test('10,000 steps are looked at a few times each, not once for every other', async () => {
    const stands = many(1000, (i) => ofKind(`claim${i}`, 'pool.update'));
    const vms = many(1000, (i) => i).flatMap((i) => {
      const node = `pve${i % 20}`;
      return many(3, (m) => [
        clone(`clone${i}.${m}`, node, ['shared:nfs', `${node}:local`], { dependsOn: [`claim${i}`] }),
        ofKind(`configure${i}.${m}`, 'vm.configure', { node, dependsOn: [`clone${i}.${m}`] }),
        ofKind(`start${i}.${m}`, 'vm.start', { node, dependsOn: [`configure${i}.${m}`] }),
      ]).flat();
    });
    const steps = [...stands, ...vms];
    expect(steps).toHaveLength(10_000);
    let looks = 0;
    const watched = steps.map(
      (step) =>
        new Proxy(step, {
          get: (target, key) => {
            looks += 1;
            return Reflect.get(target, key) as unknown;
          },
        }),
    );
    const ran = await run({ steps: watched });
    expect(ran.result.results.every(({ status }) => status === 'done')).toBe(true);
    expect(looks / steps.length).toBeLessThan(50);
  });

  test('a chain of 10,000 failures to skip does not overflow the stack', async () => {
    const steps = many(10_000, (i) => free(`s${i}`, { dependsOn: i === 0 ? [] : [`s${i - 1}`] }));
    const ran = await run({ steps, behave: seconds({}, ['s0']) });
    expect(ran.result.results.at(-1)).toEqual({ id: 's9999', status: 'skipped', because: 's0 failed' });
  });
});

describe('any graph', () => {
  const KINDS = [
    'user.create',
    'bridge.create',
    'network.reload',
    'vm.clone',
    'vm.configure',
    'vm.start',
  ] as const;
  const shape = fc.array(
    fc.record({
      kind: fc.constantFrom(...KINDS),
      node: fc.constantFrom('pve1', 'pve2', 'pve3'),
      locks: fc.subarray(['shared:nfs', 'pve1:local', 'pve2:local']),
      dependsOn: fc.array(fc.nat(), { maxLength: 3 }),
      after: fc.array(fc.nat(), { maxLength: 3 }),
      fails: fc.boolean(),
      millis: fc.integer({ min: 0, max: 50 }),
    }),
    { maxLength: 40 },
  );
  const SIZES: Readonly<Record<string, number>> = {
    'user.cfg': 1,
    network: 1,
    sync: 3,
    task: 16,
    boot: 2,
    storage: 16,
  };

  test('every step ends once, never before its edges, never wider than the limits', async () => {
    await fc.assert(
      fc.asyncProperty(shape, fc.option(fc.integer({ min: 1, max: 5 })), async (shapes, concurrency) => {
        const ids = (edges: readonly number[], index: number) =>
          index === 0 ? [] : [...new Set(edges.map((edge) => `s${edge % index}`))];
        const steps = shapes.map(({ kind, node, locks, dependsOn, after }, index) =>
          ofKind(`s${index}`, kind, {
            node,
            locks,
            dependsOn: ids(dependsOn, index),
            after: ids(after, index),
          }),
        );
        const watch = watchWidth();
        const ended = new Map<string, string>();
        const startedOnce = new Set<string>();
        const ran = await run({
          steps,
          behave: async (step, io) => {
            const { fails, millis } = shapes[Number(step.id.slice(1))]!;
            await io.clock.sleep(millis);
            if (fails) throw new StepError('STEP_KIND', 'broke');
            return 'done';
          },
          options: { limits: createLimits(concurrency === null ? {} : { concurrency }) },
          onEvent: (event) => {
            watch.onEvent(event);
            const { step } = event;
            if (event.type === 'step.started') {
              expect(startedOnce.has(step.id)).toBe(false);
              startedOnce.add(step.id);
              for (const id of step.dependsOn) expect(ended.get(id)).toBe('step.succeeded');
              for (const id of step.after) expect(ended.has(id)).toBe(true);
            } else {
              expect(ended.has(step.id)).toBe(false);
              ended.set(step.id, event.type);
            }
          },
        });
        expect(ran.result.results).toHaveLength(steps.length);
        expect(ended.size).toBe(steps.length);
        for (const [key, width] of watch.highest) {
          const size = key === 'all' ? (concurrency ?? Infinity) : SIZES[key.split(':')[0]!]!;
          expect(width).toBeLessThanOrEqual(size);
        }
        const dead = (id: string) => ended.get(id) !== 'step.succeeded';
        for (const step of steps)
          expect(ended.get(step.id) === 'step.skipped').toBe(step.dependsOn.some((id) => dead(id)));
      }),
      runs(80, 5000),
    );
  });
});

describe('a step that leaves its place', () => {
  const users = ['a', 'b', 'c'].map((id) => ofKind(id, 'user.create', { userid: id }));

  test('lets the next one of its lane begin while it does what concerns no lock', async () => {
    const behave: Behaviour = async (_, io) => {
      await io.clock.sleep(1000);
      io.leavePlace();
      io.leavePlace();
      await io.clock.sleep(5000);
      return 'done';
    };
    const { status, seconds } = await run({ steps: users, behave });
    expect(status).toEqual({ a: 'done', b: 'done', c: 'done' });
    expect(seconds).toBe(8);
  });

  test('who waits for it begins when it has ended, and is skipped when it fails after all', async () => {
    const last = ofKind('d', 'vm.start', { dependsOn: ['a'] });
    const behave: Behaviour = (step, io) => {
      io.leavePlace();
      return step.id === 'a'
        ? Promise.reject(new StepError('DISK_LEFT', 'no room', {}))
        : Promise.resolve('done');
    };
    const { status } = await run({ steps: [...users, last], behave });
    expect(status).toEqual({ a: 'failed', b: 'done', c: 'done', d: 'skipped' });
  });
});

test('the passwords of a class are written to disk while user.cfg is free for others', async () => {
  const made: string[] = [];
  const users = ['slow@pve', 'quick@pve'].map((userid) =>
    ofKind(userid, 'user.create', { userid, password: 'generate', comment: 'x', groups: [] }),
  );
  const { status } = await run({
    steps: users,
    behave: (step, io) => {
      const pve = { createUser: ({ userid }: { userid: string }) => Promise.resolve(made.push(userid)) };
      const secrets = {
        passwordFor: async (userid: string) => {
          await io.clock.sleep(userid === 'slow@pve' ? 5000 : 0);
          return 'secret';
        },
        settle: () => Promise.resolve(),
      };
      return createUser(step as StepOf<'user.create'>, { ...io, pve, secrets } as unknown as StepIo);
    },
  });
  expect(status).toEqual({ 'slow@pve': 'done', 'quick@pve': 'done' });
  expect(made).toEqual(['quick@pve', 'slow@pve']);
});

test('--stagger on a clock that runs while steps begin: nodes that open moments apart all go on', async () => {
  const time = virtualTime();
  let passed = 0;
  const now = () => time.clock.now() + (passed += 0.001);
  const steps = ['pve1', 'pve2', 'pve3'].flatMap((node) =>
    [0, 1, 2].map((n) => free(`${node}-${n}`, { node })),
  );
  const { status, seconds: took } = await run({
    steps,
    time,
    options: { limits: createLimits({ stagger: { ms: 5000, now } }) },
  });
  expect(new Set(Object.values(status))).toEqual(new Set(['done']));
  expect(took).toBeGreaterThanOrEqual(10);
});
