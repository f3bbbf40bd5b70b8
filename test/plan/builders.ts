/** Small want/have builders for planner tests: literals in, plain data out. */
import type { Lab, Machine, Network, User } from '../../src/lib/config/types.ts';
import type { BridgeInfo, GuestInfo, Inventory, VmConfig } from '../../src/lib/inventory/types.ts';
import {
  formatPoolComment,
  makeClaim,
  mapMachines,
  parsePoolComment,
  sealComment,
  type Claim,
  type ClaimedMachine,
} from '../../src/lib/marks/pool.ts';
import { sealHash } from '../../src/lib/marks/seal.ts';
import { formatVmMark, withSeal } from '../../src/lib/marks/vm.ts';
import { specOf } from '../../src/lib/plan/stands/spec.ts';
import type { DeployOptions } from '../../src/lib/plan/deploy/context.ts';
import { planDeploy } from '../../src/lib/plan/deploy/deploy.ts';
import type { DeployPlan, Plan } from '../../src/lib/plan/document/plan.ts';
import type { StepOf } from '../../src/lib/plan/document/step.ts';

const NOW = '2026-11-21T08:00:00.000Z';

export function alias(name: string, more: Partial<Network> = {}): Network {
  return { target: { kind: 'alias', alias: name }, ...more };
}

export function real(bridge: string, more: Partial<Network> = {}): Network {
  return { target: { kind: 'real', bridge, reserved: false }, ...more };
}

export function reserved(bridge: string, more: Partial<Network> = {}): Network {
  return { target: { kind: 'real', bridge, reserved: true }, ...more };
}

export function machine(name: string, networks: readonly Network[], more: Partial<Machine> = {}): Machine {
  return {
    name,
    deviceType: 'linux',
    template: { by: 'vmid', vmid: 101 },
    fullClone: false,
    networks,
    start: false,
    tags: [],
    line: 3,
    ...more,
  };
}

export function router(name: string, networks: readonly Network[], more: Partial<Machine> = {}): Machine {
  return machine(name, networks, { deviceType: 'ecorouter', template: { by: 'vmid', vmid: 100 }, ...more });
}

export function lab(machines: readonly Machine[], more: Partial<Lab> = {}): Lab {
  return {
    name: 'net',
    machines,
    placement: { strategy: 'balanced', exclude: [] },
    access: { role: 'PVEVMAdmin' },
    vmidRange: { first: 10000, last: 10999 },
    bridgeRange: { first: 1000, last: 4094 },
    passwords: { length: 12, alphabet: 'unambiguous' },
    file: 'lab.yml',
    ...more,
  };
}

export function user(name: string, more: Partial<User> = {}): User {
  return { userid: `${name}@pve`, realm: 'pve', pool: name, groups: [], ...more };
}

export function bridge(iface: string, more: Partial<BridgeInfo> = {}): BridgeInfo {
  return {
    iface,
    active: true,
    autostart: true,
    vlanAware: false,
    ports: ['eno1'],
    addresses: [],
    gateways: [],
    above: [],
    comments: '',
    ...more,
  };
}

const disk = (storage: string, vmid: number) => `${storage}:base-${vmid}-disk-0,size=8G`;

export function template(
  vmid: number,
  storage = 'ceph',
  values: Readonly<Record<string, string>> = {},
): VmConfig {
  return {
    vmid,
    node: 'pve1',
    digest: `digest-${vmid}`,
    values: { name: `tpl-${vmid}`, template: '1', scsi0: disk(storage, vmid), ...values },
  };
}

export function guest(vmid: number, more: Partial<GuestInfo> = {}): GuestInfo {
  return {
    vmid,
    node: 'pve1',
    type: 'qemu',
    name: `guest-${vmid}`,
    status: 'running',
    template: false,
    ha: false,
    memory: 2 ** 31,
    cpus: 2,
    ...more,
  };
}

