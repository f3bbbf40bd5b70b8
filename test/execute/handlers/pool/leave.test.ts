/** The one write by which machines that are gone leave the claim of their stand. */
import { describe, expect, test } from 'vitest';
import { handlers } from '../../../../src/lib/execute/handlers/index.ts';
import type { StepPayloads } from '../../../../src/lib/plan/document/step.ts';
import type { RequestFault } from '../../../../src/lib/simulator/faults.ts';
import { apply, step } from '../../apply-step.ts';
import { busy, lost, PveWorld, VERSIONS, vm } from '../../world.ts';

const HEADER = 'deploy-stand user=anna@pve';
const OTHER_LAB = 'lab=other vms=old:10020,db:10021?0123456789abcdef01234567 since=2026-01-15T08:00:00Z';
const SINCE = 'node=pve1 since=2026-01-15T09:00:00Z';
const BEFORE = `lab=net vms=pc:10001,old:10002 ${SINCE}`;
const AFTER = `lab=net vms=pc:10001 ${SINCE}`;

const payload: StepPayloads['pool.leave'] = {
  pool: 'anna',
  lab: 'net',
  machines: [{ machine: 'old', vmid: 10002 }],
};

function stand(version: (typeof VERSIONS)[number] = '8.4', lines: readonly string[] = [OTHER_LAB, BEFORE]) {
  return new PveWorld({
    version,
    pools: [{ pool: 'anna', comment: [HEADER, ...lines].join('\n'), vms: [10001] }],
    guests: [vm(10001, 'pve1', { name: 'pc' })],
  });
}

const lines = (world: PveWorld) => world.pool('anna')?.comment.split('\n');

describe.each(VERSIONS)('on %s', (version) => {
  const UPDATE = ['PUT', version === '7.4' ? '/pools/anna' : '/pools'] as const;

  test.each<{ name: string; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', faults: [lost(UPDATE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(UPDATE, 'after')], outcome: 'already-done' },
    { name: 'lock timeout', faults: [busy(UPDATE)], outcome: 'done' },
  ])("$name: one write; other labs' lines and members stay", async ({ faults = [], outcome }) => {
    const world = stand(version).fault(...faults);
    expect((await apply(world, 'pool.leave', payload)).outcome).toBe(outcome);
    expect(lines(world)).toEqual([HEADER, OTHER_LAB, AFTER]);
    expect(world.pool('anna')?.vmids).toEqual([10001]);
    expect((await apply(world, 'pool.leave', payload)).outcome).toBe('already-done');
    expect(world.sent).toHaveLength(1);
  });
});

test('a VM is there after all: it stays claimed', async () => {
  const world = stand();
  const still = { ...payload, machines: [{ machine: 'pc', vmid: 10001 }] };
  await expect(apply(world, 'pool.leave', still)).rejects.toMatchObject({ code: 'CLAIM_IN_USE' });
  expect(world.writes).toEqual([]);
});

test('the id belongs to another machine by now: it stays claimed', async () => {
  const world = stand('8.4', [BEFORE.replace('old:', 'new:')]);
  expect((await apply(world, 'pool.leave', payload)).outcome).toBe('already-done');
  expect(world.writes).toEqual([]);
});

test('the pool lost our mark: nothing is written', async () => {
  const world = new PveWorld({ pools: [{ pool: 'anna', comment: 'by hand' }] });
  await expect(apply(world, 'pool.leave', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
  expect(world.writes).toEqual([]);
});

test('comment and claims are read and written in one turn under the planning lock', async () => {
  const world = stand();
  let turns = 0;
  const io = {
    ...world.io(),
    exclusively: <T>(work: (since: number) => Promise<T>): Promise<T> => {
      turns += 1;
      return work(0);
    },
  };
  expect(await world.drive(handlers['pool.leave'](step('pool.leave', payload), io))).toBe('done');
  expect(turns).toBe(1);
});
