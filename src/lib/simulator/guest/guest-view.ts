/** What others see of a guest: live values, and the values pvestatd broadcasts every 10 s. Changes no guest. */
import type { Sim } from '../sim.ts';
import type { GuestState, NodeState, PublishedGuest } from '../state.ts';

const cycleMs = 10_000;
const expiryMs = 300_000;
const gib = 1024 ** 3;

/** `32G`, `528K`, plain bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(text);
  if (!match) return 0;
  const factor = { '': 1, K: 1024, M: 1024 ** 2, G: gib, T: 1024 * gib }[match[2] ?? ''] ?? 1;
  return Math.round(Number(match[1]) * factor);
}

export function printSize(bytes: number): string {
  for (const [unit, factor] of [
    ['T', 1024 * gib],
    ['G', gib],
    ['M', 1024 ** 2],
    ['K', 1024],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

export function maxMemory(guest: GuestState): number {
  const text = guest.config['memory'] ?? '512';
  return Number(/(?:^|current=)(\d+)/.exec(text)?.[1] ?? 512) * 1024 ** 2;
}

export function maxCpus(guest: GuestState): number {
  const { cores = '1', sockets = '1' } = guest.config;
  return Number(cores) * Number(sockets);
}

function diskSize(guest: GuestState): number {
  const keys = ['scsi0', 'virtio0', 'sata0', 'ide0', 'rootfs'];
  const drive = keys.map((key) => guest.config[key]).find((value) => value !== undefined);
  return parseSize(/(?:^|,)size=([^,]+)/.exec(drive ?? '')?.[1] ?? '0');
}

export function guestName(guest: GuestState): string | undefined {
  return guest.type === 'lxc' ? guest.config['hostname'] : guest.config['name'];
}

export function isTemplate(guest: GuestState): boolean {
  return guest.config['template'] === '1';
}

export function isRunning(guest: GuestState): boolean {
  return guest.runningSince !== undefined;
}

/** The monitor's word: a paused machine is running for the process table only. */
export function qmpStatus(guest: GuestState): string {
  if (!isRunning(guest)) return 'stopped';
  return guest.halted ?? (guest.paused ? 'paused' : 'running');
}

function liveView(guest: GuestState): PublishedGuest {
  return {
    name: guestName(guest) ?? `VM ${guest.vmid}`,
    status: qmpStatus(guest),
    template: isTemplate(guest),
    maxcpu: maxCpus(guest),
    maxmem: maxMemory(guest),
    maxdisk: diskSize(guest),
    runningSince: guest.runningSince ?? null,
  };
}

function nextCycle({ clock }: Sim, node: NodeState): number {
  const [cycle, phase] = [clock.lasts(cycleMs), clock.lasts(node.cyclePhase)];
  return Math.floor((clock.now() - phase) / cycle + 1) * cycle + phase;
}

/** Call before anything visible changes: until the next cycle the others see what was before. */
export function noteChange(sim: Sim, guest: GuestState): void {
  const now = sim.clock.now();
  if (guest.publishedUntil !== undefined && now < guest.publishedUntil) return;
  guest.published = liveView(guest);
  guest.publishedUntil = nextCycle(sim, sim.world.node(guest.node));
}

/** A guest that came to be this moment: nobody has heard of it. */
export function noteBirth(sim: Sim, guest: GuestState): void {
  guest.published = null;
  guest.publishedUntil = nextCycle(sim, sim.world.node(guest.node));
}

/** The broadcast view; undefined before the first broadcast and 5 min after the last. */
function publishedView(sim: Sim, guest: GuestState): PublishedGuest | undefined {
  const now = sim.clock.now();
  const { offlineSince } = sim.world.node(guest.node);
  if (offlineSince !== undefined && now - offlineSince > sim.clock.lasts(expiryMs)) return undefined;
  if (guest.publishedUntil === undefined || now >= guest.publishedUntil) {
    guest.published = undefined;
    guest.publishedUntil = undefined;
    return liveView(guest);
  }
  return guest.published ?? undefined;
}

interface Usage {
  readonly cpu: number;
  readonly mem: number;
  readonly uptime: number;
}

/** Fraction of its memory that a running guest uses. */
function memoryShare(guest: GuestState): number {
  return guest.memoryLoad ?? Math.min(0.95, 0.35 + guest.load / 2);
}

/** Fraction of its own CPUs, now. */
function loadOf(sim: Sim, guest: GuestState): number {
  const up = guest.runningSince === undefined ? Infinity : sim.clock.now() - guest.runningSince;
  const isBooting = up < sim.clock.lasts(sim.latency.guest_boot_s * 1000);
  return isBooting ? (guest.habits?.boot ?? guest.load) : guest.load;
}

/** A steady, made-up load: a fraction of its own CPUs, and memory that goes with it. */
export function usage(sim: Sim, guest: GuestState, view: PublishedGuest): Usage {
  if (view.runningSince === null) return { cpu: 0, mem: 0, uptime: 0 };
  return {
    cpu: loadOf(sim, guest),
    mem: Math.round(view.maxmem * memoryShare(guest)),
    uptime: Math.max(0, Math.floor((sim.clock.now() - view.runningSince) / 1000)),
  };
}

/** Stall averages of a guest's or a node's cgroups (9): time that is waited for CPU grows where next to none is left. */
export function pressures(load: number): Record<string, number> {
  const cpu = Math.round(Math.max(0, load - 0.9) * 10_000) / 100;
  return {
    ...{ pressurecpusome: cpu, pressurecpufull: 0, pressureiosome: 0, pressureiofull: 0 },
    ...{ pressurememorysome: 0, pressurememoryfull: 0 },
  };
}

/** The row of /cluster/resources and of pool members. */
export function resourceRow(sim: Sim, guest: GuestState): Record<string, unknown> {
  const { vmid, type, node, config } = guest;
  const view = publishedView(sim, guest);
  const row: Record<string, unknown> = { id: `${type}/${vmid}`, vmid, type, node, status: 'unknown' };
  if (config['lock'] !== undefined) row['lock'] = config['lock'];
  if (config['tags'] !== undefined) row['tags'] = config['tags'];
  const ha = sim.world.haResources.get(`${type === 'qemu' ? 'vm' : 'ct'}:${vmid}`);
  if (ha) row['hastate'] = ha.status ?? ha.state;
  if (!view) return row;
  const { name, status, template, maxcpu, maxmem, maxdisk } = view;
  const now = usage(sim, guest, view);
  const counters = {
    diskread: now.uptime * 2048,
    diskwrite: now.uptime * 1024,
    netin: now.uptime * 512,
    netout: now.uptime * 256,
  };
  const online = sim.world.node(node).online;
  const memhost = sim.facts.major === 9 ? { memhost: Math.round(now.mem * 1.05) } : {};
  return {
    ...row,
    ...{
      name,
      status: online ? status : 'unknown',
      template: template ? 1 : 0,
      maxcpu,
      maxmem,
      maxdisk,
      disk: 0,
    },
    ...now,
    ...counters,
    ...memhost,
  };
}

export function nodeUsage(sim: Sim, node: NodeState): { cpu: number; mem: number } {
  let cpus = node.baseLoad * node.cpus;
  let mem = 2 * gib + (node.arcSize ?? 0);
  for (const guest of sim.world.guestsOn(node.name)) {
    if (!isRunning(guest)) continue;
    cpus += loadOf(sim, guest) * maxCpus(guest);
    mem += maxMemory(guest) * memoryShare(guest);
  }
  return { cpu: Math.min(1, cpus / node.cpus), mem: Math.min(node.memory, Math.round(mem)) };
}
