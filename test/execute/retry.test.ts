import { describe, expect, test } from 'vitest';
import { attempt, awaitTask } from '../../src/lib/execute/retry.ts';
import {
  AnswerLostError,
  NodeUnreachableError,
  TaskError,
  UnreachableError,
} from '../../src/lib/proxmox/errors.ts';
import type { StepOutcome } from '../../src/lib/execute/types.ts';
import { FakePve, lockTimeout, lost, refuse } from './fake-pve.ts';

const unreachable = (): Error => new UnreachableError('PUT', '/fake', 'ECONNREFUSED');
const reloadBusy = (): Error =>
  new TaskError({
    upid: 'U',
    title: 'srvreload',
    exitstatus: "command 'ifreload -a' failed: exit code 89",
    log: [],
  });

/** Runs an attempt whose write meets these errors one after the other, then succeeds. */
async function meet(errors: readonly Error[], looks: readonly ('done' | 'absent' | Error)[] = []) {
  const pve = new FakePve();
  const io = pve.io();
  const log: string[] = [];
  const errorsLeft = [...errors];
  const looksLeft = [...looks];
  const started = pve.clock.now();
  const work = attempt(io, {
    id: 'step',
    act: () => {
      log.push('act');
      const error = errorsLeft.shift();
      return error ? Promise.reject(error) : Promise.resolve<StepOutcome>('done');
    },
    look: () => {
      log.push('look');
      const seen = looksLeft.shift() ?? 'absent';
      return seen instanceof Error ? Promise.reject(seen) : Promise.resolve(seen);
    },
  });
  const end = await pve.clock.drive(work).then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({ error }),
  );
  return { ...end, log, retries: io.retries, seconds: (pve.clock.now() - started) / 1000 };
}

describe('attempt', () => {
  test.each([
    { name: 'a lock timeout is waited out', errors: [lockTimeout()], log: ['act', 'act'] },
    { name: 'a busy reload is waited out', errors: [reloadBusy()], log: ['act', 'act'] },
    {
      name: 'no quorum is waited out',
      errors: [refuse("cfs-lock 'x' error: no quorum!")],
      log: ['act', 'act'],
    },
    { name: 'an unreachable host is tried again', errors: [unreachable()], log: ['act', 'act'] },
    {
      name: 'a lost answer is looked up before the write is repeated',
      errors: [lost(), lost()],
      log: ['act', 'look', 'act', 'look', 'act'],
    },
  ])('$name', async ({ errors, log }) => {
    const ran = await meet(errors);
    expect(ran).toMatchObject({ outcome: 'done', log });
    expect(ran.retries).toHaveLength(errors.length);
  });

  test('a lost answer of a write that was carried out is the end', async () => {
    const ran = await meet([lost()], ['done']);
    expect(ran).toMatchObject({ outcome: 'already-done', log: ['act', 'look'], retries: [], seconds: 0 });
  });

  test('the look itself is repeated while PVE is away, and the write only after it', async () => {
    const ran = await meet([lost()], [unreachable(), unreachable(), 'absent']);
    expect(ran.log).toEqual(['act', 'look', 'look', 'look', 'act']);
  });

  test('only lock timeouts are reported as such', async () => {
    const ran = await meet([lockTimeout(), unreachable(), reloadBusy()]);
    expect(ran.retries.map(({ lockTimeout: is }) => is)).toEqual([true, false, false]);
    expect(ran.retries[0]?.because).toMatch(/got lock request timeout/);
  });

  test('waits grow, up to half a minute, and are the same in every run', async () => {
    const errors = Array.from({ length: 9 }, () => lockTimeout());
    const waits = (await meet(errors)).retries.map(({ waitMs }) => waitMs / 1000);
    waits.forEach((wait, index) => {
      expect(wait).toBeGreaterThanOrEqual(0.75 * Math.min(2 ** index, 30));
      expect(wait).toBeLessThanOrEqual(1.25 * Math.min(2 ** index, 30));
    });
    expect((await meet(errors)).retries.map(({ waitMs }) => waitMs / 1000)).toEqual(waits);
  });

  test.each([
    { name: 'lock timeouts', make: () => lockTimeout(), atLeast: 540, atMost: 600 },
    { name: 'lost answers', make: () => lost(), atLeast: 540, atMost: 600 },
    { name: 'an unreachable host', make: unreachable, atLeast: 80, atMost: 120 },
  ])('$name are put up with for a bounded time', async ({ make, atLeast, atMost }) => {
    const last = make();
    const ran = await meet(Array.from({ length: 200 }, () => last));
    expect(ran).toHaveProperty('error', last);
    expect(ran.seconds).toBeGreaterThan(atLeast);
    expect(ran.seconds).toBeLessThanOrEqual(atMost);
  });

  test('other errors are not repeated', async () => {
    const refusal = refuse("pool 'x' does not exist");
    expect(await meet([refusal])).toMatchObject({ error: refusal, log: ['act'], retries: [] });
  });

  test('a hard stop ends the waiting', async () => {
    const pve = new FakePve();
    const hard = new AbortController();
    const io = { ...pve.io(), signal: hard.signal };
    const work = attempt(io, {
      id: 'step',
      act: () => {
        queueMicrotask(() => hard.abort(new Error('leave')));
        return Promise.reject(lockTimeout());
      },
      look: () => Promise.resolve('absent'),
    });
    await expect(pve.clock.drive(work)).rejects.toThrow(/leave|lock request timeout/);
    expect(io.retries.length).toBeLessThanOrEqual(1);
  });
});

