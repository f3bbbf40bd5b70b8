/** How a machine is, and what is wrong with it, by what PVE tells and whether somebody is at work on it. */
import { expect, test } from 'vitest';
import type { GuestInfo } from '../../../src/lib/inventory/types.ts';
import { beingRemoved } from '../../../src/lib/plan/views/status-at-work.ts';
import { machineProblems, machineStatus } from '../../../src/lib/plan/views/status-machine.ts';
import type { StandMachine, StandView } from '../../../src/lib/plan/stands/selected.ts';
import type { MachineStatus, StatusContext } from '../../../src/lib/plan/views/status-types.ts';
import { moodOf } from '../../../src/lib/render/status-cells.ts';
import { machinePower } from '../../../src/lib/pve-values/machine-power.ts';
import { guest } from '../builders.ts';

test.each([
  [{ status: 'stopped' }, 'stopped', 'stopped'],
  [{ status: 'stopped', lock: 'suspended' }, 'suspended', 'suspended'],
  [{ status: 'running' }, 'running', 'running'],
  [{ status: 'running', lock: 'backup' }, 'running', 'running'],
  [{ status: 'running', monitor: 'paused' }, 'paused', 'paused'],
  // Its guest sleeps: CPUs stand as those of a paused one.
  [{ status: 'running', monitor: 'suspended' }, 'paused', 'paused'],
  [{ status: 'running', monitor: 'io-error' }, 'running', 'io-error'],
  [{ status: 'running', monitor: 'internal-error' }, 'running', 'internal-error'],
  // Until its memory is written it runs; the lock is told beside it.
  [{ status: 'running', lock: 'suspending', monitor: 'paused' }, 'suspending', 'running'],
  [{ status: 'unknown' }, 'unknown', 'unknown'],
])('%j is %s; status says %s', (told, power, state) => {
  expect(machinePower(told)).toBe(power);
  const seen: GuestInfo = {
    ...{ vmid: 100, node: 'pve1', type: 'qemu', template: false, ha: false, memory: 1, cpus: 1 },
    ...told,
  };
  const machine: StandMachine = {
    vmid: 100,
    machine: 'pc',
    verdict: 'ours',
    guest: seen,
    isSelected: true,
    state: 'made',
  };
  expect(machineStatus(machine, VIEW, contextOf({})).state).toBe(state);
});

const contextOf = (more: Partial<StatusContext>): StatusContext =>
  ({
    resting: new Map(),
    isMaking: false,
    removed: new Map(),
    sees: () => true,
    details: {},
    ...more,
  }) as StatusContext;

test('off, where the lab switches it off or says nothing, is told apart from off', () => {
  const guest = { vmid: 100, node: 'pve1', type: 'qemu', status: 'stopped', memory: 1, cpus: 1 } as GuestInfo;
  const one = { vmid: 100, machine: 'pc', verdict: 'ours', guest, isSelected: true, state: 'made' } as const;
  const [off, up] = [['pc'], ['router']].map((names) =>
    machineStatus(one, VIEW, contextOf({ resting: new Map([['net', new Set(names)]]) })),
  );
  expect([off?.rests, up?.rests]).toEqual([true, undefined]);
  const running = { ...up, state: 'running' } as MachineStatus;
  const mood = (...all: (MachineStatus | undefined)[]) => moodOf(all.filter((each) => each !== undefined));
  expect([mood(off), mood(running, off), mood(running, up), mood(off, up)]).toEqual([
    'calm',
    'good',
    'warn',
    'warn',
  ]);
});

const VIEW = { user: 'anna@pve', pool: 'anna', claim: { lab: 'net' } } as StandView;

const kinds = (
  verdict: StandMachine['verdict'],
  more: Partial<GuestInfo>,
  busy: ReadonlySet<number> | undefined,
): string[] =>
  machineProblems(
    VIEW,
    { vmid: 100, machine: 'pc', isSelected: true, verdict, guest: guest(100, more) } as StandMachine,
    contextOf({ busy }),
  ).map(({ kind }) => kind);

const AT_WORK = new Set([100]);
const AT_REST = new Set<number>();

