/** The calls of balance: what is asked, what comes back, and what differs between versions. */
import nock from 'nock';
import { describe, expect, test } from 'vitest';
import type { PveClient } from '../../src/lib/proxmox/client.ts';
import { BALANCE_METHODS } from './balance-methods.ts';
import { client, ORIGIN } from './support.ts';
import { useNock } from './use-nock.ts';

useNock();

const BASE = '/api2/json';
const UPID = 'UPID:pve1:0000A1B2:00C3D4E5:66000000:qmigrate:101:lab@pve!ci:';

interface Exchange {
  readonly asks: `${'GET' | 'POST'} ${string}`;
  /** The form body. */
  readonly form?: string;
  readonly status?: number;
  readonly answer: unknown;
}

interface Case {
  readonly name: string;
  readonly call: (pve: PveClient) => Promise<unknown>;
  readonly exchanges: readonly Exchange[];
  readonly gives: unknown;
}

const release = (version: string): Exchange => ({
  asks: 'GET /version',
  answer: { data: { version: `${version}.1`, release: version } },
});

function expectAll(exchanges: readonly Exchange[]): void {
  for (const { asks, form = '', status = 200, answer } of exchanges) {
    const [method = '', path = ''] = asks.split(' ');
    nock(ORIGIN)
      .intercept(BASE + path, method)
      .reply(function (_uri, body) {
        const sent = typeof body === 'string' ? body : JSON.stringify(body);
        return sent === form ? [status, answer as nock.Body] : [400, { message: `form was ${sent}` }];
      });
  }
}

const move = {
  node: 'pve1',
  vmid: 101,
  target: 'pve2',
  online: true,
  withLocalDisks: true,
  conntrack: true,
} as const;

const HISTORY = '/rrddata?timeframe=hour&cf=AVERAGE';

