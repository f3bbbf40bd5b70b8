import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeClaim } from '../../../src/lib/marks/pool.ts';
import { sealHash } from '../../../src/lib/marks/seal.ts';
import { formatVmMark } from '../../../src/lib/marks/vm.ts';
import {
  claimedIds,
  isUnfinished,
  isWritable,
  verdictOn,
  type ClaimedId,
  type Evidence,
  type Verdict,
} from '../../../src/lib/plan/stands/ownership.ts';
import { runs } from '../../runs.ts';

const VMID = 10001;
const SEAL = '5e'.repeat(16);
const LATE = '1a'.repeat(16);
const HASHES = [sealHash(SEAL, VMID), sealHash(LATE, VMID)];
const MARK = { lab: 'net', user: 'anna@pve', machine: 'pc', vmid: VMID };

const IDS = {
  made: { vmid: VMID, state: 'made', machine: 'pc', seals: [] },
  reserved: { vmid: VMID, state: 'reserved', machine: 'pc', seals: HASHES },
  joining: { vmid: VMID, state: 'reserved', machine: 'pc', seals: HASHES, joinsAtOnce: true },
  remade: { vmid: VMID, state: 'reserved', machine: 'pc', seals: HASHES, macs: [] },
  unstated: { vmid: VMID, state: 'unstated', seals: [] },
} satisfies Record<string, ClaimedId>;

/** What stands at the id, by the pool that it is a member of. */
const GUESTS = {
  nothing: undefined,
  ours: { type: 'qemu', pool: 'anna' },
  poolless: { type: 'qemu' },
  elsewhere: { type: 'qemu', pool: 'boris' },
  container: { type: 'lxc', pool: 'anna' },
} as const;

const NOTES = {
  unread: undefined,
  empty: {},
  mark: { description: formatVmMark(MARK) },
  sealed: { description: formatVmMark({ ...MARK, seal: SEAL }) },
  late: { description: `by hand\n${formatVmMark({ ...MARK, seal: LATE, spec: 'abc' })}` },
  forged: { description: formatVmMark({ ...MARK, seal: 'ab'.repeat(16) }) },
  // What everybody may read is no seal, and that of one id does not fit another.
  copied: { description: `deploy-stand lab=net user=anna@pve machine=pc vmid=${VMID} seal=${HASHES[0]}` },
  othersMark: { description: formatVmMark({ ...MARK, vmid: 10002 }) },
} as const;

interface Case {
  readonly id: keyof typeof IDS;
  readonly guest: keyof typeof GUESTS;
  readonly notes?: keyof typeof NOTES;
  readonly lock?: string;
  readonly isAway?: true;
  readonly isHandedOut?: true;
  readonly isCloning?: boolean;
}

function evidence({ id, guest, notes = 'unread', lock, isAway, isHandedOut, isCloning }: Case): Evidence {
  const found = GUESTS[guest];
  return {
    id: IDS[id],
    pool: 'anna',
    guest: found && { ...found, lock },
    isAway: isAway === true,
    values: NOTES[notes],
    isHandedOut: isHandedOut === true,
    ...(isCloning === undefined ? {} : { isCloning }),
  };
}

