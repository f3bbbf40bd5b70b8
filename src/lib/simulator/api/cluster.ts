/** `/cluster`, `/version` and `/nodes`. See pve-manager API2/Cluster.pm and API2Tools.pm. */
import { splitList } from '../contract/formats.ts';
import { tagRules } from '../guest/tag-rights.ts';
import { nodeUsage, resourceRow } from '../guest/guest-view.ts';
import { ownerOf } from '../access/permissions.ts';
import { die, paramError } from '../pve-error.ts';
import type { Call, Handlers } from '../sim.ts';
import type { NodeState, TaskState } from '../state.ts';
import { nodeHaState } from './ha-view.ts';
import { zoneRows } from './sdn.ts';
import { isOnNode, storageRow } from './storage-view.ts';

export function versionRow(call: Call): Record<string, string> {
  const { full, version } = call.sim.facts;
  return { version: full, release: version, repoid: '0000000000000000' };
}

function uptimeOf(call: Call, node: NodeState): number {
  return Math.floor((call.sim.clock.now() - node.bootTime) / 1000);
}

function nodeRow(call: Call, node: NodeState): Record<string, unknown> {
  const { sim, user } = call;
  const row = {
    id: `node/${node.name}`,
    type: 'node',
    node: node.name,
    status: node.online ? 'online' : 'offline',
  };
  const ha = sim.facts.major >= 8 ? { hastate: nodeHaState(node) } : {};
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
    // Disabled ones are left out altogether.
    const nodes = [...sim.world.nodes.values()].filter(
      (node) => !storage.disabled && isOnNode(storage, node.name),
    );
    return nodes.map((node) => storageRow(sim, storage, node));
  });
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
    ...zoneRows(call, type),
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

/** Options that pve-cluster's DataCenterConfig.pm takes apart when it reads the file. */
const nested = new Set(['crs', 'ha', 'migration', 'next-id', 'notify', 'tag-style', 'user-tag-access']);
/** Of the file, or of such a part: lists. */
const lists = new Set(['registered-tags', 'user-allow-list']);
/** What everybody is shown (API2/Cluster.pm, get_options). */
const shown = new Set(['console', 'tag-style']);

/** A part may be called as an option is (`crs: ha=…`), and is text all the same. */
function optionValue(key: string, value: string, isPart = false): unknown {
  if (lists.has(key)) return splitList(value).sort();
  if (isPart || !nested.has(key)) return value;
  const parts = value.split(',').map((part): [string, unknown] => {
    const name = part.split('=', 1)[0] ?? '';
    return [name, optionValue(name, part.slice(part.indexOf('=') + 1), true)];
  });
  return Object.fromEntries(parts);
}

function options({ sim, user }: Call): unknown {
  const isAuditor = sim.rights.has(user, '/', 'Sys.Audit');
  const seen = Object.entries(sim.world.datacenter).filter(([key]) => isAuditor || shown.has(key));
  return {
    ...Object.fromEntries(seen.map(([key, value]) => [key, optionValue(key, value)])),
    'allowed-tags': [...tagRules(sim, user).allowed].sort(),
  };
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
  'GET /cluster/options': options,
  'GET /cluster/tasks': clusterTasks,
};
