import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BridgeInfo } from '../../../src/lib/inventory/types.ts';
import { indexBridgeGuests, type Guests } from '../../../src/lib/plan/cluster/bridge-guests.ts';
import {
  BY_OTHERS,
  bridgeObstacle,
  PLANNED,
  type BridgeObstacle,
  type Wish,
} from '../../../src/lib/plan/network/may-go.ts';
import { obstacleHint, obstacleText } from '../../../src/lib/plan/network/may-go-text.ts';
import { runs } from '../../runs.ts';
import { bridge } from '../builders.ts';

const ANNA = { lab: 'net', user: 'anna@pve', net: 'hq' };
const BORIS = { ...ANNA, user: 'boris@pve' };
const markOf = ({ lab, user, net }: typeof ANNA) =>
  `deploy-stand bridge=vmbr1000 lab=${lab} user=${user} net=${net} since=2026-11-01T00:00:00Z`;
const RESERVED = 'deploy-stand bridge=vmbr1000 reserved since=2026-11-01T00:00:00Z';
const FREE: Guests = { hidden: false, read: true, naming: [], inSnapshots: [], unreadable: [] };

const wishes = {
  use: { to: 'use', stand: ANNA },
  share: { to: 'share', change: false },
  change: { to: 'share', change: true },
  'take over': { to: 'take-over', isLedTo: true, guests: FREE },
  remove: { to: 'remove', guests: FREE },
  'remove adopted': { to: 'remove-adopted', isLedTo: true, guests: FREE },
} as const satisfies Record<string, Wish>;
type Name = keyof typeof wishes;

function facts(comments: string, more: Partial<BridgeInfo> = {}): BridgeInfo {
  return bridge('vmbr1000', { ports: [], comments, ...more });
}

function codes(info: BridgeInfo): Record<Name, string | undefined> {
  const entries = Object.entries(wishes).map(([name, wish]) => [name, bridgeObstacle(wish, info)?.code]);
  return Object.fromEntries(entries) as Record<Name, string | undefined>;
}

const NOTHING = undefined;

describe('whose it is', () => {
  const cases: readonly [name: string, info: BridgeInfo, want: Record<Name, string | undefined>][] = [
    [
      "the stand's",
      facts(markOf(ANNA)),
      {
        use: NOTHING,
        share: 'stand',
        change: 'stand',
        'take over': 'comment',
        remove: NOTHING,
        'remove adopted': 'comment',
      },
    ],
    [
      "another stand's",
      facts(markOf(BORIS)),
      {
        use: 'stand',
        share: 'stand',
        change: 'stand',
        'take over': 'comment',
        remove: NOTHING,
        'remove adopted': 'comment',
      },
    ],
    [
      'reserved',
      facts(RESERVED),
      {
        use: 'reserved',
        share: NOTHING,
        change: NOTHING,
        'take over': 'comment',
        remove: 'reserved',
        'remove adopted': 'comment',
      },
    ],
    [
      "the older tool's",
      facts(''),
      {
        use: 'unmarked',
        share: NOTHING,
        change: 'unmarked',
        'take over': NOTHING,
        remove: 'unmarked',
        'remove adopted': NOTHING,
      },
    ],
    [
      'without a mark, below its numbers',
      bridge('vmbr999', { ports: [] }),
      {
        use: 'unmarked',
        share: NOTHING,
        change: 'unmarked',
        'take over': 'number',
        remove: 'unmarked',
        'remove adopted': 'number',
      },
    ],
    [
      'with a mark that was copied from another bridge',
      bridge('vmbr1001', { ports: [], comments: markOf(ANNA) }),
      {
        use: 'unmarked',
        share: NOTHING,
        change: 'unmarked',
        'take over': 'comment',
        remove: 'unmarked',
        'remove adopted': 'comment',
      },
    ],
  ];
  test.each(cases)('%s', (_, info, want) => {
    expect(codes(info)).toEqual(want);
  });

  test("the same stand's bridge of another network is not this network", () => {
    const other = { ...ANNA, net: 'dmz' };
    expect(bridgeObstacle(wishes.use, facts(markOf(other)))).toEqual({
      code: 'stand',
      stand: { kind: 'stand', ...other },
    });
  });
});

