import { expect, test } from 'vitest';
import type { BridgeInfo, NodeNetwork } from '../../../src/lib/inventory/types.ts';
import { indexBridgeGuests } from '../../../src/lib/plan/cluster/bridge-guests.ts';
import {
  applyRemovals,
  isYoung,
  planRemovals,
  stayingText,
  type Leaving,
} from '../../../src/lib/plan/network/removal.ts';
import { bridge } from '../builders.ts';

const MARK = 'deploy-stand bridge=vmbr1000 lab=net user=anna@pve net=hq since=2026-11-01T00:00:00Z';
const FOREIGN = { iface: 'vmbr7', change: 'added', text: '+auto vmbr7', ours: false } as const;
const OURS = { iface: 'vmbr1001', change: 'removed', text: '-iface vmbr1001', ours: true } as const;

function network(more: Partial<NodeNetwork> = {}): NodeNetwork {
  return { node: 'pve1', readable: true, bridges: [], pending: [], ...more };
}

function info(more: Partial<BridgeInfo> = {}): BridgeInfo {
  return bridge('vmbr1000', { ports: [], comments: MARK, ...more });
}

/** Guest 500 is on vmbr1000 of pve1, where all are known. */
const use = [{ vmid: 500, node: 'pve1', bridges: ['vmbr1000'], snapshotBridges: [] }];

function judge(more: Partial<Leaving>, of: { network?: NodeNetwork; isUsed?: boolean } = {}) {
  const one = { node: 'pve1', info: info(), user: 'anna@pve', reason: 'test', ...more };
  const bridgeGuests = indexBridgeGuests({
    bridgeUse: of.isUsed === true ? use : [],
    bridgeUseNodes: ['pve1'],
  });
  const { steps, going, staying } = planRemovals([one], {
    networks: [of.network ?? network()],
    bridgeGuests,
  });
  expect(going).toEqual(steps.length === 0 ? [] : [one]);
  const [first] = staying;
  return first ? stayingText(first.why) : steps.map(({ id }) => id);
}

const staged = network({ pending: [FOREIGN] });
const grown = info({ ports: ['eno1'] });
const sparedBy = () => 'the story needs it';

test('a network of which nothing is left goes, after its machines', () => {
  expect(judge({})).toEqual(['bridge.delete:pve1/vmbr1000']);
  expect(judge({ leaves: (vmid) => vmid === 500 }, { isUsed: true })).toEqual([
    'bridge.delete:pve1/vmbr1000',
  ]);
});

test.each([
  ['guest 500 names it', {}, { isUsed: true }],
  ['the network of the node cannot be read', { info: grown }, { network: network({ readable: false }) }],
  ['the network of the node cannot be read', { node: 'pve2' }, {}],
  // What somebody made of it comes before what the story says, and that before what others have staged.
  ['somebody gave it the port eno1', { info: grown, sparedBy }, { network: staged }],
  ['the story needs it', { sparedBy }, { network: staged }],
  ['network changes that are not ours are staged there', {}, { network: staged }],
  ['it does not carry our mark', { info: info({ comments: '' }) }, {}],
  [
    'it carries no mark, and no network of the lab leads to it',
    { info: info({ comments: '' }), isLedTo: false },
    {},
  ],
] as const)('one stays: %s', (why, more, of) => {
  expect(judge(more, of)).toBe(why);
});

test('what an earlier run staged goes with the rest, where nobody else has staged anything', () => {
  const networks = [
    network({ pending: [OURS] }),
    network({ node: 'pve2', pending: [OURS, FOREIGN] }),
    network({ node: 'pve3', pending: [OURS] }),
  ];
  const apply = (takesRest?: (node: string) => boolean) =>
    applyRemovals([], networks, () => ({ reason: 'test' }), takesRest).map(({ node, gone }) => [node, gone]);
  expect(apply()).toEqual([
    ['pve1', ['vmbr1001']],
    ['pve3', ['vmbr1001']],
  ]);
  expect(apply((node) => node !== 'pve1')).toEqual([['pve3', ['vmbr1001']]]);
});

test.each([
  ['2026-11-01T00:59:59Z', true],
  ['2026-11-01T01:00:00Z', false],
])('made at midnight: young at %s? %s', (now, young) => {
  expect(isYoung(info(), now, 3600)).toBe(young);
});

test('of what tells no time nobody knows that it is old', () => {
  expect(isYoung(info({ comments: 'by hand' }), '2026-11-01T00:00:00Z', 0)).toBe(true);
});