/** Two nodes, templates 100 and 101 on pve1, shared storage `ceph`, local `local-lvm`, vmbr0 on both. */
export function have(more: Partial<Inventory> = {}): Inventory {
  const nodes = ['pve1', 'pve2'];
  const storage = (node: string, name: string, type: string, shared: boolean) => ({
    node,
    storage: name,
    type,
    shared,
    active: true,
    content: ['images'],
    total: 2 ** 40,
    used: 0,
  });
  return {
    now: NOW,
    version: '8.4',
    nodes: nodes.map((name) => ({
      name,
      online: true,
      maintenance: false,
      cpus: 32,
      memoryTotal: 2 ** 37,
      memoryUsed: 2 ** 34,
      cpu: 0.1,
    })),
    storages: nodes.flatMap((node) => [
      storage(node, 'ceph', 'rbd', true),
      storage(node, 'local-lvm', 'lvmthin', false),
      storage(node, 'thick', 'lvm', false),
    ]),
    guests: [100, 101].map((vmid) => guest(vmid, { name: `tpl-${vmid}`, status: 'stopped', template: true })),
    templates: [template(100), template(101)],
    vms: [],
    networks: nodes.map((node) => ({ node, readable: true, bridges: [bridge('vmbr0')], pending: [] })),
    vnets: [],
    pools: [],
    poolWriters: [],
    memberWriters: [],
    sealReaders: [],
    users: [],
    acls: [],
    roles: ['PVEVMAdmin', 'PVEVMUser'],
    groups: [],
    realms: { pve: 'pve', pam: 'pam' },
    bridgeUse: [],
    bridgeUseNodes: [],
    tasks: [],
    gaps: [],
    ...more,
  };
}

export function plan(
  want: Lab,
  users: readonly User[],
  snapshot: Inventory = have(),
  options: Partial<DeployOptions> = {},
): DeployPlan {
  return planDeploy({
    lab: want,
    users,
    have: snapshot,
    options: { adopt: false, updateRunning: false, ...options },
  });
}

export function ids(result: Plan): string[] {
  return result.steps.map((step) => step.id);
}

/** As drawn while applying, but the same in each test. */
export function sealOf(vmid: number): string {
  return String(vmid).padStart(32, '0');
}

function joinPool(
  { pool, lab: labName, machines }: StepOf<'pool.join'>,
  pools: Map<string, string>,
  guests: GuestInfo[],
): void {
  const joining = new Set(machines.map(({ vmid }) => vmid));
  for (const [at, one] of guests.entries()) if (joining.has(one.vmid)) guests[at] = { ...one, pool };
  const mark = parsePoolComment(pools.get(pool) ?? '');
  const claims = mark.claims.map((claim) =>
    claim.lab === labName
      ? mapMachines(claim, (one) => (joining.has(one.vmid) ? { ...one, state: 'made', seals: [] } : one))
      : claim,
  );
  pools.set(pool, formatPoolComment({ ...mark, user: mark.user ?? '', claims }));
}

