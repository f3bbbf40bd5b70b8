import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApplyError } from '../../src/lib/errors.ts';
import { createUi, type UiOptions } from '../../src/lib/ui/create-ui.ts';
import { createJsonlUi } from '../../src/lib/ui/jsonl.ts';
import { createPlainUi } from '../../src/lib/ui/plain.ts';
import { createTerminalUi, type Spinner, type SpinnerOptions } from '../../src/lib/ui/terminal.ts';
import type { Step } from '../../src/lib/plan/document/step.ts';
import { newStand, plan, reload } from '../render/fixtures.ts';
import { failed, fakeClock, Recorder, retrying, skipped, START, succeeded } from './support.ts';

const net = plan([newStand(1), newStand(2)], {}, [reload(['vmbr1000', 'vmbr1001'])]);
const clone = net.steps.find((step) => step.id === 'vm.clone:student1/eco')!;
const broken = new ApplyError('TASK_FAILED', 'no space left on ceph\n\u001b[2Jlog line', {
  hint: 'free space',
});

function setUp() {
  const stream = new Recorder();
  const clock = fakeClock();
  return { stream, clock, context: { stream, clock, color: false } };
}

function allKinds(step: Step) {
  return [
    { type: 'step.started' as const, step },
    retrying(step),
    succeeded(step),
    failed(step, new Error('refused, ticket=PVE:root@pam:65A00000::c2VjcmV0')),
    skipped(step),
  ];
}

describe('plain', () => {
  test('few lines: a new tenth at most every 5 s, a sign of life every 30 s, the end always', () => {
    const { stream, clock, context } = setUp();
    const ui = createPlainUi({ ...context, quiet: false });
    ui.phase('reading the cluster');
    ui.start(net);
    expect(stream.take()).toBe('reading the cluster\napplying 23 steps for 2 stands\n');

    const [first, second, third, fourth, ...others] = net.steps;
    clock.advance(6_000);
    ui.event({ type: 'step.started', step: first! });
    ui.event(succeeded(first!));
    expect(stream.take()).toBe(''); // 5 s are over, but not a tenth
    clock.advance(24_000);
    ui.event(succeeded(second!));
    expect(stream.take()).toMatch(/^8 %: accounts 0\/2 · claims 1\/4 · .* · 0:30\n$/);
    ui.event(succeeded(third!));
    expect(stream.take()).toBe(''); // a tenth, but too soon
    clock.advance(5_000);
    ui.event(succeeded(fourth!));
    expect(stream.take()).toMatch(/^17 %: .* · 0:35, about 2:46 left\n$/);
    for (const step of others) ui.event(succeeded(step));
    expect(stream.take()).toMatch(/^100 %: .*started 2\/2 · 0:35\n$/);
    ui.done();
    expect(stream.take()).toBe('');
  });

  test('a phase that counts is told as seldom as steps are', () => {
    const { stream, clock, context } = setUp();
    const ui = createPlainUi({ ...context, quiet: false });
    const count = (done: number) => ui.phase(`checks: ${done} of 1500 run`, done / 1500);
    ui.phase('reading the cluster');
    for (let done = 1; done <= 1500; done += 1) {
      clock.advance(10);
      count(done);
    }
    expect(stream.take().split('\n')).toEqual([
      'reading the cluster',
      'checks: 500 of 1500 run',
      'checks: 1000 of 1500 run',
      'checks: 1500 of 1500 run',
      '',
    ]);
    count(1); // a second look begins anew
    clock.advance(30_000);
    count(2);
    expect(stream.take()).toBe('checks: 2 of 1500 run\n');
  });

  test.each([false, true])('failures and warnings are told at once and escaped (quiet: %s)', (quiet) => {
    const { stream, context } = setUp();
    const ui = createPlainUi({ ...context, quiet });
    ui.start(net);
    stream.take();
    ui.event(failed(clone, broken));
    ui.warn('node pve3\u0007 is offline');
    expect(stream.take()).toBe(
      [
        'failed: student1@pve: VM 10001 eco: linked clone of template 100 (pve1): no space left on ceph',
        '  \\x1b[2Jlog line  [TASK_FAILED]',
        '  hint: free space',
        'warning: node pve3\\x07 is offline',
        '',
      ].join('\n'),
    );
  });

  test('what fails in the same way again and again is told three times, and that there is more; another failure is told', () => {
    const { stream, context } = setUp();
    const ui = createPlainUi({ ...context, quiet: true });
    ui.start(net);
    for (let at = 0; at < 60; at += 1)
      ui.event(failed(clone, new ApplyError('TASK_FAILED', `VM ${10_000 + at}: no space left`)));
    ui.event(failed(reload([]), new Error('no route')));
    const lines = stream.take().split('\n');
    expect(lines.filter((line) => line.startsWith('failed: student1@pve'))).toHaveLength(3);
    expect(lines.filter((line) => line.startsWith('failed: ')).slice(3)).toEqual([
      'failed: others, in the same way: [TASK_FAILED]; the result names them',
      expect.stringContaining('no route'),
    ]);
  });

  test('quiet leaves out everything else', () => {
    const { stream, clock, context } = setUp();
    const ui = createPlainUi({ ...context, quiet: true });
    ui.phase('reading the cluster');
    ui.start(net);
    clock.advance(60_000);
    for (const step of net.steps) ui.event(succeeded(step));
    ui.done();
    expect(stream.text).toBe('');
  });
});

