/** Finding, locking and describing containers. See pve-container LXC.pm and LXC/Config.pm. Changes none. */
import { isNetKey } from './guest-config.ts';
import { guestName, isRunning, isTemplate, maxCpus, maxMemory, parseSize, usage } from './guest-view.ts';
import type { Release } from '../tasks/locks.ts';
import { nicProblem } from '../network/network-check.ts';
import { die } from '../pve-error.ts';
import type { Sim } from '../sim.ts';
import type { GuestState } from '../state.ts';

/** GuestHelpers load_config: only this node's containers exist here. */
export function loadContainer(sim: Sim, node: string, vmid: number): GuestState {
  return (
    findContainer(sim, node, vmid) ??
    die(`Configuration file 'nodes/${node}/lxc/${vmid}.conf' does not exist`)
  );
}

export function findContainer(sim: Sim, node: string, vmid: number): GuestState | undefined {
  const guest = sim.world.guests.get(vmid);
  return guest?.type === 'lxc' && guest.node === node ? guest : undefined;
}

/** `allowed`: a lock that is no obstacle. */
export function checkContainerLock(guest: GuestState, allowed?: string): void {
  const lock = guest.config['lock'];
  if (lock !== undefined && lock !== allowed) die(`CT is locked (${lock})`);
}

export const lockContainer = (sim: Sim, node: string, vmid: number): Promise<Release> =>
  sim.locks.flock(node, `/run/lock/lxc/pve-config-${vmid}.lock`, 'exclusive', 10_000);

/** Its NICs are plugged by the functions that plug those of machines. */
export function hasNicProblem(sim: Sim, guest: GuestState): boolean {
  return Object.entries(guest.config).some(([key, value]) => {
    if (!isNetKey(key)) return false;
    const wanted = value.split(',').filter((part) => /^(?:bridge|tag|trunks)=/.test(part));
    return nicProblem(sim, guest.node, key, ['virtio', ...wanted].join(',')) !== undefined;
  });
}

/** LXC.pm vmstatus; figures of a running container are made up, but steady. */
export function containerStatus(sim: Sim, guest: GuestState): Record<string, unknown> {
  const { config, vmid, pid, runningSince = null } = guest;
  const status = isRunning(guest) ? 'running' : 'stopped';
  const name = guestName(guest) ?? `CT${vmid}`;
  const [maxcpu, maxmem] = [maxCpus(guest), maxMemory(guest)];
  const maxdisk = parseSize(/(?:^|,)size=([^,]+)/.exec(config['rootfs'] ?? '')?.[1] ?? '4G');
  const view = { name, status, maxcpu, maxmem, maxdisk, runningSince, template: isTemplate(guest) };
  const live = usage(sim, guest, view);
  const pressures = ['cpusome', 'cpufull', 'iosome', 'iofull', 'memorysome', 'memoryfull'];
  return {
    ...{ vmid, type: 'lxc', name, status, cpus: maxcpu, maxmem, maxdisk, ...live },
    ...{ maxswap: Number(config['swap'] ?? 0) * 1024 ** 2, swap: 0 },
    ...{ disk: isRunning(guest) ? Math.round(maxdisk / 4) : 0 },
    ...{ diskread: live.uptime * 2048, diskwrite: live.uptime * 1024 },
    ...{ netin: live.uptime * 512, netout: live.uptime * 256 },
    ...(pid === undefined ? {} : { pid }),
    ...(view.template ? { template: 1 } : {}),
    ...(config['lock'] === undefined ? {} : { lock: config['lock'] }),
    ...(config['tags'] === undefined ? {} : { tags: config['tags'] }),
    ...(sim.facts.major === 9 && isRunning(guest)
      ? Object.fromEntries(pressures.map((name) => [`pressure${name}`, '0.00']))
      : {}),
  };
}
