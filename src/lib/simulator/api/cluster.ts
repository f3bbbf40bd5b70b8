/** `/cluster`, `/version` and `/nodes`. See pve-manager API2/Cluster.pm and API2Tools.pm. */
import { nodeUsage, resourceRow } from '../guest-view.ts';
import { ownerOf } from '../permissions.ts';
import { PveError, die, paramError } from '../pve-error.ts';
import type { Call, Handlers } from '../sim.ts';
import type { NodeState, TaskState } from '../state.ts';
import { isOnNode, storageRow } from './storage-view.ts';

export function versionRow(call: Call): Record<string, string> {
  const { full, version } = call.sim.facts;
  return { version: full, release: version, repoid: '0000000000000000' };
}

function uptimeOf(call: Call, node: NodeState): number {
  return Math.floor((call.sim.clock.now() - node.bootTime) / 1000);
}

function haStateOf(node: NodeState): string {
  if (!node.online) return 'unknown';
  return node.maintenance ? 'maintenance' : 'online';
}

function nodeRow(call: Call, node: NodeState): Record<string, unknown> {
  const { sim, user } = call;
  const row = {
    id: `node/${node.name}`,
    type: 'node',
    node: node.name,
    status: node.online ? 'online' : 'offline',
  };
  const ha = sim.facts.major >= 8 ? { hastate: haStateOf(node) } : {};
  if (!node.online || !sim.rights.has(user, `/nodes/${node.name}`, 'Sys.Audit')) return { ...row, ...ha };
  const { cpu, mem } = nodeUsage(sim, node);
  return {
    ...row,
    ...ha,
    level: '',
    'cgroup-mode': 2,
    cpu,
    maxcpu: node.cpus,
    mem,
    maxmem: node.memory,
    disk: Math.round(node.rootfs / 5),
    maxdisk: node.rootfs,
    uptime: uptimeOf(call, node),
  };
}

function guestRows(call: Call): Record<string, unknown>[] {
  const { sim, user } = call;
  const rows: Record<string, unknown>[] = [];
  for (const guest of sim.world.guests.values()) {
    const path = `/vms/${guest.vmid}`;
    if (!sim.rights.has(user, path, 'VM.Audit')) continue;
    const row = resourceRow(sim, guest);
    const pool = sim.world.poolOf(guest.vmid);
    if (pool !== undefined && sim.rights.has(user, `/pool/${pool}`, 'Pool.Audit')) row['pool'] = pool;
    rows.push(row);
  }
  return rows;
}

function storageRows(call: Call): Record<string, unknown>[] {
  const { sim, user } = call;
  return [...sim.world.storages.values()].flatMap((storage) => {
    const path = `/storage/${storage.storage}`;
    if (!sim.rights.hasAny(user, path, ['Datastore.Audit', 'Datastore.AllocateSpace'])) return [];
    const nodes = [...sim.world.nodes.values()].filter((node) => isOnNode(storage, node.name));
    return nodes.map((node) => storageRow(sim, storage, node));
  });
}

function sdnRows(call: Call): Record<string, unknown>[] {
  const { sim, user } = call;
  if (!sim.world.fixed.sdn.installed) return [];
  const zones = ['localnetwork', ...sim.world.fixed.sdn.zones.map((one) => one.zone)];
  const visible = zones.filter((zone) =>
    sim.rights.hasAny(user, `/sdn/zones/${zone}`, ['SDN.Audit', 'SDN.Use']),
  );
  return visible.flatMap((sdn) =>
    [...sim.world.nodes.values()].map((node) => ({
      id: `sdn/${node.name}/${sdn}`,
      type: 'sdn',
      sdn,
      node: node.name,
      status: node.online ? 'ok' : 'unknown',
    })),
  );
}

function poolRows(call: Call): Record<string, unknown>[] {
  const { sim, user } = call;
  return [...sim.world.pools.keys()]
    .filter((pool) => sim.rights.has(user, `/pool/${pool}`, 'Pool.Audit'))
    .map((pool) => ({ id: `/pool/${pool}`, type: 'pool', pool }));
}

function resources(call: Call): unknown {
  const type = call.params.optText('type');
  const wants = (kind: string): boolean => type === undefined || type === kind;
  return [
    ...(type === undefined ? poolRows(call) : []),
    ...(wants('vm') ? guestRows(call) : []),
    ...(wants('node') ? [...call.sim.world.nodes.values()].map((node) => nodeRow(call, node)) : []),
    ...(wants('storage') ? storageRows(call) : []),
    ...(wants('sdn') ? sdnRows(call) : []),
  ];
}

function nextId(call: Call): unknown {
  const { world } = call.sim;
  const wanted = call.params.optNumber('vmid');
  if (wanted !== undefined) {
    if (world.guests.has(wanted)) throw paramError({ vmid: `VM ${wanted} already exists` });
    return String(wanted);
  }
  const bound = (key: string, otherwise: number): number =>
    Number(new RegExp(`${key}=(\\d+)`).exec(world.datacenter['next-id'] ?? '')?.[1] ?? otherwise);
  const [lower, upper] = [bound('lower', 100), bound('upper', 1_000_000)];
  for (let id = lower; id < upper; id += 1) if (!world.guests.has(id)) return String(id);
  return die(`unable to get any free VMID in range [${lower}, ${upper - 1}]`);
}

