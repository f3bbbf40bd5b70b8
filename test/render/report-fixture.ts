/** Reports and plans for pages, of any size and with any names. */
import type { DeployPlan } from '../../src/lib/plan/document/plan.ts';
import { viewReport } from '../../src/lib/plan/views/report.ts';
import type { ClassReport, TemplateVersion } from '../../src/lib/plan/views/report-types.ts';
import type {
  MachineStatus,
  Problem,
  StandStatus,
  StatusReport,
} from '../../src/lib/plan/views/status-types.ts';
import type { Topology } from '../../src/lib/plan/views/topology-types.ts';
import { renderPlanHtml } from '../../src/lib/render/plan-html.ts';

const GIB = 1024 ** 3;

/** `name`: put in wherever a name of somebody else's choice can stand. */
export function topologyNamed(name: string): Topology {
  return {
    lab: name,
    machines: [{ name: `${name}m`, device: 'linux', template: name }],
    networks: [{ name: `${name}n`, kind: 'own', vlans: [10] }],
    links: [
      { machine: `${name}m`, network: `${name}n`, nic: 'net0', vlan: 10, trunks: [name], isDown: true },
    ],
  };
}

function machine(name: string, vmid: number, at: number): MachineStatus {
  const isUp = at % 7 !== 0;
  return {
    ...{ vmid, machine: name, node: `pve${(at % 3) + 1}`, state: isUp ? 'running' : 'stopped' },
    ...{ verdict: 'ours', lock: null, uptime: isUp ? at * 60 : null, cpu: isUp ? (at % 100) / 100 : null },
    ...{ cpus: 2, memory: isUp ? GIB : null, memoryTotal: 2 * GIB, addresses: isUp ? ['192.0.2.7'] : null },
    snapshots: [{ name: 'baseline', time: '2026-09-01T08:00:00.000Z', vmstate: false, isBaseline: true }],
  };
}

function stand(user: string, at: number, machines: number, problems: number): StandStatus {
  const list = Array.from({ length: machines }, (_, index) =>
    machine(`host${index + 1}`, 10_000 + at * machines + index, at + index),
  );
  return {
    ...{ user, lab: 'net', pool: user.replace(/@[^@]*$/, ''), nodes: [`pve${(at % 3) + 1}`], machines: list },
    ...{ running: list.filter(({ state }) => state === 'running').length, uptime: at * 60, cpu: 0.25 },
    ...{ memory: 0.5, expires: at % 2 === 0 ? '2026-12-24' : null, access: 'open', frozen: null },
    ...{ since: '2026-09-01T08:00:00Z', problems },
  };
}

function statusOf(
  users: readonly string[],
  machines: number,
  more: Partial<StatusReport> = {},
): StatusReport {
  const problems: Problem[] = users
    .filter((_, at) => at % 10 === 3)
    .map((user) => ({ kind: 'machine-missing', user, lab: 'net', machine: 'host1', vmid: 10_001 }));
  const bad = new Set(problems.map(({ user }) => user));
  return {
    now: '2026-09-01T09:30:15.000Z',
    labs: [{ lab: 'net', stands: users.map((user, at) => stand(user, at, machines, bad.has(user) ? 1 : 0)) }],
    without: [],
    problems,
    nodes: ['pve1', 'pve2', 'pve3'].map((node) => ({
      ...{ node, online: node !== 'pve3', maintenance: false, cpus: 32, cpu: 0.4 },
      ...{ memoryTotal: 128 * GIB, memoryUsed: 118 * GIB },
    })),
    notes: [],
    ...more,
  };
}

export const usersOf = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `student${at + 1}@pve`);

export function reportOf(
  users: readonly string[],
  machines = 3,
  more: Partial<StatusReport> = {},
): ClassReport {
  return viewReport(statusOf(users, machines, more), topologyNamed('lan'));
}

/** One that has changed since some were made from it. */
export function templatesNamed(name: string): TemplateVersion[] {
  const one = { user: `${name}@pve`, machine: name, vmid: 10_001 };
  const made = '2026-08-01T08:00:00.000Z';
  return [
    {
      ...{ name, machines: [name], current: 2, outdated: [one], untold: [{ ...one, vmid: 10_002 }] },
      originals: [{ vmid: 101, node: name, made, notes: name, version: 'a1b2c3d4e5f6' }],
      copies: [true, false].map((isCurrent) => ({ vmid: 901, node: name, made, isCurrent })),
    },
  ];
}

/** Every name in it is the one given. */
export function reportNamed(name: string): ClassReport {
  const status = statusOf([`${name}@pve`, 'b@pve', 'c@pve', `${name}4@pve`], 1);
  const [lab] = status.labs;
  const hostile: StatusReport = {
    ...status,
    labs: [
      {
        lab: name,
        stands: (lab?.stands ?? []).map((one) => ({
          ...{ ...one, lab: name, pool: name, nodes: [name], expires: name },
          machines: one.machines.map((of) => ({
            ...{ ...of, machine: name, node: name, addresses: [name] },
            snapshots: [{ name, time: null, vmstate: false, isBaseline: false }],
          })),
        })),
      },
    ],
    without: [name],
    problems: [
      { kind: 'task-failed', user: name, lab: name, machine: name, vmid: 1, node: name, detail: name },
      { kind: 'storage-full', storage: name, node: name, detail: name },
      { kind: 'bridge-missing', user: name, lab: name, node: name, detail: name },
      { kind: 'user-disabled', user: name, lab: name },
      { kind: 'lock-without-task', user: name, lab: name, machine: name, vmid: 1, node: name, detail: name },
    ],
    nodes: status.nodes.map((node) => ({ ...node, node: name })),
    notes: [{ kind: 'template-unread', machines: [name] }],
  };
  return viewReport(hostile, topologyNamed(name), { templates: templatesNamed(name), notes: [] });
}

function planNamed(name: string): DeployPlan {
  // The lines of a hint are lines of the page.
  const refused = { code: 'NODE_FULL', message: name, hint: name.replaceAll('\n', ' ') };
  return {
    ...{ version: 2, command: 'deploy', strategy: 'balanced', lab: name, warnings: [name] },
    steps: [
      {
        id: 'a',
        kind: 'network.reload',
        node: name,
        bridges: [name],
        gone: [],
        dependsOn: [],
        after: [],
        reason: name,
      },
    ],
    stands: [1, 2].map((vmid) => ({
      ...{ user: name, pool: name, node: name, placement: name, notes: [name] },
      vms: [{ vmid, name, node: name, state: 'new' as const, power: 'stopped' }],
      bridges: [{ node: name, iface: name, alias: name }],
      ...(vmid === 1 ? { refused } : {}),
    })),
  };
}

const load = { online: true, cpus: 8, memoryTotal: 100, memoryBefore: 10, memoryAfter: 99, newMachines: 2 };

export const planPage = (name: string): string =>
  renderPlanHtml({
    plan: planNamed(name),
    loads: [{ node: name, ...load, newCpus: 4 }],
    topology: topologyNamed(name),
  });

export const HOSTILE = [
  '</td></tr></table><script>window.hacked=1</script>',
  '<img src=x onerror="window.hacked=1">',
  '<svg onload=window.hacked=1>',
  '"><b onclick="window.hacked=1">',
  "' style='position:fixed",
  '</title></style></script><script>window.hacked=1</script>',
  '\u202Egnp.exe\u2066',
  '&lt;script&gt;',
  '`</code><script>window.hacked=1</script>`',
  'javascript:window.hacked=1',
  '-->\n<!--',
];
