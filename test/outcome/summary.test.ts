import { describe, expect, test } from 'vitest';
import { summarizePlan, summarizeRun } from '../../src/lib/outcome/summary.ts';
import type { StepResult } from '../../src/lib/execute/types.ts';
import type { Plan } from '../../src/lib/plan/document/plan.ts';
import { exitCodeOf } from '../../src/lib/outcome/exit-code.ts';
import { alias, applied, lab, machine, plan, user } from '../plan/builders.ts';

const want = lab([machine('a', [alias('lan')], { start: true }), machine('b', [alias('lan')])]);
const users = [user('anna'), user('boris')];
const fresh = plan(want, users);

type Failure = { readonly id: string; readonly code: string };

/** Everything succeeds but the named steps; their dependents are skipped. */
function results(of: Plan, failures: readonly Failure[]): StepResult[] {
  const bad = new Map<string, StepResult>();
  return of.steps.map((step): StepResult => {
    const failure = failures.find((entry) => entry.id === step.id);
    const cause = step.dependsOn.find((id) => bad.has(id));
    const result: StepResult = failure
      ? { id: step.id, status: 'failed', code: failure.code, message: 'no space left', hint: 'free some' }
      : cause === undefined
        ? { id: step.id, status: 'done', outcome: 'done' }
        : { id: step.id, status: 'skipped', because: `${cause} failed` };
    if (result.status !== 'done') bad.set(step.id, result);
    return result;
  });
}

function run(failures: readonly Failure[], interrupted = false) {
  const rounds = [{ plan: fresh, result: { results: results(fresh, failures), interrupted } }];
  const summary = summarizeRun(rounds);
  return { summary, code: exitCodeOf({ plan: fresh, summary, rounds }, interrupted ? 'SIGTERM' : undefined) };
}

