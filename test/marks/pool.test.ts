import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatPoolComment,
  makeClaim,
  parsePoolComment,
  sealComment,
  type Claim,
  type ClaimedMachine,
} from '../../src/lib/marks/pool.ts';
import { sealHash } from '../../src/lib/marks/seal.ts';
import { runs } from '../runs.ts';

const SINCE = '2026-01-01T00:00:00Z';
const HASH = '9f2c01ab77e0c4d15e6a8b30';

function made(machine: string, vmid: number): ClaimedMachine {
  return { machine, vmid, state: 'made', seals: [] };
}

function reserved(machine: string, vmid: number, ...seals: string[]): ClaimedMachine {
  return { machine, vmid, state: 'reserved', seals };
}

function claimOf(machines: readonly ClaimedMachine[], unnamed: readonly number[] = []): Claim {
  return makeClaim({ lab: 'net', machines, unnamed, since: SINCE });
}

function lineOf(claim: Claim): string {
  const comment = formatPoolComment({ user: 'anna@pve', adopted: false, claims: [claim], others: [] });
  return comment.split('\n')[1] ?? '';
}

function parsed(line: string): Claim | undefined {
  return parsePoolComment(`deploy-stand user=anna@pve\n${line}`).claims[0];
}

describe('pool comments', () => {
  test('read back what was written, foreign lines kept', () => {
    const mark = {
      user: 'anna@pve',
      adopted: true,
      roles: ['PVEVMAdmin', 'PVEAuditor'],
      kept: true,
      others: ['room 5'],
      claims: [
        makeClaim({
          lab: 'net',
          machines: [made('router', 1000), reserved('host', 1001, HASH)],
          unnamed: [],
          node: 'pve1',
          since: SINCE,
          expires: '2026-02-01',
          frozen: '2026-01-20T10:00:00Z',
        }),
        makeClaim({ lab: 'db', machines: [], unnamed: [1005], since: SINCE }),
      ],
    };
    const text = formatPoolComment(mark);
    expect(text.split('\n')).toEqual([
      'room 5',
      'deploy-stand user=anna@pve adopted roles=PVEVMAdmin,PVEAuditor kept',
      `lab=net vms=router:1000,host:1001?${HASH} node=pve1 since=${SINCE} expires=2026-02-01 frozen=2026-01-20T10:00:00Z`,
      `lab=db vmids=1005 since=${SINCE}`,
    ]);
    expect(parsePoolComment(text)).toEqual(mark);
  });

  test('without our header nothing in it is a claim', () => {
    expect(parsePoolComment('lab=net vmids=5-9 since=x')).toEqual({
      adopted: false,
      claims: [],
      others: ['lab=net vmids=5-9 since=x'],
    });
  });

  test.each([
    { machines: [], text: 'vms=' },
    { machines: [made('a', 100), made('b', 101)], text: 'vms=a:100,b:101' },
    { machines: [1, 2, 3].map((n) => made(`pc${n}`, 200 + n)), text: 'vms=pc{1..3}:201-203' },
    { machines: [1, 2].map((n) => made(`pc${n}`, 200 + n)), text: 'vms=pc1:201,pc2:202' },
    { machines: [9, 10, 11].map((n) => made(`pc-${n}`, 200 + n)), text: 'vms=pc-{9..11}:209-211' },
    // A leading zero is part of the name, and 13 does not follow 11.
    {
      machines: ['01', '02', '03'].map((n, at) => made(`pc${n}`, 200 + at)),
      text: 'vms=pc01:200,pc02:201,pc03:202',
    },
    { machines: [10, 11, 13].map((n) => made(`pc${n}`, 200 + n)), text: 'vms=pc10:210,pc11:211,pc13:213' },
    // Reserved ones stand alone: each has a hash of its own.
    {
      machines: [made('pc1', 201), made('pc2', 202), made('pc3', 203), reserved('pc4', 204, HASH)],
      text: `vms=pc{1..3}:201-203,pc4:204?${HASH}`,
    },
    { machines: [reserved('a', 100, '')], text: 'vms=a:100?' },
    { machines: [reserved('a', 100, '', HASH)], text: `vms=a:100??${HASH}` },
  ])('$text', ({ machines, text }) => {
    const line = lineOf(claimOf(machines));
    expect(line).toBe(`lab=net ${text} since=${SINCE}`);
    expect(parsed(line)).toEqual(claimOf(machines));
  });

  test('that the clones of reserved ones join at once is said as long as there are any', () => {
    const claim = makeClaim({ ...claimOf([made('a', 100), reserved('b', 101, HASH)]), joinsAtOnce: true });
    expect(lineOf(claim)).toBe(`lab=net vms=a:100,b:101?${HASH} since=${SINCE} clones=pool`);
    expect(parsed(lineOf(claim))).toEqual(claim);
    const all = makeClaim({ ...claim, machines: [made('a', 100), made('b', 101)] });
    expect(lineOf(all)).toBe(`lab=net vms=a:100,b:101 since=${SINCE}`);
    expect(parsed(`${lineOf(all)} clones=pool`)).toEqual(all);
  });

  test('ids that 0.1.0 claimed stand beside those with names', () => {
    const claim = claimOf([made('a', 100)], [102, 103, 100]);
    expect(claim.vmids).toEqual([100, 102, 103]);
    expect(lineOf(claim)).toBe(`lab=net vms=a:100 vmids=102-103 since=${SINCE}`);
    expect(parsed(lineOf(claim))).toEqual(claim);
  });

  test('any claim survives the round trip', () => {
    const name = fc.oneof(
      fc
        .constantFrom('pc', 'pc-', 'a.b', 'x1y', '7z')
        .chain((stem) => fc.nat({ max: 120 }).map((n) => `${stem}${n}`)),
      fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,6}[a-zA-Z0-9])?$/),
    );
    const hash = fc.stringMatching(/^[0-9a-f]{24}$/);
    const machine = fc.record({ machine: name, seals: fc.array(hash, { maxLength: 3 }) });
    const claims = fc
      .tuple(
        fc.uniqueArray(machine, { selector: (one) => one.machine, maxLength: 40 }),
        fc.integer({ min: 100, max: 400 }),
      )
      .map(([machines, first]) =>
        claimOf(
          machines.map(({ machine: id, seals }, at) =>
            seals.length === 0 ? made(id, first + at) : reserved(id, first + at, ...seals),
          ),
        ),
      );
    fc.assert(
      fc.property(claims, (claim) => {
        expect(parsed(lineOf(claim))).toEqual(claim);
      }),
      runs(200, 20_000),
    );
  });

  test.each([
    'vms=a:100?zz',
    'vms=a:0',
    'vms=a:1234567890',
    'vms=:100',
    'vms=pc{1..3}:201-209',
    'vms=pc{3..1}:201-203',
    'vms=pc{0..999999}:100-1000099',
    'vms=../etc:100',
    'vms=a:100-105',
  ])('%s names no machine', (text) => {
    expect(parsed(`lab=net ${text} since=${SINCE}`)?.machines).toEqual([]);
  });

  test('of two machines with one id or one name the first counts', () => {
    expect(parsed(`lab=net vms=a:100,b:100,a:101 since=${SINCE}`)?.machines).toEqual([made('a', 100)]);
  });

  test('however much a comment claims, a bounded number of ids is looked at', () => {
    const lines = Array.from(
      { length: 50 },
      (_, at) =>
        `lab=l${at} vms=pc{0..4000}:${at * 5000}-${at * 5000 + 4000} vmids=${at * 5000 + 4500}-${at * 5000 + 4990} since=x`,
    );
    const { claims } = parsePoolComment(['deploy-stand user=eve@pve', ...lines].join('\n'));
    expect(claims.flatMap(({ vmids }) => vmids).length).toBeLessThanOrEqual(5000);
  });

  test('seals are filled in where they are to be drawn, and nowhere else', () => {
    const comment = formatPoolComment({
      user: 'anna@pve',
      adopted: false,
      claims: [claimOf([made('a', 100), reserved('b', 101, '', HASH), reserved('c', 102, HASH)])],
      others: ['x?'],
    });
    expect(sealComment(comment, (vmid) => String(vmid).padStart(24, '0'))).toBe(
      [
        'x?',
        'deploy-stand user=anna@pve',
        `lab=net vms=a:100,b:101?${'101'.padStart(24, '0')}?${HASH},c:102?${HASH} since=${SINCE}`,
      ].join('\n'),
    );
  });

  test('a seal fits one id only', () => {
    const seal = '0123456789abcdef0123456789abcdef';
    expect(sealHash(seal, 100)).toMatch(/^[0-9a-f]{24}$/);
    expect(sealHash(seal, 100)).not.toBe(sealHash(seal, 101));
  });
});

test('a machine that is made anew is told from others, whether it had cards or none', () => {
  const line = (word: string) => `lab=net vms=${word} since=2026-01-10T10:00:00Z`;
  const words = ['pc:1000?', 'pc:1000?@', 'pc:1000?@0=BC2411000001@2=BC2411000002'];
  const marks = words.map((word) => parsePoolComment(`deploy-stand user=anna@pve\n${line(word)}`));
  expect(marks.map(({ claims }) => claims[0]?.machines[0]?.macs?.length)).toEqual([undefined, 0, 2]);
  const written = marks.map((mark) => formatPoolComment({ ...mark, user: 'anna@pve' }).split('\n')[1]);
  expect(written).toEqual(words.map(line));
});
