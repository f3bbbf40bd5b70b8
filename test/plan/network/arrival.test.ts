import { expect, test } from 'vitest';
import type { BridgeInfo, NodeNetwork } from '../../../src/lib/inventory/types.ts';
import { indexHosts } from '../../../src/lib/plan/cluster/hosts.ts';
import { arrivalObstacle, planArrival } from '../../../src/lib/plan/network/arrival.ts';
import { bridge } from '../builders.ts';

const ANNA = { lab: 'net', user: 'anna@pve' };
const markOf = (user: string) =>
  `deploy-stand bridge=vmbr1000 lab=net user=${user} net=hq since=2026-11-01T00:00:00Z`;
const own = bridge('vmbr1000', { ports: [], comments: markOf('anna@pve') });
const RELOAD = 'network.reload:pve2';
const PENDING = { iface: 'vmbr1000', change: 'added', text: '', ours: true } as const;

interface There {
  readonly bridge?: BridgeInfo;
  readonly isStaged?: boolean;
  readonly isVnet?: boolean;
  readonly vlanAware?: boolean;
}

function arrive({ bridge: there, isStaged = false, isVnet = false, vlanAware = false }: There) {
  const network: NodeNetwork = {
    node: 'pve2',
    readable: true,
    bridges: there ? [there] : [],
    pending: isStaged ? [PENDING] : [],
  };
  const zones = isVnet ? [{ vnet: 'vmbr1000', zone: 'z', zoneType: 'simple' }] : [];
  const hosts = indexHosts({ version: '9.0', nodes: [], storages: [], networks: [network], zones });
  const row = { ...ANNA, net: 'hq', node: 'pve1', info: { ...own, vlanAware } };
  const coming = { to: 'pve2', stand: ANNA, own: [500], now: '2026-11-02T00:00:00.123Z' };
  const { edit, waits } = planArrival(row, coming, hosts);
  return { obstacle: arrivalObstacle(row, 'pve2', ANNA, hosts), edit: edit?.kind, waits };
}

test.each<[string, There, ReturnType<typeof arrive>]>([
  [
    'it is made where it is missing',
    {},
    { obstacle: undefined, edit: 'bridge.create', waits: ['bridge.create:pve2/vmbr1000', RELOAD] },
  ],
  ['it is used where it is up', { bridge: own }, { obstacle: undefined, edit: undefined, waits: [] }],
  [
    'a change of it waits',
    { bridge: own, isStaged: true },
    { obstacle: undefined, edit: undefined, waits: [RELOAD] },
  ],
  [
    'it is down',
    { bridge: { ...own, active: false } },
    { obstacle: undefined, edit: undefined, waits: [RELOAD] },
  ],
  [
    'it comes with VLANs',
    { bridge: own, vlanAware: true },
    { obstacle: undefined, edit: 'bridge.update', waits: ['bridge.update:pve2/vmbr1000', RELOAD] },
  ],
])('%s', (_, there, expected) => {
  expect(arrive(there)).toEqual(expected);
});

test.each<[string, There]>([
  ['vmbr1000 is a vnet there', { isVnet: true }],
  [
    'vmbr1000 there cannot be used: it belongs to the stand of boris@pve in lab net (hq)',
    { bridge: { ...own, comments: markOf('boris@pve') } },
  ],
])('it cannot come: %s', (why, there) => {
  expect(arrive(there).obstacle).toBe(why);
});