test('losing sight of a task is a lost answer: nothing may start it again unseen', async () => {
  const pve = new FakePve();
  const io = { ...pve.io(), tasks: { wait: () => Promise.reject(unreachable()) } };
  await expect(awaitTask(io, 'UPID:pve1:1')).rejects.toBeInstanceOf(AnswerLostError);
});

test('a run that has lost PVE for two minutes asks no more: the other steps fail at once', async () => {
  const pve = new FakePve();
  const io = pve.io();
  let asked = 0;
  const step = (id: string) =>
    attempt(io, {
      id,
      act: () => {
        asked += 1;
        return Promise.reject(unreachable());
      },
      look: () => Promise.resolve('absent'),
    }).catch((error: unknown) => error);
  expect(await pve.clock.drive(step('first'))).toBeInstanceOf(UnreachableError);
  const before = { asked, at: pve.clock.now() };
  for (const id of ['second', 'third']) {
    expect(await pve.clock.drive(step(id))).toBeInstanceOf(UnreachableError);
  }
  expect(pve.clock.now() - before.at).toBeLessThan(40_000);
  expect(asked - before.asked).toBeLessThanOrEqual(1);
});

test('an answer in between, even a refusal, starts the patience anew', async () => {
  const pve = new FakePve();
  const io = pve.io();
  const lose = () =>
    attempt(io, { id: 'x', act: () => Promise.reject(unreachable()), look: () => Promise.resolve('absent') });
  await pve.clock.drive(lose().catch(() => undefined));
  const other = pve.io();
  await pve.clock.drive(
    attempt(other, { id: 'y', act: () => Promise.resolve(undefined), look: () => Promise.resolve('absent') }),
  );
  const started = pve.clock.now();
  await pve.clock.drive(
    attempt(other, {
      id: 'z',
      act: () => Promise.reject(unreachable()),
      look: () => Promise.resolve('absent'),
    }).catch(() => undefined),
  );
  expect(pve.clock.now() - started).toBeGreaterThan(60_000);
});

test('of a node that stays away each step tells its own request, not the one of another step', async () => {
  const pve = new FakePve();
  const io = pve.io();
  const fail = (id: string, vmid: number) =>
    attempt(io, {
      id,
      act: () =>
        Promise.reject(new NodeUnreachableError('GET', `/nodes/pve3/qemu/${vmid}/config`, 'status 595')),
      look: () => Promise.resolve('absent'),
    }).catch((error: unknown) => (error instanceof Error ? error.message : ''));
  const messages = await pve.clock.drive(Promise.all([fail('a', 1), fail('b', 2), fail('c', 3)]));
  expect(messages).toEqual([1, 2, 3].map((vmid) => `GET /nodes/pve3/qemu/${vmid}/config: status 595`));
});
