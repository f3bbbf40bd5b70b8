import { describe, expect, test } from 'vitest';
import { AnswerLostError, PveError, TaskError, UnreachableError } from '../../src/lib/proxmox/errors.ts';
import { createTaskWaiter } from '../../src/lib/proxmox/tasks.ts';
import type { PveApi, TaskWaiter, Upid } from '../../src/lib/proxmox/types.ts';
import { parseUpid } from '../../src/lib/proxmox/upid.ts';
import { failure, fakeClock, type FakeClock } from './support.ts';

function upid(id: number, node = 'pve1'): Upid {
  return `UPID:${node}:0000A1B2:00C3D4E5:66000000:qmclone:${id}:lab@pve:`;
}

interface FakeTask {
  /** Milliseconds after the start of the test. */
  readonly endsAt: number;
  readonly exitstatus?: string;
  /** Until then the list of running tasks does not show it. */
  readonly listedAt?: number;
  /** Once it ended, no list shows it. */
  readonly unlisted?: boolean;
}

/** The task endpoints over tasks with known ends. */
class FakePve implements Pick<PveApi, 'tasks' | 'taskStatus' | 'taskLog'> {
  readonly asked: string[] = [];
  readonly limits: (number | undefined)[] = [];
  readonly #clock: FakeClock;
  readonly #start: number;
  readonly #known: Map<Upid, FakeTask>;
  /** Thrown instead of an answer while it returns something. */
  trouble: (asked: string, elapsed: number) => Error | undefined = () => undefined;

  constructor(clock: FakeClock, known: Record<Upid, FakeTask>) {
    this.#clock = clock;
    this.#start = clock.now();
    this.#known = new Map(Object.entries(known));
  }

  pass(ms: number): Promise<void> {
    return this.#clock.sleep(ms);
  }

  get elapsed(): number {
    return this.#clock.now() - this.#start;
  }

  async tasks(...[node, filter]: Parameters<PveApi['tasks']>): ReturnType<PveApi['tasks']> {
    await this.#ask(`list ${node} ${filter.source}`);
    this.limits.push(filter.limit);
    return [...this.#known]
      .filter(([id, task]) => parseUpid(id).node === node && (task.listedAt ?? 0) <= this.elapsed)
      .filter(([, task]) => task.endsAt > this.elapsed || (filter.source === 'all' && task.unlisted !== true))
      .map(([id, task]) => ({
        ...parseUpid(id),
        upid: id,
        ...(task.endsAt > this.elapsed ? {} : { status: task.exitstatus ?? 'OK' }),
      }));
  }

  async taskStatus(id: Upid): ReturnType<PveApi['taskStatus']> {
    await this.#ask(`status ${parseUpid(id).id}`);
    const task = this.#known.get(id);
    if (!task) {
      const fields = { upid: 'no such task' };
      throw new PveError({
        method: 'GET',
        path: '/x',
        status: 400,
        text: 'Parameter verification failed.',
        fields,
      });
    }
    if (task.endsAt > this.elapsed) return { upid: id, running: true };
    return { upid: id, running: false, exitstatus: task.exitstatus ?? 'OK' };
  }

  async taskLog(...[id, lines]: Parameters<PveApi['taskLog']>): ReturnType<PveApi['taskLog']> {
    await this.#ask(`log ${parseUpid(id).id} ${lines}`);
    return ['create full clone', 'TASK ERROR: disk full'];
  }

  async #ask(what: string): Promise<void> {
    await Promise.resolve();
    this.asked.push(what);
    const trouble = this.trouble(what, this.elapsed);
    if (trouble) throw trouble;
  }
}

function setup(known: Record<Upid, FakeTask>): { clock: FakeClock; pve: FakePve; tasks: TaskWaiter } {
  const clock = fakeClock();
  const pve = new FakePve(clock, known);
  return { clock, pve, tasks: createTaskWaiter(pve, clock) };
}

const offline = new UnreachableError({
  ...{ method: 'GET', path: '/nodes/pve1/tasks', isSent: false },
  troubles: [{ kind: 'status', status: 595, words: 'No route to host' }],
});