const TABLE: readonly (readonly [Verdict, Case])[] = [
  ['missing', { id: 'made', guest: 'nothing' }],
  ['open', { id: 'reserved', guest: 'nothing' }],
  ['open', { id: 'unstated', guest: 'nothing' }],

  ['ours', { id: 'made', guest: 'ours' }],
  ['left-pool', { id: 'made', guest: 'poolless' }],
  ['left-pool', { id: 'made', guest: 'poolless', notes: 'sealed' }],
  ['foreign', { id: 'made', guest: 'elsewhere', notes: 'sealed' }],
  ['foreign', { id: 'made', guest: 'container', notes: 'sealed' }],
  ['away', { id: 'made', guest: 'ours', isAway: true }],
  ['away', { id: 'made', guest: 'poolless', isAway: true }],
  ['foreign', { id: 'made', guest: 'elsewhere', isAway: true }],
  // An operation holds it: whoever writes waits for that.
  ['ours', { id: 'made', guest: 'ours', lock: 'backup' }],
  ['left-pool', { id: 'made', guest: 'poolless', lock: 'backup' }],
  ['zombie', { id: 'made', guest: 'ours', lock: 'destroyed' }],
  ['zombie', { id: 'made', guest: 'poolless', lock: 'destroyed' }],
  ['in-flight', { id: 'made', guest: 'ours', lock: 'clone' }],
  ['in-flight', { id: 'made', guest: 'ours', lock: 'clone', isCloning: true }],
  ['zombie', { id: 'made', guest: 'ours', lock: 'clone', isCloning: false }],

  ['unjoined', { id: 'reserved', guest: 'poolless', notes: 'sealed' }],
  ['unjoined', { id: 'reserved', guest: 'poolless', notes: 'late' }],
  // Its own user made it there, and has read a seal of ours.
  ['foreign', { id: 'reserved', guest: 'ours', notes: 'sealed' }],
  ['foreign', { id: 'reserved', guest: 'ours', notes: 'late' }],
  ['unjoined', { id: 'joining', guest: 'ours', notes: 'sealed' }],
  // Unlocked a moment before it gets into its pool, or the work of somebody who has read the seal and may not write the pool.
  ['in-flight', { id: 'joining', guest: 'poolless', notes: 'sealed' }],
  ['in-flight', { id: 'joining', guest: 'poolless', notes: 'sealed', isCloning: true }],
  ['zombie', { id: 'joining', guest: 'poolless', notes: 'sealed', isCloning: false }],
  ['foreign', { id: 'joining', guest: 'poolless', notes: 'mark' }],
  // Where its student reaches the notes, it may be ours all the same.
  ['unsealed', { id: 'joining', guest: 'ours', notes: 'mark' }],
  ['unsealed', { id: 'joining', guest: 'ours', notes: 'forged' }],
  ['unsealed', { id: 'remade', guest: 'ours', notes: 'mark' }],
  ['unsealed', { id: 'remade', guest: 'poolless', notes: 'mark' }],
  ['unjoined', { id: 'remade', guest: 'poolless', notes: 'sealed' }],
  ['foreign', { id: 'remade', guest: 'elsewhere', notes: 'mark' }],
  ['foreign', { id: 'remade', guest: 'container', notes: 'mark' }],
  ['foreign', { id: 'joining', guest: 'elsewhere', notes: 'sealed' }],
  ['unjoined', { id: 'reserved', guest: 'poolless', notes: 'sealed', lock: 'backup' }],
  ['unreadable', { id: 'reserved', guest: 'poolless' }],
  ['foreign', { id: 'reserved', guest: 'ours' }],
  ['unreadable', { id: 'joining', guest: 'ours' }],
  ['foreign', { id: 'reserved', guest: 'poolless', notes: 'empty' }],
  ['foreign', { id: 'reserved', guest: 'poolless', notes: 'mark' }],
  ['foreign', { id: 'reserved', guest: 'ours', notes: 'mark' }],
  ['foreign', { id: 'reserved', guest: 'ours', notes: 'forged' }],
  ['foreign', { id: 'reserved', guest: 'poolless', notes: 'copied' }],
  ['foreign', { id: 'reserved', guest: 'elsewhere', notes: 'sealed' }],
  ['foreign', { id: 'reserved', guest: 'container', notes: 'sealed' }],
  ['away', { id: 'reserved', guest: 'poolless', isAway: true }],
  ['away', { id: 'reserved', guest: 'ours', notes: 'sealed', isAway: true }],
  ['in-flight', { id: 'reserved', guest: 'poolless', lock: 'clone' }],
  ['in-flight', { id: 'reserved', guest: 'poolless', notes: 'empty', lock: 'clone', isCloning: true }],
  ['zombie', { id: 'reserved', guest: 'poolless', lock: 'clone', isCloning: false }],
  ['zombie', { id: 'reserved', guest: 'ours', lock: 'destroyed' }],
  ['unreadable', { id: 'reserved', guest: 'poolless', lock: 'destroyed' }],
  // PVE empties a configuration before the last phase of its removal: the seal is gone, and with it whose it was.
  ['zombie', { id: 'reserved', guest: 'poolless', notes: 'empty', lock: 'destroyed' }],
  ['zombie', { id: 'joining', guest: 'poolless', notes: 'empty', lock: 'destroyed' }],
  ['foreign', { id: 'reserved', guest: 'poolless', notes: 'mark', lock: 'destroyed' }],
  ['foreign', { id: 'reserved', guest: 'elsewhere', notes: 'empty', lock: 'destroyed' }],
  ['zombie', { id: 'reserved', guest: 'poolless', notes: 'sealed', lock: 'destroyed' }],

  ['ours', { id: 'unstated', guest: 'ours', isHandedOut: true }],
  ['ours', { id: 'unstated', guest: 'ours', notes: 'empty', isHandedOut: true }],
  ['ours', { id: 'unstated', guest: 'ours', notes: 'mark' }],
  ['doubtful', { id: 'unstated', guest: 'ours', notes: 'empty' }],
  ['doubtful', { id: 'unstated', guest: 'ours', notes: 'othersMark' }],
  ['unreadable', { id: 'unstated', guest: 'ours' }],
  ['left-pool', { id: 'unstated', guest: 'poolless', notes: 'mark', isHandedOut: true }],
  ['foreign', { id: 'unstated', guest: 'elsewhere', notes: 'mark', isHandedOut: true }],
  ['foreign', { id: 'unstated', guest: 'container', isHandedOut: true }],
  ['away', { id: 'unstated', guest: 'ours', isHandedOut: true, isAway: true }],
  ['zombie', { id: 'unstated', guest: 'ours', lock: 'destroyed' }],
  ['zombie', { id: 'unstated', guest: 'poolless', lock: 'destroyed' }],
  ['in-flight', { id: 'unstated', guest: 'ours', notes: 'mark', isHandedOut: true, lock: 'clone' }],
];