describe('json lines', () => {
  test('every line is an object with time and type; no payload, no secret', () => {
    const { stream, clock, context } = setUp();
    const ui = createJsonlUi(context);
    ui.phase('reading the cluster');
    ui.warn('token_value=abcdefgh is old');
    ui.start(plan([newStand(1)]));
    clock.advance(1_500);
    for (const event of allKinds(clone)) ui.event(event);
    ui.event(failed(reload([]), broken));
    ui.done();
    ui.done();

    const lines = stream.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const at = '2026-01-15T08:00:00.000Z';
    const later = '2026-01-15T08:00:01.500Z';
    const step = { id: 'vm.clone:student1/eco', kind: 'vm.clone', user: 'student1@pve' };
    expect(lines).toEqual([
      { time: at, type: 'phase', text: 'reading the cluster' },
      { time: at, type: 'warning', text: 'token_value=*** is old' },
      {
        time: at,
        type: 'plan',
        lab: 'net',
        stands: 1,
        steps: 11,
        kinds: {
          'pool.create': 1,
          'pool.update': 1,
          'pool.join': 1,
          'bridge.create': 1,
          'user.create': 1,
          'vm.clone': 2,
          'vm.configure': 2,
          'acl.grant': 1,
          'vm.start': 1,
        },
      },
      { time: later, type: 'step.started', step },
      { time: later, type: 'step.retrying', step, because: 'got timeout, password=***', waitMs: 2000 },
      { time: later, type: 'step.succeeded', step, outcome: 'done', durationMs: 1500 },
      { time: later, type: 'step.failed', step, error: { message: 'refused, ticket=***' }, durationMs: 700 },
      { time: later, type: 'step.skipped', step, because: 'vm.clone:student1/eco failed' },
      {
        time: later,
        type: 'step.failed',
        step: { id: 'network.reload:pve1', kind: 'network.reload' },
        error: {
          message: 'no space left on ceph\n\u001b[2Jlog line',
          code: 'TASK_FAILED',
          hint: 'free space',
        },
        durationMs: 700,
      },
      { time: later, type: 'end', done: 1, failed: 2, skipped: 1, total: 11, elapsedMs: 1500 },
    ]);
    expect(Date.parse(at)).toBe(START);
  });
});