describe('endings', () => {
  test.each([
    ['OK', { warnings: false }],
    ['WARNINGS: 3', { warnings: true }],
  ])('%s is success', async (exitstatus, ending) => {
    const { tasks } = setup({ [upid(1)]: { endsAt: 2000, exitstatus } });
    expect(await tasks.wait(upid(1))).toEqual(ending);
  });

  test('anything else is a TaskError with the end of the log', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 2000, exitstatus: 'clone failed: disk full' } });
    const error = await failure(tasks.wait(upid(1)));
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toMatchObject({
      message: 'task qmclone 1 on pve1 failed: clone failed: disk full',
      exitstatus: 'clone failed: disk full',
      log: ['create full clone', 'TASK ERROR: disk full'],
      upid: upid(1),
    });
    expect(pve.asked.at(-1)).toBe('log 1 10');
  });

  test('a log that cannot be read does not hide the failure', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 0, exitstatus: 'unexpected status' } });
    pve.trouble = (asked) => (asked.startsWith('log') ? offline : undefined);
    expect(await failure(tasks.wait(upid(1)))).toMatchObject({ exitstatus: 'unexpected status', log: [] });
  });

  test('a task that ended before the first look', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 0 } });
    await tasks.wait(upid(1));
    expect(pve.asked).toEqual(['list pve1 all']);
  });

  test('a task whose end no list tells', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 0, exitstatus: 'WARNINGS: 1', unlisted: true } });
    expect(await tasks.wait(upid(1))).toEqual({ warnings: true });
    expect(pve.asked).toEqual(['list pve1 all', 'status 1']);
  });

  test('a task that is not in the list yet has not ended', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { listedAt: 700, endsAt: 5000 } });
    await tasks.wait(upid(1));
    expect(pve.elapsed).toBeGreaterThanOrEqual(5000);
    expect(pve.asked.filter((asked) => asked.startsWith('status'))).toHaveLength(1);
  });

  test('with one that began long ago, only running tasks are listed', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 70_000 } });
    await tasks.wait(upid(1));
    expect(new Set(pve.asked)).toEqual(new Set(['list pve1 all', 'list pve1 active', 'status 1']));
    expect(pve.asked.at(-1)).toBe('status 1');
  });

  test('a task that PVE has forgotten: its fate is unknown', async () => {
    const { tasks } = setup({});
    const error = await failure(tasks.wait(upid(1)));
    expect(error).toBeInstanceOf(AnswerLostError);
    expect(error.message).toContain('task qmclone 1 on pve1: PVE no longer knows');
  });

  test('what is not a UPID is a mistake of ours', async () => {
    const { tasks } = setup({});
    expect(await failure(tasks.wait('nonsense'))).toMatchObject({ exitCode: 1 });
  });
});

