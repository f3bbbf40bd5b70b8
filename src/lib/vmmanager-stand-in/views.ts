/** The rows that the simulated installation shows. Changes nothing. */
import type { Guest, HistoryRow, Installation, Task } from './installation.ts';
import type { ScenarioNode } from './scenario-types.ts';

type Row = Readonly<Record<string, unknown>>;

const MIB_PER_GIB = 1024;
const HOUR = 3_600_000;

function sum(guests: readonly Guest[], of: (guest: Guest) => number): number {
  return guests.reduce((total, guest) => total + of(guest), 0);
}

export function nodeRow(node: ScenarioNode, installation: Installation): Row {
  const guests = installation.guestsOn(node.id);
  const active = guests.filter(({ state }) => state === 'active');
  const cluster = installation.scenario.clusters.find(({ id }) => id === node.cluster);
  const { qemu_version: qemu, ip, port = 22, ssh_user: user = 'root' } = node;
  return {
    id: node.id,
    name: node.name,
    cluster: { id: node.cluster, name: cluster?.name ?? '' },
    state: node.state ?? 'active',
    ...(ip === undefined ? {} : { ip, port, ssh_user: user }),
    ram_mib: {
      total: node.memory_gib * MIB_PER_GIB,
      allocated: sum(active, ({ memory_mib: memory }) => memory),
    },
    cpu: { number: node.cpus, used: sum(active, ({ cores }) => cores) },
    vm: { total: guests.length },
    host_limit: node.host_limit ?? 0,
    host_creation_blocked: node.creation_blocked ?? false,
    maintenance_mode: node.maintenance ?? false,
    ...(qemu === undefined ? {} : { qemu_version: qemu }),
  };
}

export function guestRow(guest: Guest, installation: Installation): Row {
  const node = installation.nodes.get(guest.node);
  const hasMode = installation.scenario.without?.includes('balancer_mode') !== true;
  return {
    id: guest.id,
    name: guest.name,
    state: guest.state,
    node: { id: guest.node, name: node?.name ?? '' },
    cluster: { id: node?.cluster ?? 0 },
    cpu_number: guest.cores,
    ram_mib: guest.memory_mib,
    iso_mounted: guest.iso,
    snapshot_count: guest.snapshots,
    ...(hasMode ? { balancer_mode: guest.balancer ? 'on' : 'off' } : {}),
    disabled: false,
    rescue_mode: false,
    tags: guest.tags.map((name, at) => ({ id: at + 1, name })),
  };
}

export function taskRow(task: Task): Row {
  const { id, consul, status, output } = task;
  return {
    id,
    consul_id: consul,
    name: 'host_migrate',
    status,
    progress: 0,
    ...(output === '' ? {} : { output }),
  };
}

/** As the installation's own clock shows it, without a zone. */
export function historyRow({ id, task, created, state }: HistoryRow, offsetHours: number): Row {
  const written = new Date(created + offsetHours * HOUR).toISOString().slice(0, 19).replace('T', ' ');
  return { id, name: 'host_migrate', state, task, date_create: written, params: {}, user: null };
}

export function targetForm(guest: Guest, installation: Installation): Row {
  const others = [...installation.nodes.values()].filter(({ id }) => id !== guest.node);
  return {
    nodes: others.map((node) => ({
      id: node.id,
      name: node.name,
      state: node.state ?? 'active',
      suitable: node.unsuitable !== true && installation.obstacle(guest, node) === undefined,
    })),
  };
}