const GROWN: readonly [code: BridgeObstacle['code'], more: Partial<BridgeInfo>][] = [
  ['ports', { ports: ['eno9'] }],
  ['address', { addresses: ['10.1.0.1/24'] }],
  ['gateway', { gateways: ['10.1.0.254'] }],
  ['below', { above: ['vmbr7'] }],
];

describe('what somebody has made of it', () => {
  test.each(GROWN)('%s: not used, taken over, removed; shared all the same', (code, more) => {
    expect(codes(facts(markOf(ANNA), more))).toMatchObject({ use: code, remove: code });
    expect(codes(facts('', more))).toMatchObject({ 'take over': code, 'remove adopted': code });
    expect(codes(facts(RESERVED, more))).toMatchObject({ share: NOTHING, change: NOTHING });
  });
});

describe('who is on it', () => {
  const cases: readonly [code: BridgeObstacle['code'], guests: Partial<Guests>][] = [
    ['guests-hidden', { hidden: true, naming: [7] }],
    ['guests-unread', { read: false }],
    ['guests', { naming: [7], inSnapshots: [6], unreadable: [8] }],
    ['snapshots', { inSnapshots: [6], unreadable: [8] }],
    ['guests-unreadable', { unreadable: [8] }],
  ];
  test.each(cases)('%s: neither taken over nor removed', (code, more) => {
    const guests = { ...FREE, ...more };
    expect(bridgeObstacle({ to: 'take-over', isLedTo: true, guests }, facts(''))?.code).toBe(code);
    expect(bridgeObstacle({ to: 'remove-adopted', isLedTo: true, guests }, facts(''))?.code).toBe(code);
    expect(bridgeObstacle({ to: 'remove', guests }, facts(markOf(ANNA)))?.code).toBe(code);
  });

  test('without a mark, only one that a network of the lab leads to is a stand’s', () => {
    for (const to of ['take-over', 'remove-adopted'] as const) {
      expect(bridgeObstacle({ to, isLedTo: false, guests: FREE }, facts(''))?.code).toBe('not-led-to');
      expect(bridgeObstacle({ to, isLedTo: BY_OTHERS, guests: FREE }, facts(''))?.code).toBe('led-by-others');
    }
  });

  test('handlers ask about the row alone', () => {
    expect(bridgeObstacle({ to: 'take-over', isLedTo: PLANNED, guests: PLANNED }, facts(''))).toBeUndefined();
    const grown = facts('', { ports: ['eno9'] });
    expect(bridgeObstacle({ to: 'take-over', isLedTo: PLANNED, guests: PLANNED }, grown)?.code).toBe('ports');
  });

  test('those that leave do not count; one that cannot be read may be anywhere on its node', () => {
    const use = (vmid: number, node: string, bridges: string[], snapshotBridges: string[] = []) => ({
      ...{ vmid, node, bridges, snapshotBridges, description: '' },
    });
    const index = indexBridgeGuests({
      bridgeUse: [
        use(9, 'pve1', ['*']),
        use(8, 'pve1', ['vmbr1000', 'vmbr1000']),
        use(7, 'pve2', ['vmbr1000']),
        use(6, 'pve1', ['vmbr1001'], ['vmbr1000', 'vmbr1001', 'vmbr1000']),
      ],
      bridgeUseNodes: ['pve1'],
    });
    const seen = { hidden: false, read: true, naming: [8], inSnapshots: [6], unreadable: [9] };
    expect(index.on('pve1', 'vmbr1000')).toEqual(seen);
    expect(index.on('pve1', 'vmbr1001')).toMatchObject({ naming: [6], inSnapshots: [] });
    expect(index.on('pve1', 'vmbr1000', () => true)).toEqual(FREE);
    expect(index.on('pve2', 'vmbr1000')).toMatchObject({ read: false, naming: [7], unreadable: [] });
    expect(index.users('pve1', 'vmbr1000')).toEqual([6, 8, 9]);
    expect(index.users('pve1', 'vmbr0')).toEqual([9]);
  });
});