describe('polling', () => {
  const lists = (pve: FakePve): string[] => pve.asked.filter((asked) => asked.startsWith('list'));

  test('the interval grows with the age of the task, to about 3 s', async () => {
    const { tasks, clock } = setup({ [upid(1)]: { endsAt: 20_000 } });
    await tasks.wait(upid(1));
    const naps = clock.sleeps;
    expect(naps[0]).toBeLessThanOrEqual(600);
    expect(Math.max(...naps)).toBeLessThanOrEqual(3600);
    expect(naps.length).toBeLessThan(22);
  });

  test('a reload takes seconds: the first look is not at once', async () => {
    const reload = upid(1).replace('qmclone', 'srvreload');
    const { tasks, clock } = setup({ [reload]: { endsAt: 0 } });
    await tasks.wait(reload);
    expect(clock.sleeps[0]).toBeGreaterThanOrEqual(1600);
  });

  test('who has seen tasks of a type end looks when the next one should have', async () => {
    const many = Array.from({ length: 20 }, (_, i) => upid(1000 + i));
    const { tasks, pve } = setup(Object.fromEntries(many.map((id, i) => [id, { endsAt: 4000 * (i + 1) }])));
    let late = 0;
    for (const [i, id] of many.entries()) {
      await tasks.wait(id);
      late = Math.max(late, pve.elapsed - 4000 * (i + 1));
      while (pve.elapsed < 4000 * (i + 1)) await pve.pass(100);
    }
    expect(late).toBeLessThan(1500);
    expect(lists(pve).length).toBeLessThan(60);
  });

  test('one list serves all tasks of a node', async () => {
    const many = Array.from({ length: 300 }, (_, i) => upid(1000 + i));
    const { tasks, pve } = setup(Object.fromEntries(many.map((id) => [id, { endsAt: 3000 }])));
    await Promise.all(many.map((id) => tasks.wait(id)));
    expect(lists(pve).length).toBeLessThan(6);
    expect(pve.asked).toEqual(lists(pve));
    expect(Math.min(...pve.limits.map((limit) => limit ?? 0))).toBeGreaterThanOrEqual(300);
  });

  test.each([
    ['qmclone', 2500, 7000],
    ['qmrollback', 2000, 2700],
    ['qmstart', 2000, 2700],
    ['qmresume', 2000, 2700],
  ])('many of %s that end at 2 s are seen to end', async (type, from, to) => {
    const many = Array.from({ length: 30 }, (_, i) => upid(i).replace('qmclone', type));
    const { tasks, pve } = setup(Object.fromEntries(many.map((id) => [id, { endsAt: 2000 }])));
    await Promise.all(many.map((id) => tasks.wait(id)));
    expect(pve.elapsed).toBeGreaterThan(from);
    expect(pve.elapsed).toBeLessThan(to);
  });

  test('who queues for a lock does not hide the end of one that waits for none, nor is that end taken for late', async () => {
    const snapshot = (id: number, node: string): Upid => upid(id, node).replace('qmclone', 'qmsnapshot');
    const clones = Array.from({ length: 8 }, (_, i) => upid(i));
    const { tasks, pve } = setup({
      ...Object.fromEntries(clones.map((id) => [id, { endsAt: 30_000 }])),
      [snapshot(20, 'pve1')]: { endsAt: 11_500 },
      [snapshot(21, 'pve2')]: { endsAt: 14_000 },
    });
    const all = Promise.all(clones.map((id) => tasks.wait(id)));
    while (pve.elapsed < 10_000) await pve.pass(100);
    await tasks.wait(snapshot(20, 'pve1'));
    expect(pve.elapsed).toBeLessThan(12_000);
    while (pve.elapsed < 12_500) await pve.pass(100);
    await tasks.wait(snapshot(21, 'pve2'));
    expect(pve.elapsed).toBeLessThan(14_500);
    await all;
  });

  test('a look at one that should have ended does not bring forward those that should not', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => upid(i).replace('qmclone', 'qmdestroy'));
    const known = ids.map((id, i) => [id, { endsAt: 2000 + 1000 * i }] as const);
    const { tasks, pve } = setup(Object.fromEntries(known));
    const all: Promise<unknown>[] = [];
    // Two at once: each is begun when the one before is half through.
    for (const [i, id] of ids.entries()) {
      while (pve.elapsed < 1000 * i) await pve.pass(50);
      all.push(tasks.wait(id));
    }
    await Promise.all(all);
    expect(pve.elapsed).toBeLessThan(31_700);
    expect(lists(pve).length).toBeLessThan(95);
  });

  test('each node is asked for its own tasks only', async () => {
    const { tasks, pve } = setup({ [upid(1, 'pve1')]: { endsAt: 100 }, [upid(2, 'pve2')]: { endsAt: 100 } });
    await Promise.all([tasks.wait(upid(1, 'pve1')), tasks.wait(upid(2, 'pve2'))]);
    expect(lists(pve).sort()).toEqual(['list pve1 all', 'list pve2 all']);
  });

  test('two who wait for one task both hear of it', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 100, exitstatus: 'bad' } });
    const errors = await Promise.all([failure(tasks.wait(upid(1))), failure(tasks.wait(upid(1)))]);
    expect(errors.map((error) => error.message)).toEqual(Array(2).fill('task qmclone 1 on pve1 failed: bad'));
    expect(pve.asked.filter((asked) => asked.startsWith('log'))).toHaveLength(1);
  });

  test('a newcomer does not wait for a long interval to end', async () => {
    const { tasks, pve, clock } = setup({ [upid(1)]: { endsAt: 60_000 }, [upid(2)]: { endsAt: 0 } });
    const first = tasks.wait(upid(1));
    while (pve.elapsed < 9000) await clock.sleep(100);
    // Until the next look: a sleep of 3 s has just begun then.
    const looks = pve.asked.length;
    while (pve.asked.length === looks) await clock.sleep(100);
    const before = pve.elapsed;
    await tasks.wait(upid(2));
    expect(pve.elapsed - before).toBeLessThanOrEqual(700);
    await first;
  });

  test('a waiter can be used again after it came to rest', async () => {
    const { tasks } = setup({ [upid(1)]: { endsAt: 100 }, [upid(2)]: { endsAt: 5000 } });
    await tasks.wait(upid(1));
    expect(await tasks.wait(upid(2))).toEqual({ warnings: false });
  });
});

