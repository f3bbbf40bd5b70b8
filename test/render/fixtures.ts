/** Plans and summaries written by hand: two machines, one network alias, one node. */
import type { StandSummary, Summary } from '../../src/lib/outcome/types.ts';
import type { DeployPlan, Plan, PlannedStand } from '../../src/lib/plan/document/plan.ts';
import type { Step, StepOf, StepPayloads } from '../../src/lib/plan/document/step.ts';

type Kind = keyof StepPayloads;

export function step<K extends Kind>(
  kind: K,
  key: string,
  payload: StepPayloads[K],
  more: { readonly reason?: string; readonly user?: string; readonly dependsOn?: readonly string[] } = {},
): StepOf<K> {
  return {
    id: `${kind}:${key}`,
    kind,
    reason: 'missing',
    dependsOn: [],
    after: [],
    ...more,
    ...payload,
  } as unknown as StepOf<K>;
}

export interface StandOptions {
  readonly node?: string;
  readonly memory?: string;
  readonly notes?: readonly string[];
}

/** Stand `index` (from 1): VMs 10001+2(index-1), bridge vmbr1000+(index-1). */
export function newStand(index: number, options: StandOptions = {}): { stand: PlannedStand; steps: Step[] } {
  const name = `student${index}`;
  const user = `${name}@pve`;
  const { node = 'pve1', memory = '2048', notes = [] } = options;
  const eco = 10_001 + 2 * (index - 1);
  const host = eco + 1;
  const bridge = `vmbr${999 + index}`;
  const mark = (machine: string, vmid: number) =>
    `deploy-stand lab=net user=${user} machine=${machine} vmid=${vmid}`;
  const clone = (machine: string, vmid: number) =>
    step(
      'vm.clone',
      `${name}/${machine}`,
      {
        node: 'pve1',
        target: node,
        templateVmid: machine === 'eco' ? 100 : 101,
        vmid,
        name: machine,
        description: mark(machine, vmid),
        full: false,
        pool: name,
        locks: ['shared:ceph'],
      },
      { user, dependsOn: [`pool.update:${name}`] },
    );
  return {
    stand: {
      user,
      pool: name,
      node,
      placement: `fewest stands (${index - 1})`,
      vms: [
        { vmid: eco, name: 'eco', node, state: 'new', power: 'stopped' },
        { vmid: host, name: 'host1', node, state: 'new', power: 'stopped' },
      ],
      bridges: [{ node, iface: bridge, alias: 'hq' }],
      notes,
    },
    steps: [
      step(
        'pool.create',
        name,
        { pool: name, comment: `deploy-stand user=${user}` },
        { user, reason: `pool of ${user}` },
      ),
      step(
        'pool.update',
        name,
        {
          pool: name,
          comment: `deploy-stand user=${user}\nlab=net vms=eco:${eco}?,host1:${host}? since=2026-01-15T09:00:00Z`,
        },
        { user, reason: 'claim 2 VMIDs', dependsOn: [`pool.create:${name}`] },
      ),
      step(
        'bridge.create',
        `${node}/${bridge}`,
        { node, bridge, vlanAware: true, comment: `deploy-stand lab=net user=${user} net=hq` },
        { user, reason: 'network hq' },
      ),
      step(
        'user.create',
        user,
        {
          userid: user,
          comment: 'deploy-stand',
          groups: [],
          firstName: 'Иван',
          lastName: `Петров-${index}`,
          password: 'generate',
        },
        { user },
      ),
      clone('eco', eco),
      clone('host1', host),
      step(
        'vm.configure',
        `${name}/eco`,
        {
          node,
          vmid: eco,
          pool: name,
          description: `${mark('eco', eco)} spec=abc`,
          nics: [
            { index: 0, model: 'vmxnet3', bridge: 'vmbr0', linkDown: true },
            { index: 1, model: 'vmxnet3', bridge, mac: '1C:87:76:40:00:01' },
          ],
          options: { onboot: '0' },
          tags: ['deploy-stand', 'lab-net'],
          remove: [],
        },
        { user, reason: 'not configured', dependsOn: [`vm.clone:${name}/eco`] },
      ),
      step(
        'vm.configure',
        `${name}/host1`,
        {
          node,
          vmid: host,
          pool: name,
          description: `${mark('host1', host)} spec=abc`,
          nics: [{ index: 0, model: 'virtio', bridge, tag: 100, firewall: true }],
          options: { cores: '2', memory, onboot: '0' },
          tags: ['deploy-stand', 'lab-net'],
          remove: [],
          secret: { machine: 'host1' },
        },
        { user, reason: 'not configured', dependsOn: [`vm.clone:${name}/host1`] },
      ),
      step(
        'pool.join',
        name,
        {
          pool: name,
          lab: 'net',
          machines: [
            { machine: 'eco', vmid: eco, madeBy: `vm.configure:${name}/eco` },
            { machine: 'host1', vmid: host, madeBy: `vm.configure:${name}/host1` },
          ],
        },
        { user, reason: 'what is finished becomes part of the stand', dependsOn: [`pool.update:${name}`] },
      ),
      step(
        'acl.grant',
        name,
        { path: `/pool/${name}`, role: 'PVEVMAdmin', userid: user, propagate: true },
        { user, reason: 'access', dependsOn: [`vm.configure:${name}/eco`, `vm.configure:${name}/host1`] },
      ),
      step(
        'vm.start',
        `${name}/eco`,
        { node, vmid: eco, pool: name },
        { user, reason: 'the lab wants it running', dependsOn: [`vm.configure:${name}/eco`] },
      ),
    ],
  };
}