test.each([
  ['zombie', { lock: 'destroyed' }, AT_WORK, []],
  ['zombie', { lock: 'destroyed' }, AT_REST, ['machine-half-removed']],
  // Whether anybody is at work is not to be seen.
  ['zombie', { lock: 'destroyed' }, undefined, ['machine-half-removed']],
  ['ours', { lock: 'backup' }, AT_WORK, []],
  ['ours', { lock: 'backup' }, AT_REST, ['lock-without-task']],
  ['ours', { lock: 'backup' }, undefined, []],
  ['ours', { lock: 'suspended' }, AT_REST, []],
  ['left-pool', {}, AT_REST, ['machine-left-pool']],
] as const)('%s %o', (verdict, more, busy, expected) => {
  expect(kinds(verdict, more, busy)).toEqual(expected);
});

test.each([
  ['open', {}, 'not made', ['machine-missing']],
  ['unjoined', {}, 'half made', ['machine-half-made']],
  ['unreadable', {}, 'half made', ['machine-half-made']],
  ['zombie', {}, 'half removed', ['machine-half-removed']],
  // Its student may have made one there; of a machine that is cloned anew the former one is there until it is removed.
  ['foreign', {}, 'not ours', ['machine-not-ours']],
  ['unsealed', {}, 'seal lost', ['machine-unsealed']],
] as const)('reserved and %s %o: the rest of a run, or what one is at', (verdict, more, state, problems) => {
  const isForeign = verdict === 'foreign';
  const one = {
    vmid: 100,
    machine: 'pc',
    state: 'reserved',
    isSelected: true,
    verdict,
    ...more,
  } as StandMachine;
  const seen = (isMaking: boolean) => [
    machineStatus(one, VIEW, contextOf({ isMaking })).state,
    machineProblems(VIEW, one, contextOf({ isMaking })).map(({ kind }) => kind),
  ];
  expect(seen(false)).toEqual([state, problems]);
  expect(seen(true)).toEqual(isForeign ? [state, problems] : ['being made', []]);
});

test.each([
  ['a cleanup that is at the next machine', 'root@pam', 'recent', 'being removed', []],
  ['a removal long ago', 'root@pam', 'earlier', 'missing', ['machine-missing']],
  ['its student', 'anna@pve', 'recent', 'missing', ['machine-missing']],
  ['its student, with a token', 'anna@pve!mine', 'running', 'missing', ['machine-missing']],
] as const)('taken away by %s', (_what, user, was, state, problems) => {
  const one = {
    vmid: 100,
    machine: 'pc',
    state: 'made',
    isSelected: true,
    verdict: 'missing',
  } as StandMachine;
  const have = { pools: [], now: '2026-06-01T00:00:00Z', removals: [{ vmid: 100, user, was }] };
  const removed = beingRemoved(
    { have: have as never, stands: [{ ...VIEW, machines: [one] }] },
    [],
    () => true,
  );
  const context = contextOf({ removed });
  const kindsSeen = machineProblems(VIEW, one, context).map(({ kind }) => kind);
  expect([machineStatus(one, VIEW, context).state, kindsSeen]).toEqual([state, problems]);
});

test.each([
  ['without access', false, [VIEW.claim.lab]],
  ['whose student may have done it', true, []],
] as const)('a machine was cut off in a stand %s: its lab is being removed', (_what, isOpen, labs) => {
  const machines = [{ vmid: 100, state: 'made', verdict: 'ours' } as StandMachine];
  const have = { pools: [], now: '2026-06-01T00:00:00Z' };
  const tasks = [{ node: 'pve1', type: 'qmstop', id: '100' }];
  const seen = { have: have as never, stands: [{ ...VIEW, machines }] };
  expect([...beingRemoved(seen, tasks, () => isOpen).keys()]).toEqual(labs);
});

test('what was taken away earlier is being removed as long as others of its lab are', () => {
  const machines = [100, 101].map((vmid) => ({ vmid, state: 'made', verdict: 'missing' }) as StandMachine);
  const removals = [
    { vmid: 100, user: 'root@pam', was: 'earlier' },
    { vmid: 101, user: 'root@pam', was: 'running' },
  ];
  const have = { pools: [], now: '2026-06-01T00:00:00Z', removals };
  const removed = beingRemoved({ have: have as never, stands: [{ ...VIEW, machines }] }, [], () => true);
  expect([...(removed.get(VIEW.claim.lab)?.keys() ?? [])]).toEqual([100, 101]);
});