describe('trouble', () => {
  test('a list that fails for a while does not fail the wait', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 20_000 } });
    pve.trouble = (_asked, elapsed) => (elapsed > 3000 && elapsed < 50_000 ? offline : undefined);
    expect(await tasks.wait(upid(1))).toEqual({ warnings: false });
    expect(pve.elapsed).toBeGreaterThanOrEqual(50_000);
  });

  test('short troubles do not add up', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 300_000 } });
    pve.trouble = (_asked, elapsed) => (elapsed % 60_000 < 40_000 ? offline : undefined);
    expect(await tasks.wait(upid(1))).toEqual({ warnings: false });
  });

  test('for more than a minute: the fate of the task is unknown', async () => {
    const { tasks, pve } = setup({ [upid(1)]: { endsAt: 20_000 } });
    pve.trouble = () => offline;
    const error = await failure(tasks.wait(upid(1)));
    expect(error).toBeInstanceOf(AnswerLostError);
    expect(error.message).toContain('task qmclone 1 on pve1: pve1 cannot be asked');
    expect(error.message).toContain('No route to host');
    expect(pve.elapsed).toBeGreaterThan(60_000);
    expect(pve.elapsed).toBeLessThan(70_000);
  });

  test('a status that cannot be read does not drag other tasks along', async () => {
    const { tasks, pve } = setup({
      [upid(1)]: { endsAt: 0, unlisted: true },
      [upid(2)]: { endsAt: 100_000 },
    });
    pve.trouble = (asked) => (asked === 'status 1' ? offline : undefined);
    const [first, second] = await Promise.all([failure(tasks.wait(upid(1))), tasks.wait(upid(2))]);
    expect(first).toBeInstanceOf(AnswerLostError);
    expect(second).toEqual({ warnings: false });
  });
});

describe('aborting', () => {
  test('ends this wait with the reason given, and the other goes on', async () => {
    const { tasks } = setup({ [upid(1)]: { endsAt: 5000 }, [upid(2)]: { endsAt: 5000 } });
    const controller = new AbortController();
    const first = failure(tasks.wait(upid(1), controller.signal));
    const second = tasks.wait(upid(2));
    controller.abort(new Error('stop'));
    expect((await first).message).toBe('stop');
    expect(await second).toEqual({ warnings: false });
  });

  test('polling stops when nobody waits any more', async () => {
    const { tasks, pve, clock } = setup({ [upid(1)]: { endsAt: 50_000 } });
    const controller = new AbortController();
    const wait = failure(tasks.wait(upid(1), controller.signal));
    controller.abort(new Error('stop'));
    await wait;
    for (let i = 0; i < 20; i += 1) await clock.sleep(1000);
    expect(pve.asked).toEqual([]);
  });

  test('the signal of the waiter ends every wait', async () => {
    const clock = fakeClock();
    const controller = new AbortController();
    const pve = new FakePve(clock, { [upid(1)]: { endsAt: 5000 }, [upid(2, 'pve2')]: { endsAt: 5000 } });
    const tasks = createTaskWaiter(pve, clock, { signal: controller.signal });
    const waits = [failure(tasks.wait(upid(1))), failure(tasks.wait(upid(2, 'pve2')))];
    controller.abort(new Error('second SIGINT'));
    expect((await Promise.all(waits)).map((error) => error.message)).toEqual([
      'second SIGINT',
      'second SIGINT',
    ]);
    expect((await failure(tasks.wait(upid(1)))).message).toBe('second SIGINT');
  });
});
