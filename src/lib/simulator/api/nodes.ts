/** `/nodes/{node}`: version, status, statistics. See pve-manager API2/Nodes.pm. Reads only. */
import { cpuFlagsOf } from '../guest/host-resources.ts';
import { nodeUsage } from '../guest/guest-view.ts';
import { die } from '../pve-error.ts';
import type { Call, Handlers } from '../sim.ts';
import type { NodeState } from '../state.ts';
import { versionRow } from './cluster.ts';

function cpuInfo(node: NodeState): Record<string, unknown> {
  const cores = Math.ceil(node.cpus / 2);
  return {
    ...{ cpus: node.cpus, cores, sockets: 1, model: node.cpuModel ?? 'Simulated CPU' },
    ...{
      mhz: '2400.000',
      user_hz: 100,
      // ProcFSTools.pm read_cpuinfo: whether the flags have vmx or svm.
      hvm: node.lacksKvm === true ? '' : '1',
      flags: [
        'fpu vme de pse tsc msr pae mce cx8 apic sep',
        ...(node.lacksKvm === true ? [] : ['vmx']),
        ...cpuFlagsOf(node),
      ].join(' '),
    },
  };
}

const kernels = { 7: '5.15.158-1-pve', 8: '6.8.12-11-pve', 9: '6.17.2-1-pve' } as const;

/** 7.4 has the kernel as one text only, and says nothing of how it was booted. */
function kernelOf(major: 7 | 8 | 9): Record<string, unknown> {
  const release = kernels[major];
  const version = `#1 SMP PREEMPT_DYNAMIC PMX ${release.replace('-pve', '')}`;
  const kversion = `Linux ${release} ${version}`;
  if (major === 7) return { kversion };
  return {
    kversion,
    'current-kernel': { sysname: 'Linux', release, version, machine: 'x86_64' },
    'boot-info': { mode: 'efi', secureboot: 0 },
  };
}

function status(call: Call): unknown {
  const { sim } = call;
  const node = sim.world.node(call.node);
  const { cpu, mem } = nodeUsage(sim, node);
  const load = (cpu * node.cpus).toFixed(2);
  const available = sim.facts.major === 9 ? { available: node.memory - mem } : {};
  const rootUsed = Math.round(node.rootfs / 5);
  return {
    cpu,
    wait: 0.001,
    loadavg: [load, load, load],
    memory: { total: node.memory, used: mem, free: node.memory - mem, ...available },
    swap: { total: 8 * 1024 ** 3, used: 0, free: 8 * 1024 ** 3 },
    rootfs: {
      total: node.rootfs,
      used: rootUsed,
      free: node.rootfs - rootUsed,
      avail: node.rootfs - rootUsed,
    },
    cpuinfo: cpuInfo(node),
    uptime: Math.floor((sim.clock.now() - node.bootTime) / 1000),
    ksm: { shared: 0 },
    idle: 0,
    ...kernelOf(sim.facts.major),
    pveversion: `pve-manager/${node.pveVersion ?? sim.facts.full}/0000000000000000`,
  };
}

const stepSeconds: Readonly<Record<string, number>> = {
  hour: 60,
  day: 1800,
  week: 10_800,
  month: 43_200,
  year: 604_800,
  decade: 604_800,
};

function rrdData(call: Call): unknown {
  const { sim, params } = call;
  // On 9 a day is kept in one-minute points as well.
  const frame = params.text('timeframe');
  const step = sim.facts.major === 9 && frame === 'day' ? 60 : (stepSeconds[frame] ?? 60);
  // Statistics are broadcast: the node that answers is not the one that is asked about.
  const node = sim.world.nodes.get(params.text('node')) ?? die('no such node');
  const { cpu, mem } = nodeUsage(sim, node);
  const end = Math.floor(sim.clock.now() / 1000 / step) * step;
  return Array.from({ length: 70 }, (_, i) => ({
    time: end - (69 - i) * step,
    cpu,
    maxcpu: node.cpus,
    memused: mem,
    memtotal: node.memory,
    loadavg: cpu * node.cpus,
    iowait: 0.001,
    ...(sim.facts.major === 9
      ? {
          memavailable: node.memory - mem,
          arcsize: node.arcSize ?? 0,
          pressurecpusome: cpu * 10,
          pressureiosome: 0,
          pressureiofull: 0,
          pressurememorysome: 0,
          pressurememoryfull: 0,
        }
      : {}),
  }));
}

export const nodeHandlers: Handlers = {
  'GET /nodes/{node}/version': versionRow,
  'GET /nodes/{node}/status': status,
  'GET /nodes/{node}/rrddata': rrdData,
};