const say = ({ id, guest, notes, lock, ...flags }: Case) =>
  [id, guest, notes && `notes ${notes}`, lock && `lock ${lock}`, ...Object.entries(flags).flat()]
    .filter((word) => word !== undefined && word !== true)
    .join(', ');

describe('the verdict', () => {
  test.each(TABLE.map(([verdict, given]) => ({ verdict, given, name: say(given) })))(
    '$name: $verdict',
    ({ verdict, given }) => {
      expect(verdictOn(evidence(given))).toBe(verdict);
    },
  );

  test('the table has every verdict, and only two are written to', () => {
    const verdicts = [...new Set(TABLE.map(([verdict]) => verdict))].sort();
    expect(verdicts).toHaveLength(12);
    expect(verdicts.filter(isWritable)).toEqual(['ours', 'unjoined']);
  });

  test('the configuration, which is younger, tells of a lock before the list does', () => {
    const given = evidence({ id: 'made', guest: 'ours' });
    expect(verdictOn({ ...given, values: { lock: 'destroyed' } })).toBe('zombie');
  });
});

test.each([
  // Begun: a clone, or a removal.
  ['reserved', 'open', 'unread', true],
  ['reserved', 'in-flight', 'unread', true],
  ['reserved', 'unjoined', 'sealed', true],
  ['joining', 'unsealed', 'mark', true],
  ['reserved', 'zombie', 'empty', true],
  ['made', 'in-flight', 'mark', true],
  ['made', 'zombie', 'late', true],
  // Whose it is cannot be told, nor whether it is finished.
  ['reserved', 'away', 'unread', undefined],
  ['reserved', 'unreadable', 'unread', undefined],
  ['reserved', 'foreign', 'mark', false],
  ['made', 'ours', 'mark', false],
  ['made', 'left-pool', 'mark', false],
  ['made', 'missing', 'unread', false],
  ['made', 'away', 'unread', false],
  // Of what 0.1.0 claimed the notes tell.
  ['unstated', 'ours', 'late', false],
  ['unstated', 'ours', 'mark', true],
  ['unstated', 'left-pool', 'mark', true],
  ['unstated', 'ours', 'empty', undefined],
  ['unstated', 'doubtful', 'othersMark', undefined],
  ['unstated', 'unreadable', 'unread', undefined],
  ['unstated', 'zombie', 'late', true],
  ['unstated', 'foreign', 'mark', false],
] as const)('%s and %s, notes %s: begun and never finished? %s', (id, verdict, notes, expected) => {
  expect(isUnfinished(IDS[id], verdict, NOTES[notes])).toBe(expected);
});

