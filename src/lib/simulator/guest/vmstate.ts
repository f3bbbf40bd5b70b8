/** The volume that holds a machine's memory: of a hibernated machine, of a snapshot with RAM. Starts and stops nothing. */
import { die } from '../pve-error.ts';
import { drivesOf } from './guest-config.ts';
import { maxMemory } from './guest-view.ts';
import type { Sim } from '../sim.ts';
import type { GuestState } from '../state.ts';
import { addVolume, checkEnabled } from './volumes.ts';
import { without } from '../without.ts';

const mib = 1024 ** 2;

const isFiles = (type: string | undefined): boolean =>
  ['dir', 'nfs', 'cifs', 'btrfs', 'glusterfs', 'cephfs'].includes(type ?? '');

/** Nobody finds out that there is too little room before the memory is written. */
export function checkStateRoom(sim: Sim, guest: GuestState): void {
  const volume = sim.world.volume(guest.config['vmstate'] ?? '', guest.node);
  const storage = sim.world.storages.get(volume?.storage ?? '');
  if (!volume || !storage) return;
  const others = sim.world.usedBytes(storage.storage, guest.node) - volume.size;
  if (storage.size - storage.used - others < maxMemory(guest)) die('No space left on device');
}

/**
 * QemuConfig.pm find_vmstate_storage: the configured one, else a shared one of its disks, else any of those; among them
 * rather one of files.
 */
export function stateStorage(sim: Sim, guest: GuestState): string {
  const named = guest.config['vmstatestorage'];
  if (named !== undefined) return named;
  const used = drivesOf(sim.contract, guest.config)
    .filter((drive) => !drive.isCdrom)
    .map((drive) => drive.storage)
    .sort();
  const pick = (shared: boolean): string | undefined => {
    const found = used.filter((id) => (sim.world.storages.get(id)?.shared ?? false) === shared);
    return found.findLast((id) => isFiles(sim.world.storages.get(id)?.type)) ?? found[0];
  };
  return pick(true) ?? pick(false) ?? 'local';
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
  const isFile = isFiles(storage.type);
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

/** QemuMigrate/Helpers.pm check_non_migratable_resources: memory that its host cannot read, or that names files of it. */
export function liveBlockers({ config }: GuestState): string[] {
  const isShared = Object.keys(config).some((key) => /^virtiofs\d+$/.test(key));
  return [
    ...['amd-sev', 'intel-tdx'].filter((key) => config[key] !== undefined),
    ...(isShared ? ['virtiofs'] : []),
  ];
}

/** Before its memory is saved. */
export function checkSavable(guest: GuestState): void {
  const blockers = liveBlockers(guest);
  if (blockers.length > 0)
    die(`Cannot live-migrate, snapshot (with RAM), or hibernate a VM with: ${blockers.join(', ')}`);
}
