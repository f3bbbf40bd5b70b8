import { expect, test } from 'vitest';
import { resumeWays } from '../src/commands/resume.ts';
import type { StandSummary } from '../src/lib/outcome/types.ts';

type Outcome = Parameters<typeof resumeWays>[1];

/** User → machines, by what became of them. */
type Class = Readonly<
  Record<string, { readonly done?: readonly string[]; readonly open?: readonly string[] }>
>;

function outcomeOf(of: Class): Outcome {
  let vmid = 10_000;
  const stands: StandSummary[] = [];
  const steps: unknown[] = [];
  const results: unknown[] = [];
  for (const [user, { done = [], open = [] }] of Object.entries(of)) {
    const vms = [...done, ...open].map((name) => ({ vmid: vmid++, name, node: 'pve1', status: 'stopped' }));
    for (const { vmid: id, name } of vms) {
      steps.push({ id: `s${id}`, user, vmid: id });
      results.push({ id: `s${id}`, status: done.includes(name) ? 'done' : 'failed' });
    }
    const status = open.length === 0 ? 'complete' : 'incomplete';
    stands.push({ ...{ user, pool: user, node: 'pve1', status, vms, bridges: [], notes: [] } });
  }
  // The parts that are looked at.
  return {
    plan: { lab: 'net' },
    summary: { stands },
    rounds: [{ plan: { steps }, result: { results } }],
  } as never;
}

const PC = { done: ['srv'], open: ['pc'] };
const SRV = { done: ['pc'], open: ['srv'] };
const BOTH = { open: ['pc', 'srv'] };
const WAYS = { hasFiles: true, makesMissing: true };

function ways(line: string, of: Class): string[] {
  return resumeWays(line.split(' '), outcomeOf(of), WAYS).map((way) => way.replace('deploy-stand ', ''));
}

test('each command that finishes a reset names pairs of user and machine that are left, and no other', () => {
  expect(ways('reset --lab net', { a: PC, b: SRV, c: { done: ['pc', 'srv'] } })).toEqual([
    'reset --lab net --user a --machine pc',
    'reset --lab net --user b --machine srv',
  ]);
  expect(ways('reset --lab net --user a --user b --user c', { a: PC, b: BOTH, c: PC })).toEqual([
    'reset --lab net --user a --user c --machine pc',
    'reset --lab net --user b',
  ]);
  // As many as there are kinds of rest, not stands: a class fits into a few lines.
  const names = Array.from({ length: 30 }, (_, at) => `u${at}`);
  const many = Object.fromEntries(names.map((name, at) => [name, [PC, SRV, BOTH][at % 3] ?? {}]));
  expect(ways('reset --lab net', many)).toHaveLength(3);
  expect(ways('reset --lab net', { a: PC, b: PC })).toEqual(['reset --lab net --machine pc']);
  expect(ways('reset --lab net', { a: BOTH, b: BOTH })).toEqual(['reset --lab net']);
});

test('whoever is helped by another command only is left out, and where nobody else is left, no command is named', () => {
  const refusing = (of: Class, codes: Readonly<Record<string, string>>): Outcome => {
    const outcome = outcomeOf(of);
    const stands = outcome.summary.stands.map((stand): StandSummary => {
      const code = codes[stand.user];
      return code === undefined ? stand : { ...stand, error: { code, message: '' } };
    });
    return { ...outcome, summary: { stands } };
  };
  const argv = 'reset --lab net'.split(' ');
  const both = refusing({ a: PC, b: SRV }, { a: 'SNAPSHOTS_LOST', b: 'TASK_FAILED' });
  expect(resumeWays(argv, both, WAYS)).toEqual(['deploy-stand reset --lab net --user b --machine srv']);
  const lost = refusing({ a: PC, b: { done: ['pc', 'srv'] } }, { a: 'SNAPSHOTS_LOST' });
  for (const startsOver of [WAYS, { ...WAYS, makesMissing: false }, undefined]) {
    expect(resumeWays(argv, lost, startsOver)).toEqual([]);
  }
  for (const code of [
    ...['SNAPSHOT_NAME_USED', 'SNAPSHOT_NOT_OURS', 'SNAPSHOT_NOT_NEWEST', 'SHUTDOWN_IGNORED'],
    ...['PROTECTED', 'MEMBERS_LEFT'],
  ])
    expect(resumeWays(['snapshot'], refusing({ a: PC }, { a: code }), undefined)).toEqual([]);
  const open = refusing({ a: PC, b: SRV }, { a: 'SHARED_POOL' });
  expect(resumeWays(['access', 'freeze'], open, undefined)).toEqual(['deploy-stand access freeze']);
});

test('whoever found no room is not sent to the same command again', () => {
  const outcome = outcomeOf({ a: { done: ['pc'] }, b: BOTH, c: SRV });
  const codes: Readonly<Record<string, string>> = { b: 'NO_CAPACITY', c: 'TASK_FAILED' };
  const withCodes = (users: readonly string[]): Outcome => {
    const stands = outcome.summary.stands.flatMap((stand): StandSummary[] => {
      const code = codes[stand.user];
      if (!users.includes(stand.user)) return [];
      return [code === undefined ? stand : { ...stand, error: { code, message: '' } }];
    });
    return { ...outcome, summary: { stands } };
  };
  const room =
    'make room for the stand that found none (the numbers are above), then: deploy-stand deploy -c lab.yml';
  expect(
    resumeWays(['deploy', '-c', 'lab.yml', '--plan', 'p.json'], withCodes(['a', 'b']), undefined),
  ).toEqual([room]);
  expect(resumeWays(['deploy', '-c', 'lab.yml', '--fit'], withCodes(['a', 'b', 'c']), undefined)).toEqual([
    'deploy-stand deploy -c lab.yml --fit',
    `${room} --fit`,
  ]);
  expect(resumeWays(['deploy', '-c', 'lab.yml'], withCodes(['b', 'c']), undefined)).toEqual([
    'deploy-stand deploy -c lab.yml --fit',
    room,
  ]);
});

test('machines that were named are never widened', () => {
  expect(ways('reset --lab net --machine pc --machine srv', { a: PC, b: SRV })).toEqual([
    'reset --lab net --user a --machine pc',
    'reset --lab net --user b --machine srv',
  ]);
});