test('a claim names machines and, of 0.1.0, bare ids, in the order of their ids', () => {
  const claim = makeClaim({
    lab: 'net',
    machines: [
      { machine: 'b', vmid: 10003, state: 'reserved', seals: HASHES },
      { machine: 'a', vmid: 10001, state: 'made', seals: [] },
    ],
    unnamed: [10002],
    since: '2026-01-15T09:00:00Z',
  });
  expect(claimedIds(claim)).toEqual([
    { machine: 'a', vmid: 10001, state: 'made', seals: [] },
    { vmid: 10002, state: 'unstated', seals: [] },
    { machine: 'b', vmid: 10003, state: 'reserved', seals: HASHES },
  ]);
});

const anyGuest = fc.constantFrom(...Object.values(GUESTS));
const anyLock = fc.constantFrom(undefined, 'backup', 'clone', 'destroyed', 'migrate');
const anySituation = fc.record({
  guest: fc.tuple(anyGuest, anyLock).map(([guest, lock]) => guest && { ...guest, lock }),
  isAway: fc.boolean(),
  isHandedOut: fc.boolean(),
  isCloning: fc.boolean(),
});

/** Whatever somebody who has rights on the VM may write: all but the lock, which PVE sets. */
const anyNotes = fc.oneof(
  fc.constantFrom(
    ...Object.values(NOTES).flatMap((values) =>
      values && 'description' in values ? values.description : '',
    ),
  ),
  fc.string({ maxLength: 60 }),
  fc
    .record({ vmid: fc.constantFrom(VMID, 10002), seal: fc.constantFrom(SEAL, LATE, 'ab'.repeat(16)) })
    .map((more) => formatVmMark({ ...MARK, ...more })),
);
const anyValues = fc
  .record({ description: anyNotes, name: fc.string({ maxLength: 12 }), tags: fc.string({ maxLength: 12 }) })
  .map((values): Readonly<Record<string, string>> => values);

test('of a made VM the verdict is the same whatever its notes, name and tags say, read or not', () => {
  fc.assert(
    fc.property(anySituation, anyValues, ({ isCloning, ...situation }, values) => {
      const given = { id: IDS.made, pool: 'anna', isCloning, ...situation };
      expect(verdictOn({ ...given, values })).toBe(verdictOn({ ...given, values: undefined }));
    }),
    runs(500, 50_000),
  );
});

test('without a fitting seal a reserved id is never written to', () => {
  const anySeals = fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{24}$/), { maxLength: 3 });
  fc.assert(
    fc.property(anySituation, anyValues, anySeals, (situation, values, seals) => {
      const id: ClaimedId = { ...IDS.reserved, seals };
      expect(isWritable(verdictOn({ id, pool: 'anna', ...situation, values }))).toBe(false);
      expect(isWritable(verdictOn({ id, pool: 'anna', ...situation, values: undefined }))).toBe(false);
    }),
    runs(500, 50_000),
  );
});

test('a seal fits one id, and a clone of the clone nowhere else', () => {
  const anySeal = fc.stringMatching(/^[0-9a-f]{32}$/);
  const anyId = fc.integer({ min: 100, max: 999_999_999 });
  fc.assert(
    fc.property(anySeal, anyId, anyId, (seal, vmid, other) => {
      fc.pre(vmid !== other);
      const at = (place: number, drawn: string): Verdict =>
        verdictOn({
          id: { vmid: place, state: 'reserved', machine: 'pc', seals: [sealHash(seal, vmid)] },
          pool: 'anna',
          guest: { type: 'qemu' },
          isAway: false,
          values: { description: formatVmMark({ ...MARK, vmid: place, seal: drawn }) },
          isHandedOut: false,
        });
      expect(at(vmid, seal)).toBe('unjoined');
      expect(at(other, seal)).toBe('foreign');
      expect(
        at(
          vmid,
          seal.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
        ),
      ).toBe('foreign');
    }),
    runs(300, 20_000),
  );
});

test('what is a member of another pool, or a container, is never ours', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(IDS)),
      fc.constantFrom(GUESTS.elsewhere, GUESTS.container),
      anySituation,
      anyValues,
      (id, guest, situation, values) => {
        expect(verdictOn({ ...situation, id, pool: 'anna', guest, values })).toBe('foreign');
      },
    ),
    runs(200, 10_000),
  );
});
