import { describe, expect, test } from 'vitest';
import { STUDENT_PRIVILEGES, STUDENT_ROLE } from '../../../../src/lib/marks/role.ts';
import type { RequestFault } from '../../../../src/lib/simulator/faults.ts';
import { apply } from '../../apply-step.ts';
import { busy, lost, PveWorld, refused, VERSIONS } from '../../world.ts';

const CREATE = ['POST', '/access/roles'] as const;
const PAYLOAD = { role: STUDENT_ROLE, privileges: STUDENT_PRIVILEGES };

const roleOf = (world: PveWorld) => world.state().roles[STUDENT_ROLE];

describe.each(VERSIONS)('role.create on %s', (version) => {
  test.each<{ name: string; faults?: RequestFault[]; writes: number; outcome?: string }>([
    { name: 'every privilege is known there', writes: 1 },
    { name: 'a busy lock', faults: [busy(CREATE)], writes: 1 },
    { name: 'lost before', faults: [lost(CREATE, 'before')], writes: 1 },
    {
      name: 'lost after: found, not made again',
      faults: [lost(CREATE, 'after')],
      writes: 1,
      outcome: 'already-done',
    },
  ])('$name', async ({ faults = [], writes, outcome = 'done' }) => {
    const world = new PveWorld({ version }).fault(...faults);
    expect((await apply(world, 'role.create', PAYLOAD)).outcome).toBe(outcome);
    expect([...(roleOf(world) ?? [])].sort()).toEqual(STUDENT_PRIVILEGES);
    expect(world.writes).toEqual(Array(writes).fill('POST /access/roles'));
    expect((await apply(world, 'role.create', PAYLOAD)).outcome).toBe('already-done');
  });

  test.each<[string, readonly string[]]>([
    ['as planned', STUDENT_PRIVILEGES],
    ['narrower', ['VM.Audit']],
  ])('one that is there, %s, is left as it is', async (_, held) => {
    const world = new PveWorld({ version, roles: { [STUDENT_ROLE]: held } });
    expect((await apply(world, 'role.create', PAYLOAD)).outcome).toBe('already-done');
    expect([roleOf(world), world.writes]).toEqual([held, []]);
  });

  test.each<[string, RequestFault[]]>([
    ['at once', []],
    // The first such request is that of somebody else.
    ['after a lost answer', [lost(CREATE, 'before', 2)]],
  ])('a wider one that somebody made meanwhile is not given: %s', async (_, faults) => {
    const world = new PveWorld({ version })
      .fault(...faults)
      .before(CREATE, () => world.admin.createRole(STUDENT_ROLE, ['VM.Audit', 'VM.Allocate']));
    await expect(apply(world, 'role.create', PAYLOAD)).rejects.toMatchObject({
      code: 'ROLE_TOO_WIDE',
      message: expect.stringContaining('VM.Allocate') as string,
    });
    expect(roleOf(world)).toEqual(['VM.Audit', 'VM.Allocate']);
  });

  test('a refusal is told as it is', async () => {
    const world = new PveWorld({ version }).fault(refused(CREATE, 'Permission check failed', 403));
    await expect(apply(world, 'role.create', PAYLOAD)).rejects.toThrow('Permission check failed');
    expect(roleOf(world)).toBeUndefined();
  });
});