describe('a run', () => {
  test('that succeeded', () => {
    const { summary, code } = run([]);
    expect([summary.status, code, summary.steps]).toEqual([
      'done',
      0,
      { done: fresh.steps.length, failed: 0, skipped: 0 },
    ]);
    expect(summary.stands[0]?.vms.map((vm) => [vm.name, vm.status])).toEqual([
      ['a', 'running'],
      ['b', 'stopped'],
    ]);
  });

  test('of a cleanup that leaves something tells of that, and of what failed besides', () => {
    const [stand] = fresh.stands;
    const step = { ...fresh.steps.find(({ kind }) => kind === 'vm.clone')!, dependsOn: [] };
    const refused = { code: 'MEMBERS_LEFT', message: 'VM 300 stays', hint: 'move it' };
    const leaving = {
      ...fresh,
      command: 'cleanup',
      steps: [step],
      stands: [{ ...stand!, refused }],
    } as unknown as Plan;
    const failed = results(leaving, [{ id: step.id, code: 'NOT_OURS' }]);
    const { stands } = summarizeRun([{ plan: leaving, result: { results: failed, interrupted: false } }]);
    expect(stands[0]?.error?.message).toMatch(/VM 300 stays {2}\[MEMBERS_LEFT\]\n.*no space left/);
    expect(stands[0]?.error?.hint).toBe('move it\nfree some');
  });

  test('says once what was planned and came so', () => {
    const [stand] = fresh.stands;
    const step = { ...fresh.steps.find(({ kind }) => kind === 'vm.clone')!, dependsOn: [] };
    const refused = { code: 'PROTECTED', message: 'VM 300 is protected', hint: 'add it' };
    const notes = ['VM 301 is locked: unlock it', 'VM 302 is locked: unlock it'];
    const steps = ['1', '2'].map((id) => ({ ...step, id }));
    const cut = { ...fresh, command: 'cleanup', steps, stands: [{ ...stand!, refused, notes }] };
    const failed = (id: string, code: string, message: string, hint: string): StepResult => ({
      ...{ id, status: 'failed', code, message, hint },
    });
    const both = [
      failed('1', 'VM_LOCKED', 'VM 301 is locked', 'unlock it'),
      failed('2', 'PROTECTED', 'VM 300 is protected', 'add it'),
    ];
    const { stands } = summarizeRun([
      {
        plan: { ...cut, steps: steps.map((one, at) => ({ ...one, vmid: 301 - at })) } as unknown as Plan,
        result: { results: both, interrupted: false },
      },
    ]);
    expect(stands[0]?.error?.hint).toBe('unlock it\nadd it');
    expect(stands[0]?.notes).toEqual(['VM 302 is locked: unlock it']);
  });

  test("one student's failure is that student's, with the first cause", () => {
    const { summary, code } = run([{ id: 'vm.clone:anna/b', code: 'TASK_FAILED' }]);
    expect([summary.status, code]).toEqual(['partial', 5]);
    expect(summary.stands.map((stand) => stand.status)).toEqual(['incomplete', 'complete']);
    expect(summary.stands[0]?.error).toEqual({
      code: 'TASK_FAILED',
      message: 'VM 10001 b: linked clone of template 101 (pve1): no space left',
      hint: 'free some',
    });
    expect(summary.stands[0]?.vms[1]?.status).toBe('missing');
  });

  test('every failure of a student is told', () => {
    const failures = ['vm.clone:anna/a', 'vm.clone:anna/b'].map((id) => ({ id, code: 'TASK_FAILED' }));
    expect(run(failures).summary.stands[0]?.error).toEqual({
      code: 'TASK_FAILED',
      message: [
        '2 steps failed:',
        'VM 10000 a: linked clone of template 101 (pve1): no space left',
        'VM 10001 b: linked clone of template 101 (pve1): no space left',
      ].join('\n'),
      hint: 'free some',
    });
    const [first, second] = failures;
    const mixed = run([{ ...first!, code: 'NO_SPACE' }, second!]).summary.stands[0]?.error;
    expect([mixed?.code, mixed?.message]).toEqual([
      'NO_SPACE',
      [
        '2 steps failed:',
        'VM 10001 b: linked clone of template 101 (pve1): no space left  [TASK_FAILED]',
        'VM 10000 a: linked clone of template 101 (pve1): no space left',
      ].join('\n'),
    ]);
  });

  test('a failed reload leaves the stands whose bridges it was to bring up incomplete, also stopped ones', () => {
    const { summary } = run([{ id: 'network.reload:pve1', code: 'TASK_FAILED' }]);
    expect(summary.stands.map((stand) => [stand.node, stand.status])).toEqual([
      ['pve1', 'incomplete'],
      ['pve2', 'complete'],
    ]);
  });

  test('whose very first write was forbidden exits 4, an interrupted one by its signal', () => {
    const all = fresh.steps.filter((step) => step.dependsOn.length === 0 && step.after.length === 0);
    const failures = fresh.steps.map((step) => ({ id: step.id, code: 'PERMISSION_DENIED' }));
    expect(all.length).toBeGreaterThan(0);
    expect(run(failures).code).toBe(4);
    expect(run([], true).code).toBe(143);
  });

  test('an empty plan is nothing to do', () => {
    const again = plan(want, users, applied(want, fresh));
    const summary = summarizeRun([{ plan: again, result: { results: [], interrupted: false } }]);
    expect([summary.status, summary.stands.map((stand) => stand.status)]).toEqual([
      'nothing-to-do',
      ['unchanged', 'unchanged'],
    ]);
  });
});

test('a later round has the last word on the stands it planned again', () => {
  const first = {
    plan: fresh,
    result: { results: results(fresh, [{ id: 'vm.clone:anna/a', code: 'VMID_TAKEN' }]), interrupted: false },
  };
  const second = plan(want, [users[0]!]);
  const summary = summarizeRun([
    first,
    { plan: second, result: { results: results(second, []), interrupted: false } },
  ]);
  expect(summary.stands.map((stand) => [stand.user, stand.status])).toEqual([
    ['anna@pve', 'complete'],
    ['boris@pve', 'complete'],
  ]);
  expect(summary.steps.failed).toBe(0);
});

test('a dry run says what is planned', () => {
  const summary = summarizePlan(fresh);
  expect(summary.status).toBe('dry-run');
  expect(summary.stands.map((stand) => [stand.status, stand.vms[0]?.status])).toEqual([
    ['planned', 'planned'],
    ['planned', 'planned'],
  ]);
});