describe('terminal', () => {
  function fakeSpinner(stream: Recorder) {
    const asked: { options?: SpinnerOptions } = {};
    const spinner: Spinner = {
      text: '',
      start: () => stream.write('<start>'),
      stop: () => stream.write('<stop>'),
    };
    return {
      spinner,
      make: (options: SpinnerOptions) => {
        asked.options = options;
        return spinner;
      },
      frame: () => `${spinner.text} ${asked.options!.suffix()}`,
    };
  }

  test('one line with counts; it steps aside for failures and warnings', () => {
    const { stream, clock, context } = setUp();
    const fake = fakeSpinner(stream);
    const ui = createTerminalUi(context, fake.make);
    ui.phase('reading\u001b the cluster');
    expect(fake.frame()).toBe('reading\\x1b the cluster ');
    ui.start(net);
    expect(stream.take()).toBe('<start>');
    clock.advance(130_000);
    ui.event(succeeded(clone));
    expect(fake.frame()).toContain('applying accounts 0/2 · ');
    expect(fake.frame().length).toBeLessThanOrEqual(77);
    expect(stream.take()).toBe('');
    ui.event(failed(clone, broken));
    ui.warn('late');
    expect(stream.take()).toBe(
      [
        '<stop>failed: student1@pve: VM 10001 eco: linked clone of template 100 (pve1): no space left on ceph',
        '  \\x1b[2Jlog line  [TASK_FAILED]',
        '  hint: free space',
        '<start><stop>warning: late',
        '<start>',
      ].join('\n'),
    );
    ui.phase('reading again');
    expect(fake.frame()).toBe('reading again ');
    ui.done();
    ui.done();
    expect(stream.take()).toBe('<stop>');
  });

  test('nothing spins before the first phase', () => {
    const { stream, context } = setUp();
    const ui = createTerminalUi(context, fakeSpinner(stream).make);
    ui.warn('early');
    ui.done();
    expect(stream.text).toBe('warning: early\n');
  });

  test('a terminal gets what it is warned of in lines between words, and a log in one', () => {
    const { stream, context } = setUp();
    const long = `${'word '.repeat(13)}cleanup --expired takes it`;
    createTerminalUi(context, fakeSpinner(stream).make).warn(long);
    expect(stream.take().split('\n').length).toBe(2);
    Object.assign(stream, { isTTY: true });
    createTerminalUi(context, fakeSpinner(stream).make).warn(long);
    expect(stream.take()).toMatch(/^warning: (word )+word\n {9}(word )*cleanup --expired takes it\n$/);
  });

  test('with the real spinner all goes to the given stream, and done() ends its timer', () => {
    const { stream, context } = setUp();
    const stdout = vi.spyOn(process.stdout, 'write');
    const timers = vi.spyOn(globalThis, 'setInterval');
    const cleared = vi.spyOn(globalThis, 'clearInterval');
    const ui = createUi({ ...context, mode: 'auto', isTty: true, quiet: false });
    ui.phase('reading the cluster');
    ui.start(net);
    ui.event(failed(clone, broken));
    ui.done();
    expect(stream.text).toContain('reading the cluster');
    expect(stream.text).toContain('applying accounts 0/2');
    expect(stream.text).toContain('[TASK_FAILED]');
    expect(stdout).not.toHaveBeenCalled();
    const ended = new Set(cleared.mock.calls.map(([timer]) => timer));
    expect(timers.mock.results.length).toBeGreaterThan(0);
    for (const { value } of timers.mock.results) expect(ended.has(value)).toBe(true);
  });
});

describe('createUi', () => {
  let options: UiOptions;
  let stream: Recorder;
  beforeEach(() => {
    const setup = setUp();
    stream = setup.stream;
    options = { ...setup.context, mode: 'auto', isTty: false, quiet: false };
  });
  afterEach(() => stream.destroy());

  test.each([
    { name: 'auto, not a terminal', over: {}, said: 'reading\n' },
    { name: 'plain on a terminal', over: { mode: 'plain', isTty: true }, said: 'reading\n' },
    { name: 'quiet on a terminal', over: { isTty: true, quiet: true }, said: '' },
    {
      name: 'json, also when quiet',
      over: { mode: 'json', quiet: true },
      said: '{"time":"2026-01-15T08:00:00.000Z","type":"phase","text":"reading"}\n',
    },
    { name: 'none', over: { mode: 'none', isTty: true }, said: '' },
  ] as const)('$name', ({ over, said }) => {
    createUi({ ...options, ...over }).phase('reading');
    expect(stream.text).toBe(said);
  });

  test('none leaves failures to the result, and tells what that does not have', () => {
    const ui = createUi({ ...options, mode: 'none' });
    ui.start(net);
    ui.warn('the log file cannot grow');
    for (const event of allKinds(clone)) ui.event(event);
    ui.done();
    expect(stream.text).toBe('warning: the log file cannot grow\n');
  });
});