function clusterStatus(call: Call): unknown {
  const nodes = [...call.sim.world.nodes.values()];
  const { name } = call.sim.world.fixed;
  const quorate = call.sim.world.quorate ? 1 : 0;
  return [
    { type: 'cluster', id: 'cluster', name, nodes: nodes.length, quorate, version: nodes.length },
    ...nodes.map((node) => ({
      type: 'node',
      id: `node/${node.name}`,
      name: node.name,
      nodeid: node.id,
      ip: `192.0.2.${node.id}`,
      online: node.online ? 1 : 0,
      local: node.name === call.node ? 1 : 0,
      level: '',
    })),
  ];
}

function managerStatus(call: Call): unknown {
  const nodes = [...call.sim.world.nodes.values()];
  const timestamp = Math.floor(call.sim.clock.now() / 1000);
  return {
    manager_status: {
      master_node: call.node,
      timestamp,
      node_status: Object.fromEntries(nodes.map((node) => [node.name, haStateOf(node)])),
      service_status: Object.fromEntries(
        [...call.sim.world.haResources.values()].map(({ sid, state }) => [
          sid,
          { state, node: call.sim.world.guests.get(Number(sid.split(':')[1]))?.node ?? null },
        ]),
      ),
    },
    quorum: { node: call.node, quorate: call.sim.world.quorate ? '1' : '0' },
    lrm_status: Object.fromEntries(
      nodes.map((node) => [node.name, { mode: 'active', state: 'active', timestamp }]),
    ),
  };
}

function taskRow(task: TaskState): Record<string, unknown> {
  const { upid, node, pid, pstart, starttime, type, id, user, endtime, exitstatus } = task;
  const end = endtime === undefined ? {} : { endtime, status: exitstatus };
  return {
    upid,
    node,
    pid,
    pstart,
    starttime,
    type,
    id,
    user,
    saved: endtime === undefined ? '0' : '1',
    ...end,
  };
}

/** What the nodes broadcast: everything running, finished ones to make up 25 in all. */
function clusterTasks(call: Call): unknown {
  const { sim, user } = call;
  const all = sim.rights.has(user, '/', 'Sys.Audit');
  return [...sim.world.nodes.keys()].flatMap((node) => {
    const active = sim.tasks.active(node);
    const finished = sim.tasks.archived(node).slice(-Math.max(0, 25 - active.length) || Infinity);
    const tasks = active.length >= 25 ? active : [...active, ...[...finished].reverse()];
    return tasks.filter((task) => all || ownerOf(task.user) === ownerOf(user)).map(taskRow);
  });
}

function listVnets(call: Call): unknown {
  const { sim, user } = call;
  needSdn(call, '/cluster/sdn/vnets');
  return sim.world.fixed.sdn.vnets
    .filter((one) =>
      sim.rights.hasAny(user, `/sdn/zones/${one.zone}/${one.vnet}`, ['SDN.Audit', 'SDN.Use', 'SDN.Allocate']),
    )
    .map((one) => ({ ...one, type: 'vnet', vlanaware: one.vlanaware ? 1 : 0 }));
}

function needSdn(call: Call, path: string): void {
  if (!call.sim.world.fixed.sdn.installed) throw new PveError(501, `Method 'GET ${path}' not implemented`);
}

function listZones(call: Call): unknown {
  const { sim, user } = call;
  needSdn(call, '/cluster/sdn/zones');
  const type = call.params.optText('type');
  return sim.world.fixed.sdn.zones
    .filter((one) => type === undefined || one.type === type)
    .filter((one) =>
      sim.rights.hasAny(user, `/sdn/zones/${one.zone}`, ['SDN.Audit', 'SDN.Use', 'SDN.Allocate']),
    );
}

function haSid(call: Call): string {
  const sid = call.params.text('sid');
  if (sid.includes(':')) return sid;
  return `${call.sim.world.guests.get(Number(sid))?.type === 'lxc' ? 'ct' : 'vm'}:${sid}`;
}

function haResourceRow(call: Call, sid: string): Record<string, unknown> {
  const found = call.sim.world.haResources.get(sid) ?? die(`no such resource '${sid}'`);
  return { ...found, type: sid.split(':')[0], digest: '0'.repeat(40) };
}

export const clusterHandlers: Handlers = {
  'GET /version': versionRow,
  'GET /nodes': (call) =>
    [...call.sim.world.nodes.values()].map((node) => ({
      ...nodeRow(call, node),
      ssl_fingerprint: node.fingerprint,
    })),
  'GET /cluster/resources': resources,
  'GET /cluster/nextid': nextId,
  'GET /cluster/status': clusterStatus,
  'GET /cluster/tasks': clusterTasks,
  'GET /cluster/ha/status/manager_status': managerStatus,
  'GET /cluster/ha/status/current': (call) => [
    {
      id: 'quorum',
      type: 'quorum',
      node: call.node,
      ...(call.sim.world.quorate ? { status: 'OK', quorate: 1 } : { status: 'No quorum!', quorate: 0 }),
    },
    ...[...call.sim.world.haResources.keys()].map((sid) => ({
      ...haResourceRow(call, sid),
      id: `service:${sid}`,
    })),
  ],
  'GET /cluster/ha/resources': (call) =>
    [...call.sim.world.haResources.keys()]
      .filter((sid) => (call.params.optText('type') ?? sid.split(':')[0]) === sid.split(':')[0])
      .map((sid) => haResourceRow(call, sid)),
  'GET /cluster/ha/resources/{sid}': (call) => haResourceRow(call, haSid(call)),
  'DELETE /cluster/ha/resources/{sid}': (call) => {
    const sid = haSid(call);
    if (!call.sim.world.haResources.delete(sid)) die(`cannot delete service '${sid}', not HA managed!`);
    return null;
  },
  'GET /cluster/sdn/vnets': listVnets,
  'GET /cluster/sdn/zones': listZones,
};
