/**
 * Students, pool admins and other tenants make their moves while commands run, die and run again: no command writes to an
 * object of somebody else, gives a right on one, or hands a secret to a machine that the student did not get from us.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLong, runs } from '../runs.ts';
import { COMMANDS, type CommandName } from './class.ts';
import { MOVES, type MoveName } from './moves.ts';
import { play, type Act, type Start } from './play.ts';

const names = <T extends string>(of: Readonly<Record<T, unknown>>): T[] => Object.keys(of) as T[];

const starts: fc.Arbitrary<Start> = fc.record({
  version: fc.constantFrom('7.4', '8.4', '9.2'),
  base: fc.constantFrom('empty', 'made', 'larger', 'killed early', 'killed', 'killed late', 'expired', 'old'),
  delegated: fc.constantFrom(false, false, true),
  watched: fc.boolean(),
});

/** A seal is read in one turn and used in another, when its machine has gone: seldom both, if chance were even. */
const ofSeals = names(MOVES).filter((move) => move.includes('seal'));

const turns = fc.record({
  move: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom<MoveName>(...names(MOVES)) },
    { weight: 2, arbitrary: fc.constantFrom<MoveName>(...ofSeals, 'removal of an own machine') },
  ),
  at: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 30 })),
  draws: fc.array(fc.nat(99), { minLength: 4, maxLength: 8 }),
});

const acts: fc.Arbitrary<Act> = fc.record(
  {
    command: fc.constantFrom<CommandName>('deploy', 'deploy changed', ...names(COMMANDS)),
    turns: fc.array(turns, { minLength: 1, maxLength: 3 }),
    killAt: fc.integer({ min: 1, max: 25 }),
  },
  { requiredKeys: ['command', 'turns'] },
);

test('whatever students, pool admins and tenants do, and whenever', async () => {
  const allowed = new Set<MoveName>();
  await fc.assert(
    fc.asyncProperty(starts, fc.array(acts, { minLength: 1, maxLength: 3 }), async (start, story) => {
      const told = await play(start, story);
      expect(told.flatMap(({ findings }) => findings)).toEqual([]);
      for (const one of told) for (const move of one.allowed) allowed.add(move);
    }),
    runs(14, 3000),
  );
  // Nothing would be shown by moves that PVE refuses, or that come when there is nothing to be done.
  if (isLong) expect(names(MOVES).filter((move) => !allowed.has(move))).toEqual([]);
  expect(allowed.size).toBeGreaterThan(5);
});