const cases: readonly Case[] = [
  {
    name: 'nodeHistory: pressure comes in percent, and points may lack values',
    call: (pve) => pve.nodeHistory('pve1', 'hour'),
    exchanges: [
      {
        asks: `GET /nodes/pve1${HISTORY}`,
        answer: {
          data: [
            { time: 60, cpu: 0.5, memused: 10, loadavg: '1.5', pressurecpusome: 12.5, pressurememorysome: 0 },
            { time: 120 },
          ],
        },
      },
    ],
    gives: [
      { time: 60, cpu: 0.5, memory: 10, loadavg: 1.5, cpuPressure: 0.125, memoryPressure: 0 },
      { time: 120 },
    ],
  },
  {
    name: 'guestHistory: what it takes of the host, where PVE tells',
    call: (pve) => pve.guestHistory({ node: 'pve1', vmid: 101, type: 'lxc' }, 'hour'),
    exchanges: [
      {
        asks: `GET /nodes/pve1/lxc/101${HISTORY}`,
        answer: {
          data: [
            { time: 60, cpu: 0.5, mem: 10, memhost: 12 },
            { time: 120, mem: 9 },
          ],
        },
      },
    ],
    gives: [
      { time: 60, cpu: 0.5, memory: 12 },
      { time: 120, memory: 9 },
    ],
  },
  {
    name: 'nodeStatus',
    call: (pve) => pve.nodeStatus('pve1'),
    exchanges: [
      {
        asks: 'GET /nodes/pve1/status',
        answer: {
          data: {
            cpuinfo: { model: 'EPYC', flags: 'fpu aes', hvm: '' },
            pveversion: 'pve-manager/8.4.5/0123',
          },
        },
      },
    ],
    gives: { cpuModel: 'EPYC', cpuFlags: ['fpu', 'aes'], hasKvm: false, pveVersion: '8.4.5' },
  },
  {
    name: 'metricsSince',
    call: (pve) => pve.metricsSince(1000),
    exchanges: [
      release('8.3'),
      {
        asks: 'GET /cluster/metrics/export?history=1&start-time=1000',
        answer: {
          data: {
            data: [
              { id: 'qemu/101', metric: 'cpu_current', timestamp: 1010, type: 'gauge', value: 0.5 },
              { id: 'qemu/101', metric: 'x', timestamp: 1010, type: 'gauge', value: null },
              { id: 'qemu/102', metric: 'cpu_current', timestamp: 1010, type: 'gauge', value: 'nan' },
            ],
          },
        },
      },
    ],
    gives: [{ id: 'qemu/101', metric: 'cpu_current', value: 0.5 }],
  },
  {
    name: 'metricsSince before 8.3',
    call: (pve) => pve.metricsSince(1000),
    exchanges: [release('8.2')],
    gives: undefined,
  },
  {
    name: 'crsOptions as an object',
    call: (pve) => pve.crsOptions(),
    exchanges: [
      { asks: 'GET /cluster/options', answer: { data: { crs: { ha: 'dynamic', 'ha-auto-rebalance': 1 } } } },
    ],
    gives: { ha: 'dynamic', 'ha-auto-rebalance': '1' },
  },
  {
    name: 'crsOptions as text',
    call: (pve) => pve.crsOptions(),
    exchanges: [{ asks: 'GET /cluster/options', answer: { data: { crs: 'ha=static' } } }],
    gives: { ha: 'static' },
  },
  {
    name: 'haRules up to 8: groups, and who is in them',
    call: (pve) => pve.haRules(),
    exchanges: [
      release('8.4'),
      {
        asks: 'GET /cluster/ha/groups',
        answer: { data: [{ group: 'g', nodes: 'pve1:2,pve2', restricted: 1 }] },
      },
      {
        asks: 'GET /cluster/ha/resources',
        answer: { data: [{ sid: 'vm:101', group: 'g' }, { sid: 'vm:102' }] },
      },
    ],
    gives: [
      { name: 'g', kind: 'node-affinity', resources: ['vm:101'], nodes: ['pve1', 'pve2'], strict: true },
    ],
  },
  {
    name: 'haRules of 9, without those that are switched off',
    call: (pve) => pve.haRules(),
    exchanges: [
      release('9.2'),
      {
        asks: 'GET /cluster/ha/rules',
        answer: {
          data: [
            { rule: 'a', type: 'resource-affinity', resources: 'vm:101,ct:102', affinity: 'negative' },
            { rule: 'b', type: 'node-affinity', resources: 'vm:103', nodes: 'pve1', strict: 1 },
            { rule: 'c', type: 'node-affinity', resources: 'vm:103', nodes: 'pve2', disable: 1 },
          ],
        },
      },
    ],
    gives: [
      {
        name: 'a',
        kind: 'resource-affinity',
        resources: ['vm:101', 'ct:102'],
        nodes: [],
        strict: false,
        affinity: 'negative',
      },
      { name: 'b', kind: 'node-affinity', resources: ['vm:103'], nodes: ['pve1'], strict: true },
    ],
  },
  {
    name: 'vnetZones',
    call: (pve) => pve.vnetZones(),
    exchanges: [
      {
        asks: 'GET /cluster/sdn/vnets?pending=1',
        answer: {
          data: [
            // As applied; what is staged does not count yet.
            { vnet: 'v1', zone: 'z', vlanaware: 1, state: 'changed', pending: { vlanaware: 'deleted' } },
            { vnet: 'v2', zone: '?' },
            { vnet: 'v3', zone: 'z', state: 'deleted', pending: {} },
            { vnet: 'v4', type: 'vnet', state: 'new', pending: { zone: 'y', vlanaware: 1 } },
          ],
        },
      },
      {
        asks: 'GET /cluster/sdn/zones?pending=1',
        answer: {
          data: [
            { zone: 'z', type: 'simple', nodes: 'pve1', mtu: 9000, state: 'changed', pending: { mtu: 1400 } },
            { zone: 'y', type: 'vxlan', state: 'new', pending: { nodes: 'pve2,pve3' } },
          ],
        },
      },
    ],
    gives: [
      { vnet: 'v1', zone: 'z', vlanAware: true, zoneType: 'simple', mtu: 9000, nodes: ['pve1'] },
      { vnet: 'v2', zone: '?' },
      {
        ...{ vnet: 'v4', zone: 'y', isStaged: true, vlanAware: true, zoneType: 'vxlan' },
        nodes: ['pve2', 'pve3'],
      },
    ],
  },
  {
    name: 'vnetStates',
    call: (pve) => pve.vnetStates('pve1', 'z'),
    exchanges: [
      {
        asks: 'GET /nodes/pve1/sdn/zones/z/content',
        answer: { data: [{ vnet: 'v1', status: 'error', statusmsg: 'missing v1' }, { vnet: 'v2' }] },
      },
    ],
    gives: [
      { vnet: 'v1', status: 'error' },
      { vnet: 'v2', status: '' },
    ],
  },
  {
    name: 'runningMachine',
    call: (pve) => pve.runningMachine({ node: 'pve1', vmid: 101 }),
    exchanges: [
      {
        asks: 'GET /nodes/pve1/qemu/101/status/current',
        answer: {
          data: { status: 'running', 'running-machine': 'pc-i440fx-9.2+pve1', 'running-qemu': '9.2.0' },
        },
      },
    ],
    gives: { machine: 'pc-i440fx-9.2+pve1', qemu: '9.2.0' },
  },
  {
    name: 'migrateProblems: storages that are mapped need not be there',
    call: (pve) => pve.migrateProblems({ ...move, mapped: ['ssd1'] }),
    exchanges: [
      {
        asks: 'GET /nodes/pve1/qemu/101/migrate?target=pve2',
        answer: {
          data: {
            running: 1,
            not_allowed_nodes: { pve2: { unavailable_storages: ['ssd1', 'zfs'], other: ['ssd1'] } },
          },
        },
      },
    ],
    gives: { runs: true, problems: ['unavailable storages: zfs', 'other: ssd1'] },
  },
  {
    name: 'migrateProblems: of this target only, in the words of PVE',
    call: (pve) => pve.migrateProblems(move),
    exchanges: [
      {
        asks: 'GET /nodes/pve1/qemu/101/migrate?target=pve2',
        answer: {
          data: {
            local_resources: ['hostpci0'],
            not_allowed_nodes: {
              pve2: {
                unavailable_storages: ['zfs'],
                'blocking-ha-resources': [{ sid: 'vm:5', cause: 'node-affinity' }],
              },
              pve3: { unavailable_storages: ['x'] },
            },
          },
        },
      },
    ],
    gives: {
      runs: false,
      problems: ['local devices: hostpci0', 'unavailable storages: zfs', 'blocking ha resources: vm:5'],
    },
  },
  {
    name: 'migrateVm on 9',
    call: (pve) => pve.migrateVm({ ...move, bandwidth: 1024 }),
    exchanges: [
      release('9.0'),
      {
        asks: 'POST /nodes/pve1/qemu/101/migrate',
        form: 'target=pve2&online=1&with-local-disks=1&bwlimit=1024&with-conntrack-state=1',
        answer: { data: UPID },
      },
    ],
    gives: UPID,
  },
  {
    name: 'migrateVm of a stopped VM, onto another storage',
    call: (pve) => pve.migrateVm({ node: 'pve1', vmid: 101, target: 'pve2', targetStorage: 'ssd2' }),
    exchanges: [
      {
        asks: 'POST /nodes/pve1/qemu/101/migrate',
        form: 'target=pve2&targetstorage=ssd2',
        answer: { data: UPID },
      },
    ],
    gives: UPID,
  },
  {
    name: 'migrateVm onto storages of other names, in pairs',
    call: (pve) =>
      pve.migrateVm({
        ...{ node: 'pve1', vmid: 101, target: 'pve2' },
        targetStorage: { ssd1: 'ssd2', zfs1: 'zfs2' },
      }),
    exchanges: [
      {
        asks: 'POST /nodes/pve1/qemu/101/migrate',
        form: 'target=pve2&targetstorage=ssd1%3Assd2%2Czfs1%3Azfs2',
        answer: { data: UPID },
      },
    ],
    gives: UPID,
  },
  {
    name: 'migrateContainer that runs, with a limit',
    call: (pve) =>
      pve.migrateContainer({
        ...{ node: 'pve1', vmid: 101, target: 'pve2', restart: true, bandwidth: 1024 },
        targetStorage: { ssd1: 'ssd2' },
      }),
    exchanges: [
      {
        asks: 'POST /nodes/pve1/lxc/101/migrate',
        form: 'target=pve2&target-storage=ssd1%3Assd2&restart=1&bwlimit=1024',
        answer: { data: UPID },
      },
    ],
    gives: UPID,
  },
  {
    name: 'migrateVm on 8, which refuses what it does not know',
    call: (pve) => pve.migrateVm(move),
    exchanges: [
      release('8.4'),
      {
        asks: 'POST /nodes/pve1/qemu/101/migrate',
        form: 'target=pve2&online=1&with-local-disks=1',
        answer: { data: UPID },
      },
    ],
    gives: UPID,
  },
];

describe('balance', () => {
  test.each(cases)('$name', async ({ call, exchanges, gives }) => {
    expectAll(exchanges);
    expect(await call(client())).toEqual(gives);
  });

  test('every method is covered', () => {
    const called = new Set(cases.map(({ call }) => /pve\.(\w+)/.exec(String(call))?.[1] ?? ''));
    expect([...BALANCE_METHODS].filter((name) => !called.has(name))).toEqual([]);
  });
});
