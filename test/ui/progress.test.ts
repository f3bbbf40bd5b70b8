import { describe, expect, test } from 'vitest';
import { createProgress, formatDuration, formatProgress } from '../../src/lib/ui/progress.ts';
import { makeStep } from '../../src/lib/plan/document/step.ts';
import { newStand, plan, reload } from '../render/fixtures.ts';
import { failed, fakeClock, retrying, skipped, succeeded } from './support.ts';

const net = plan([newStand(1), newStand(2)], {}, [reload(['vmbr1000', 'vmbr1001'])]);
const steps = net.steps;

describe('formatDuration', () => {
  test.each([
    [-5, '0:00'],
    [7_900, '0:07'],
    [750_000, '12:30'],
    [3_723_000, '1:02:03'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('progress', () => {
  test('counts per kind, estimates once a tenth has ended, and forgets retries', () => {
    const clock = fakeClock();
    const progress = createProgress(clock);
    progress.start(net);
    expect(formatProgress(progress.state(), 200)).toBe(
      'accounts 0/2 · claims 0/4 · bridges 0/2 · reloads 0/1 · clones 0/4 · configured 0/4 · joined 0/2 · access 0/2 · started 0/2 · 0:00',
    );
    const clones = steps.filter((step) => step.kind === 'vm.clone');
    clock.advance(10_000);
    progress.hear(retrying(clones[0]!));
    progress.hear(succeeded(clones[1]!));
    expect(progress.state()).toMatchObject({ total: 23, ended: 1, retrying: 1, elapsedMs: 10_000 });
    expect(progress.state().leftMs).toBeUndefined();
    progress.hear(failed(clones[0]!, new Error('x')));
    progress.hear(skipped(steps.find((step) => step.kind === 'vm.start')!));
    expect(progress.state()).toMatchObject({
      done: 1,
      failed: 1,
      skipped: 1,
      retrying: 0,
      leftMs: 200_000 / 3,
    });
  });

  test('a role is no access of a student', () => {
    const progress = createProgress(fakeClock());
    const role = makeStep(
      'role.create',
      'DeployStandStudent',
      { reason: 'missing' },
      { role: 'DeployStandStudent', privileges: [] },
    );
    progress.start(plan([newStand(1)], {}, [role]));
    expect(formatProgress(progress.state(), 200)).toContain(' · roles 0/1 · access 0/1 · ');
  });

  test('an empty plan has nothing to divide by', () => {
    const progress = createProgress(fakeClock());
    progress.start(plan([]));
    expect(formatProgress(progress.state(), 80)).toBe('0:00');
  });

  test('re-planning starts the counts over, not the time', () => {
    const clock = fakeClock();
    const progress = createProgress(clock);
    progress.start(net);
    progress.hear(failed(steps[0]!, new Error('taken')));
    clock.advance(5_000);
    progress.start(plan([newStand(2)]));
    expect(progress.state()).toMatchObject({ total: 11, ended: 0, failed: 0, elapsedMs: 5_000 });
  });

  test('finished counters give way when the line is too long, then the end does', () => {
    const progress = createProgress(fakeClock());
    progress.start(net);
    for (const step of steps) if (step.user === 'student1@pve') progress.hear(succeeded(step));
    for (const step of steps)
      if (step.kind === 'vm.clone' && step.user === 'student2@pve') progress.hear(succeeded(step));
    const full = formatProgress(progress.state(), 200);
    expect(full).toContain('clones 4/4');
    const short = formatProgress(progress.state(), full.length - 1);
    expect(short).not.toContain('clones');
    expect(short).toContain('configured 2/4');
    const cut = formatProgress(progress.state(), 20);
    expect(cut).toHaveLength(20);
    expect(cut).toBe(`${short.slice(0, 19)}…`);
  });
});