/** The cluster after the plan was applied without fault, as the inventory would show it. */
export function applied(want: Lab, result: Plan, before: Inventory = have()): Inventory {
  const guests = [...before.guests];
  const vms = [...before.vms];
  const pools = new Map(before.pools.map((entry) => [entry.pool, entry.comment]));
  const users = [...before.users];
  const acls = [...before.acls];
  const networks = new Map(
    before.networks.map((entry) => [entry.node, { ...entry, bridges: [...entry.bridges] }]),
  );
  for (const step of result.steps) {
    if (step.kind === 'pool.create' || step.kind === 'pool.update')
      pools.set(
        step.pool,
        sealComment(step.comment, (vmid) => sealHash(sealOf(vmid), vmid)),
      );
    if (step.kind === 'pool.join') joinPool(step, pools, guests);
    if (step.kind === 'user.create') {
      const { userid, comment, groups } = step;
      users.push({
        userid,
        comment,
        groups,
        enabled: true,
        expire: 0,
        email: '',
        firstName: '',
        lastName: '',
      });
    }
    if (step.kind === 'acl.grant') {
      const { path, role, userid, propagate } = step;
      acls.push({ path, role, subject: userid, type: 'user', propagate });
    }
    if (step.kind === 'bridge.create') {
      const { bridge: iface, vlanAware, comment } = step;
      networks.get(step.node)!.bridges.push(bridge(iface, { vlanAware, comments: comment, ports: [] }));
    }
    if (step.kind === 'vm.clone') {
      const member = step.joinsAtOnce === true ? { pool: step.pool } : {};
      guests.push(guest(step.vmid, { node: step.target, name: step.name, status: 'stopped', ...member }));
      const description = withSeal(step.description, sealOf(step.vmid));
      const values = { name: step.name, description, scsi0: 'ceph:vm-disk-0,size=8G' };
      vms.push({ vmid: step.vmid, node: step.target, digest: 'd', values });
    }
    if (step.kind === 'vm.configure') {
      const nets = Object.fromEntries(
        step.nics.map((nic) => [
          `net${nic.index}`,
          `${nic.model}=${nic.mac ?? 'BC:24:11:00:00:01'},bridge=${nic.bridge}${nic.tag === undefined ? '' : `,tag=${nic.tag}`}`,
        ]),
      );
      const name = step.id.split('/')[1]!;
      const description = withSeal(step.description, sealOf(step.vmid));
      const at = vms.findIndex((vm) => vm.vmid === step.vmid);
      // What is not sent stays.
      const { scsi0 } = vms[at]?.values ?? {};
      const drives = scsi0 === undefined ? {} : { scsi0 };
      const values = { name, description, ...drives, ...nets, ...step.options };
      const config = { vmid: step.vmid, node: step.node, digest: 'd', values };
      if (at >= 0) vms[at] = config;
      else vms.push(config);
    }
    if (step.kind === 'vm.start') {
      const at = guests.findIndex((entry) => entry.vmid === step.vmid);
      guests[at] = { ...guests[at]!, status: 'running' };
    }
  }
  return {
    ...before,
    guests,
    vms,
    users,
    acls,
    pools: [...pools].map(([pool, comment]) => ({ pool, comment })),
    networks: [...networks.values()],
  };
}

/** A pool comment of a finished stand; a machine with a seal's hash is still reserved. */
export function standOf(
  userid: string,
  machines: Readonly<Record<string, number | readonly [vmid: number, ...seals: string[]]>>,
  more: Partial<Claim> = {},
): string {
  const claimed = Object.entries(machines).map(([machine, id]): ClaimedMachine => {
    if (typeof id === 'number') return { machine, vmid: id, state: 'made', seals: [] };
    const [vmid, ...seals] = id;
    return { machine, vmid, state: 'reserved', seals };
  });
  const claim = makeClaim({
    ...{ lab: 'net', machines: claimed, unnamed: [], node: 'pve1', since: '2026-11-01T00:00:00Z' },
    ...more,
  });
  return formatPoolComment({ user: userid, adopted: false, others: [], claims: [claim] });
}

/** The same as 0.1.0 wrote it: ids without names and states. */
export function claimOf(userid: string, vmids: readonly number[], labName = 'net', node = 'pve1'): string {
  return formatPoolComment({
    user: userid,
    adopted: false,
    others: [],
    claims: [makeClaim({ lab: labName, machines: [], unnamed: vmids, node, since: '2026-11-01T00:00:00Z' })],
  });
}

export function ownVm(want: Lab, name: string, userid: string, vmid: number, net: string): VmConfig {
  const found = want.machines.find((entry) => entry.name === name)!;
  const templateVmid = found.template.by === 'vmid' ? found.template.vmid : 0;
  const spec = specOf(want, found, templateVmid);
  return {
    vmid,
    node: 'pve1',
    digest: 'd',
    values: {
      name,
      description: formatVmMark({ lab: want.name, user: userid, machine: name, vmid, spec }),
      net0: `virtio=BC:24:11:00:00:01,bridge=${net}`,
    },
  };
}
