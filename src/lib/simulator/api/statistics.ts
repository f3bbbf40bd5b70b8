/** Load over time: RRD points of guests, and the metrics of the whole cluster. Loads are steady. Reads only. */
import {
  isRunning,
  isTemplate,
  maxCpus,
  maxMemory,
  nodeUsage,
  pressures,
  usage,
} from '../guest/guest-view.ts';
import { die } from '../pve-error.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { GuestState, NodeState } from '../state.ts';

const stepSeconds: Readonly<Record<string, number>> = {
  hour: 60,
  day: 1800,
  week: 10_800,
  month: 43_200,
  year: 604_800,
};

function live(sim: Sim, guest: GuestState): { cpu: number; mem: number; uptime: number } {
  const runningSince = guest.runningSince ?? null;
  const [maxcpu, maxmem] = [maxCpus(guest), maxMemory(guest)];
  return usage(sim, guest, {
    name: '',
    status: '',
    template: false,
    maxcpu,
    maxmem,
    maxdisk: 0,
    runningSince,
  });
}

/** Bytes per second; on a quiet network there is little. */
function trafficOf({ habits }: GuestState): { netin: number; netout: number } {
  if (habits?.traffic === undefined) return { netin: 512, netout: 256 };
  return { netin: habits.traffic / 2, netout: habits.traffic / 2 };
}

/** The statistics are broadcast: every node has those of every guest, and none of one that nobody knows. */
function guestRrd(type: GuestState['type']): (call: Call) => unknown {
  return ({ sim, params }) => {
    const vmid = params.number('vmid');
    const guest = sim.world.guests.get(vmid);
    if (guest?.type !== type) die(`Parameter verification failed: no such VM ('${vmid}')`);
    const frame = params.text('timeframe');
    const step = sim.facts.major === 9 && frame === 'day' ? 60 : (stepSeconds[frame] ?? 60);
    const end = Math.floor(sim.clock.now() / 1000 / step) * step;
    const { cpu, mem } = live(sim, guest);
    return Array.from({ length: 70 }, (_, i) => {
      const time = end - (69 - i) * step;
      if (guest.runningSince === undefined || time * 1000 < guest.runningSince) {
        return { time, maxcpu: maxCpus(guest), maxmem: maxMemory(guest) };
      }
      return {
        time,
        ...{ cpu, maxcpu: maxCpus(guest), mem, maxmem: maxMemory(guest), disk: 0 },
        ...trafficOf(guest),
        ...(sim.facts.major === 9 ? { memhost: Math.round(mem * 1.05), ...pressures(cpu) } : {}),
      };
    });
  };
}

interface Metric {
  readonly id: string;
  readonly metric: string;
  readonly timestamp: number;
  readonly type: 'gauge';
  readonly value: number;
}

type Gauges = Readonly<Record<string, number>>;

function rowsOf(id: string, timestamp: number, gauges: Gauges): Metric[] {
  return Object.entries(gauges).map(([metric, value]) => ({ id, metric, timestamp, type: 'gauge', value }));
}

function nodeGauges(sim: Sim, node: NodeState): Gauges {
  const { cpu, mem } = nodeUsage(sim, node);
  const load = cpu * node.cpus;
  return {
    uptime: Math.floor((sim.clock.now() - node.bootTime) / 1000),
    ...{ cpu_avg1: load, cpu_avg5: load, cpu_avg15: load, cpu_max: node.cpus, cpu_current: cpu },
    ...{ cpu_iowait: 0.001, mem_total: node.memory, mem_used: mem },
  };
}

function guestGauges(sim: Sim, guest: GuestState): Gauges {
  const { cpu, mem, uptime } = live(sim, guest);
  return {
    ...(isRunning(guest) ? { cpu_current: cpu, mem_used: mem } : {}),
    ...{ uptime, cpu_max: maxCpus(guest), mem_total: maxMemory(guest) },
  };
}

const GENERATION = 10;
/** pvestatd keeps half an hour (PVE/PullMetric.pm). */
const GENERATIONS = 180;

function exportMetrics(call: Call): unknown {
  const { sim, params } = call;
  const now = Math.floor(sim.clock.now() / 1000 / GENERATION) * GENERATION;
  const start = params.optNumber('start-time') ?? 0;
  const count = params.flag('history') ? GENERATIONS : 1;
  const list = params.optText('node-list')?.split(/[,;\s]+/);
  const nodes = [...sim.world.nodes.values()].filter(
    ({ name, online }) =>
      online && (list?.includes(name) ?? true) && (!params.flag('local-only') || name === call.node),
  );
  const data: Metric[] = [];
  for (let i = count - 1; i >= 0; i -= 1) {
    const time = now - i * GENERATION;
    if (time <= start) continue;
    for (const node of nodes) {
      data.push(...rowsOf(`node/${node.name}`, time, nodeGauges(sim, node)));
      for (const guest of sim.world.guestsOn(node.name)) {
        if (isTemplate(guest)) continue;
        data.push(...rowsOf(`${guest.type}/${guest.vmid}`, time, guestGauges(sim, guest)));
      }
    }
  }
  return { data };
}

export const statisticsHandlers: Handlers = {
  'GET /cluster/metrics/export': exportMetrics,
  'GET /nodes/{node}/qemu/{vmid}/rrddata': guestRrd('qemu'),
  'GET /nodes/{node}/lxc/{vmid}/rrddata': guestRrd('lxc'),
};
