/** The volume that holds a machine's memory: of a hibernated machine, of a snapshot with RAM. Starts and stops nothing. */
import { drivesOf } from './guest-config.ts';
import { maxMemory } from './guest-view.ts';
import type { Sim } from './sim.ts';
import type { GuestState } from './state.ts';
import { addVolume, checkEnabled } from './volumes.ts';
import { without } from './without.ts';

const mib = 1024 ** 2;

/** QemuConfig.pm find_vmstate_storage: the configured one, else a shared one of its disks, else any of those. */
export function stateStorage(sim: Sim, guest: GuestState): string {
  const named = guest.config['vmstatestorage'];
  if (named !== undefined) return named;
  const used = drivesOf(sim.contract, guest.config)
    .filter((drive) => !drive.isCdrom)
    .map((drive) => drive.storage);
  return used.find((id) => sim.world.storages.get(id)?.shared === true) ?? used[0] ?? 'local';
}

/** Seconds that writing a machine's memory takes. */
export function stateSeconds(sim: Sim, guest: GuestState): number {
  return (maxMemory(guest) / 1024 ** 3) * sim.latency.vmstate_s_per_gib;
}

/** QemuConfig.pm __snapshot_save_vmstate: twice the memory and 500 MiB for the devices. */
export function allocateState(
  sim: Sim,
  guest: GuestState,
  name: string,
  id = stateStorage(sim, guest),
): string {
  const storage = checkEnabled(sim, id, guest.node);
  const { vmid, node } = guest;
  const isFile = ['dir', 'nfs', 'cifs', 'btrfs'].includes(storage.type);
  const volid = isFile ? `${id}:${vmid}/vm-${vmid}-state-${name}.raw` : `${id}:vm-${vmid}-state-${name}`;
  const size = 2 * maxMemory(guest) + 500 * mib;
  return addVolume(sim, { storage, node, vmid, size, format: 'raw', volid }).volid;
}

export const isHibernated = (guest: GuestState): boolean => guest.config['lock'] === 'suspended';

/** What hibernation wrote into the configuration, and the volume, go. */
export function dropState(sim: Sim, guest: GuestState, ...more: readonly string[]): void {
  const { vmstate } = guest.config;
  if (vmstate !== undefined) sim.world.removeVolume(vmstate, guest.node);
  guest.config = without(guest.config, 'vmstate', 'runningmachine', 'runningcpu', ...more);
}