/** Told by the words of docs/bridges.md rather than by the rule's own functions. */
test('only a bare bridge of ours, or of the older tool, ever goes or changes hands', () => {
  const infos = fc.record({
    iface: fc.constantFrom('vmbr0', 'vmbr999', 'vmbr1000', 'vmbr4094'),
    comments: fc.constantFrom('', ' ', 'uplink', markOf(ANNA), markOf(BORIS), RESERVED),
    ports: fc.constantFrom([], [], ['eno1']),
    addresses: fc.constantFrom([], [], ['10.0.0.1/8']),
    gateways: fc.constantFrom([], [], ['10.0.0.2']),
    above: fc.constantFrom([], [], ['vmbr7'], ['vmbr1000.5']),
  });
  const knowledge = fc.record({
    hidden: fc.boolean(),
    read: fc.boolean(),
    naming: fc.constantFrom([], [], [100]),
    inSnapshots: fc.constantFrom([], [], [102]),
    unreadable: fc.constantFrom([], [], [101]),
  });
  fc.assert(
    fc.property(infos, knowledge, (more, guests) => {
      const info = bridge(more.iface, more);
      const isBare = [...info.ports, ...info.addresses, ...info.gateways, ...info.above].length === 0;
      const users = [...guests.naming, ...guests.inSnapshots, ...guests.unreadable];
      const isAlone = guests.read && !guests.hidden && users.length === 0;
      const isStands = info.comments.includes('bridge=vmbr1000 lab=') && info.iface === 'vmbr1000';
      const isOld = info.comments.trim() === '' && Number(info.iface.slice(4)) >= 1000;
      const may = (wish: Wish) => bridgeObstacle(wish, info) === undefined;
      expect(may({ to: 'remove', guests })).toBe(isBare && isAlone && isStands);
      expect(may({ to: 'remove-adopted', isLedTo: true, guests })).toBe(isBare && isAlone && isOld);
      expect(may({ to: 'take-over', isLedTo: true, guests })).toBe(isBare && isAlone && isOld);
      expect(may({ to: 'use', stand: ANNA })).toBe(isBare && isStands && info.comments.includes('anna'));
    }),
    runs(300, 5000),
  );
});

test('every obstacle has its words and a way out', () => {
  const all: readonly BridgeObstacle[] = [
    { code: 'number' },
    { code: 'unmarked' },
    { code: 'comment', comment: 'uplink' },
    { code: 'reserved' },
    { code: 'stand', stand: BORIS },
    { code: 'ports', ports: ['eno9', 'eno10'] },
    { code: 'address', addresses: ['10.1.0.1/24'] },
    { code: 'gateway', gateways: ['10.1.0.254'] },
    { code: 'below', above: ['vmbr7', 'vmbr8'] },
    { code: 'guests-hidden' },
    { code: 'guests-unread' },
    { code: 'guests-unreadable', vmids: [7] },
    { code: 'guests', vmids: [7, 8] },
  ];
  const said = all.map(
    (one) => `${obstacleText(one)} → ${obstacleHint(one, { node: 'pve1', iface: 'vmbr1000' })}`,
  );
  expect(said).toEqual([
    'its name is none of a stand (vmbr1000 and above) → choose another bridge',
    "it does not carry our mark → if it is this stand's, write its mark back into the comment of vmbr1000 in pve1 → System → Network",
    'it carries a comment that is not this stand\'s ("uplink") → if it is this stand\'s, empty the comment of vmbr1000 in pve1 → System → Network',
    'it is reserved, shared by all stands → choose another bridge',
    'it belongs to the stand of boris@pve in lab net (hq) → choose another bridge',
    'somebody gave it the port eno9 eno10 → take the port off vmbr1000 in pve1 → System → Network',
    'somebody gave the host the address 10.1.0.1/24 on it → take the address off vmbr1000 in pve1 → System → Network',
    'somebody gave the host the gateway 10.1.0.254 on it → take the gateway off vmbr1000 in pve1 → System → Network',
    'vmbr7, vmbr8 are built on it → take vmbr1000 out of vmbr7, vmbr8 in pve1 → System → Network',
    'guests may be hidden from the caller, who lacks VM.Audit on /vms → give the caller VM.Audit on /vms, with propagation',
    'the guests of the node were not read → see that pve1 is online and all its guests may be read',
    'guest 7 of the node cannot be read and may be on it → see that guest 7 on pve1 can be read',
    "guest 7, 8 names it → bring other guests than the stand's to another bridge than vmbr1000",
  ]);
});
