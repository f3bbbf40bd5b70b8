/** Which of a machine's cards are the lab's, where the older tools began at different places. */
import { describe, expect, test } from 'vitest';
import { findNicShifts } from '../../../src/lib/plan/stands/nic-shift.ts';
import { alias, lab, machine, real, router } from '../builders.ts';

const cards = (...bridges: readonly string[]) =>
  Object.fromEntries(
    bridges.flatMap((bridge, at) =>
      bridge === '' ? [] : [[`net${at}`, `virtio=BC:24:11:00:00:0${at},bridge=${bridge}`]],
    ),
  );

const hqDmz = machine('a', [alias('hq'), alias('dmz')]);
const shared = machine('b', [real('vmbr0')]);

describe('one machine alone', () => {
  test.each([
    { name: 'no card of the template', want: hqDmz, is: cards('vmbr1000', 'vmbr1001'), shift: 0 },
    { name: 'the template had one', want: hqDmz, is: cards('vmbr0', 'vmbr1000', 'vmbr1001'), shift: 1 },
    { name: 'it had two', want: hqDmz, is: cards('vmbr0', 'vmbr0', 'vmbr1000', 'vmbr1001'), shift: 2 },
    { name: 'the place before is empty', want: hqDmz, is: cards('', 'vmbr1000', 'vmbr1001'), shift: 1 },
    { name: 'another card behind', want: hqDmz, is: cards('vmbr1000', 'vmbr1001', 'vmbr1002'), shift: 0 },
    { name: 'shared bridges alone', want: shared, is: cards('vmbr0', 'vmbr0'), shift: 1 },
    { name: 'a router', want: router('r', [alias('hq')]), is: cards('vmbr0', '', 'vmbr1000'), shift: 1 },
    { name: 'none fits', want: hqDmz, is: cards('vmbr0', 'vmbr1000', 'vmbr7'), shift: 0 },
    { name: 'no cards at all', want: hqDmz, is: {}, shift: 0 },
    {
      name: 'one network is one bridge',
      want: machine('c', [alias('hq'), alias('hq', { tag: 5 })]),
      is: cards('vmbr1000', 'vmbr1001', 'vmbr1001'),
      shift: 1,
    },
  ])('$name: $shift', ({ want, is, shift }) => {
    expect(findNicShifts(lab([want]), new Map([[want.name, is]]), new Map())).toEqual(
      new Map([[want.name, shift]]),
    );
  });
});

test('what fits in several ways is as the others of its kind are, also those that a former run took over', () => {
  const want = lab([hqDmz, shared, router('r', [real('vmbr0')])]);
  const own = cards('vmbr0', 'vmbr0', 'vmbr0');
  const taken = new Map([
    ['a', cards('vmbr0', 'vmbr1000', 'vmbr1001')],
    ['b', own],
    ['r', own],
  ]);
  expect(findNicShifts(want, taken, new Map())).toEqual(
    new Map([
      ['a', 1],
      ['b', 1],
      ['r', 1],
    ]),
  );
  const rest = new Map([['b', cards('vmbr0', 'vmbr0')]]);
  expect(findNicShifts(want, rest, new Map([['a', 0]]))).toEqual(new Map([['b', 0]]));
});
