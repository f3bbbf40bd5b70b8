/** Asks every GET endpoint that the simulator has, on a cluster where each list has rows, and keeps the answers. */
import { contractOf } from '../../src/lib/simulator/contract/contract.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import { cleanUp } from '../cleanups.ts';
import { start, type Caller, type Form, type Reply } from '../simulator/harness.ts';

const guests: NonNullable<Scenario['guests']> = [
  {
    vmid: 300,
    name: 'web',
    node: 'pve1',
    pool: 'infra',
    ha: true,
    config: { agent: '1' },
    agent: { commands: [{}] },
    tags: 'a',
  },
  { vmid: 301, name: 'box', node: 'pve1', type: 'lxc', storage: 'ceph', snapshots: ['one'] },
  { vmid: 302, name: 'next', node: 'pve2' },
  { vmid: 303, name: 'local', node: 'pve1', storage: 'local-lvm', running: false },
];

function richScenario(version: Version): Partial<Scenario> {
  const group = { group: 'first', nodes: ['pve1'], vmids: [300] };
  const rule = { rule: 'first', type: 'node-affinity' as const, vmids: [300], nodes: ['pve1'] };
  return {
    version,
    guests,
    roles: { Own: ['VM.Audit'] },
    sdn: {
      zones: [{ zone: 'lab', type: 'simple' }],
      vnets: [{ vnet: 'net1', zone: 'lab', alias: 'one' }],
    },
    mappings: (['pci', 'usb', 'dir'] as const).map((kind) => ({ kind, id: kind, nodes: ['pve1'] })),
    ha: version === '9.2' ? { rules: [rule] } : { groups: [group] },
  };
}

/** What stands in the variables of paths, and what some endpoints have to be asked with. */
const variables: Readonly<Record<string, string>> = {
  node: 'pve1',
  vmid: '300',
  snapname: 'one',
  storage: 'ceph',
  iface: 'vmbr0',
  poolid: 'infra',
  userid: 'teacher@pve',
  groupid: 'teachers',
  roleid: 'Own',
  realm: 'pve',
  sid: 'vm:300',
  group: 'first',
  rule: 'first',
  zone: 'lab',
  vnet: 'net1',
  tokenid: 'nightly',
};

const special: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'GET /nodes/{node}/qemu/{vmid}/migrate': { vmid: '303' },
  'GET /access/users/{userid}/token': { userid: 'backup@pve' },
  'GET /access/users/{userid}/token/{tokenid}': { userid: 'backup@pve' },
};

const questions: Readonly<Record<string, Form>> = {
  'GET /nodes/{node}/qemu/{vmid}/feature': { feature: 'snapshot' },
};

async function prepare(root: Caller): Promise<Readonly<Record<string, string>>> {
  const upid = (await root.ok('POST', '/nodes/pve1/qemu/300/snapshot', {
    snapname: 'one',
    description: 'before the class',
    vmstate: 1,
  })) as string;
  await root.ended(upid);
  await root.ok('PUT', '/nodes/pve1/qemu/300/config', { memory: 4096 });

  const { pid } = (await root.ok('POST', '/nodes/pve1/qemu/300/agent/exec', { command: 'true' })) as {
    pid: number;
  };
  return { upid, pid: String(pid) };
}

const container = { vmid: '301' };
const isContainer = (path: string): boolean => path.startsWith('/nodes/{node}/lxc/');

export async function recordAnswers(version: Version): Promise<ReadonlyMap<string, Reply>> {
  const { root } = await start(richScenario(version));
  const known = { ...variables, ...(await prepare(root)) };
  const answers = new Map<string, Reply>();
  for (const [key, { method, path, params }] of contractOf(version).endpoints) {
    if (method !== 'GET') continue;
    const values: Readonly<Record<string, string>> = {
      ...known,
      ...(isContainer(path) ? container : {}),
      ...special[key],
    };
    const concrete = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(values[name] ?? `unknown-${name}`),
    );
    const timeframe = params.has('timeframe') ? { timeframe: 'hour' } : {};
    const pid = params.has('pid') ? { pid: values['pid'] ?? '' } : {};
    answers.set(key, await root.get(concrete, { ...timeframe, ...pid, ...questions[key] }));
  }
  await cleanUp();
  return answers;
}