export function completeStand(index: number, notes: readonly string[] = []): PlannedStand {
  const { stand } = newStand(index, { notes });
  return {
    ...stand,
    placement: 'already there',
    vms: stand.vms.map((vm) => ({ ...vm, state: 'complete', power: 'running' })),
  };
}

export function refusedStand(index: number): PlannedStand {
  return {
    user: `student${index}@pve`,
    pool: `student${index}`,
    vms: [],
    bridges: [],
    notes: [],
    refused: {
      code: 'POOL_FOREIGN',
      message: `pool student${index} exists and is not ours`,
      hint: 'use it with --adopt, or name another pool in users.yml',
    },
  };
}

export function reload(bridges: readonly string[], node = 'pve1'): Step {
  return step(
    'network.reload',
    node,
    { node, bridges },
    { reason: `bring up ${bridges.length} staged bridges` },
  );
}

export function plan<P extends Plan = DeployPlan>(
  stands: readonly (PlannedStand | { stand: PlannedStand; steps: readonly Step[] })[],
  more: Partial<P> = {},
  shared: readonly Step[] = [],
): P {
  const parts = stands.map((entry) => ('stand' in entry ? entry : { stand: entry, steps: [] }));
  return {
    version: 2,
    command: 'deploy',
    lab: 'net',
    strategy: 'balanced',
    since: '2026-01-15T09:00:00Z',
    files: { lab: 'a'.repeat(64), users: 'b'.repeat(64) },
    steps: [...shared, ...parts.flatMap((part) => part.steps)],
    stands: parts.map((part) => part.stand),
    warnings: [],
    ...more,
  } as unknown as P;
}

export function standSummary(index: number, more: Partial<StandSummary> = {}): StandSummary {
  const { stand } = newStand(index);
  return {
    user: stand.user,
    pool: stand.pool,
    node: 'pve1',
    status: 'complete',
    vms: stand.vms.map(({ vmid, name, node }) => ({ vmid, name, node, status: 'running' })),
    bridges: stand.bridges,
    notes: [],
    ...more,
  };
}

export function summary(stands: readonly StandSummary[], more: Partial<Summary> = {}): Summary {
  return { status: 'done', steps: { done: 20, failed: 0, skipped: 0 }, stands, ...more };
}

const ANSI = /\u001b\[[0-9;]*m/g;

export function stripColor(text: string): string {
  return text.replace(ANSI, '');
}
