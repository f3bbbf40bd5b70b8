/** Disk volumes: what a storage type can do, naming, allocating and freeing. Locks are taken by the callers' tasks. */
import { die } from '../pve-error.ts';
import { lockStorage, type Sim } from '../sim.ts';
import type { StorageState, VolumeState } from '../state.ts';
import type { TaskContext } from '../tasks/running-task.ts';

const fileTypes = new Set(['dir', 'nfs', 'cifs', 'btrfs', 'glusterfs', 'cephfs']);
const linkable = new Set(['dir', 'nfs', 'cifs', 'btrfs', 'glusterfs', 'lvmthin', 'zfspool', 'zfs', 'rbd']);

export function storageOf(sim: Sim, id: string): StorageState {
  return sim.world.storages.get(id) ?? die(`storage '${id}' does not exist`);
}

/** Storage.pm storage_check_enabled. */
export function checkEnabled(sim: Sim, id: string, node: string): StorageState {
  const storage = storageOf(sim, id);
  if (storage.disabled) die(`storage '${id}' is disabled`);
  if (storage.nodes && !storage.nodes.includes(node))
    die(`storage '${id}' is not available on node '${node}'`);
  return storage;
}

const unreachable: Readonly<Record<string, (id: string) => string>> = {
  dir: (id) =>
    `unable to activate storage '${id}' - directory is expected to be a mount point but is not mounted: '/mnt/${id}'`,
  lvm: (id) => `no such volume group '${id}'`,
  rbd: () => "rbd error: rbd: couldn't connect to the cluster!",
  zfspool: (id) =>
    `could not activate storage '${id}', zfs error: cannot import '${id}': no such pool available`,
};
const likeOther: Readonly<Record<string, string>> = { btrfs: 'dir', lvmthin: 'lvm' };

/** Storage.pm activate_storage: what every use of a volume begins with. */
export function activateStorage(sim: Sim, id: string, node: string): StorageState {
  const storage = checkEnabled(sim, id, node);
  if (storage.offlineOn?.includes(node) !== true) return storage;
  return die(unreachable[likeOther[storage.type] ?? storage.type]?.(id) ?? `storage '${id}' is not online`);
}

/** Plugin.pm activate_volume: a file that the node does not see, as NFS shows those of other nodes late, does not exist. */
export function activateVolume(sim: Sim, volid: string, storage: string, node: string): void {
  const { cacheSeconds = 0 } = activateStorage(sim, storage, node);
  const made = sim.world.volume(volid, node)?.made;
  if (made && made.node !== node && sim.clock.now() < made.at + sim.clock.lasts(cacheSeconds * 1000))
    die(`volume '${volid}' does not exist`);
}

function isBaseVolume(volid: string): boolean {
  return /(?:^|[:/])base-\d+-[^/]*$/.test(volid);
}

/** Linked clones start from base images; thick LVM, iSCSI and cephfs have none (volume_has_feature 'clone'). */
export function canLink(storage: StorageState, volid: string): boolean {
  return linkable.has(storage.type) && isBaseVolume(volid);
}

export function canBeTemplate(storage: StorageState): boolean {
  return linkable.has(storage.type);
}

export function canSnapshot(storage: StorageState, volume: VolumeState | undefined): boolean {
  if (fileTypes.has(storage.type)) return storage.type === 'btrfs' || volume?.format === 'qcow2';
  return ['rbd', 'zfspool', 'zfs', 'lvmthin'].includes(storage.type);
}

/** volume_has_feature 'rename'. */
export function canRename(storage: StorageState): boolean {
  return ['dir', 'nfs', 'cifs', 'btrfs', 'lvm', 'lvmthin', 'zfspool', 'rbd'].includes(storage.type);
}

const isFileBased = (storage: StorageState): boolean => fileTypes.has(storage.type);

function defaultFormat(storage: StorageState): string {
  return isFileBased(storage) ? 'qcow2' : 'raw';
}

/** resolve_dst_disk_format: the format that is asked for, where the storage has it. */
export function keptFormat(storage: StorageState, wanted: string): string {
  return isFileBased(storage) ? wanted : 'raw';
}

function volidFor(storage: StorageState, vmid: number, name: string, format: string): string {
  return isFileBased(storage) ? `${storage.storage}:${vmid}/${name}.${format}` : `${storage.storage}:${name}`;
}

/**
 * The lowest disk number that no volume of the guest on that storage has, linked clones and base images among them;
 * where names have an extension, only those of the same one count (Plugin.pm get_next_vm_diskname).
 */
function freeName(
  sim: Pick<Sim, 'world'>,
  storage: StorageState,
  node: string,
  vmid: number,
  format: string,
  base?: string,
): string {
  const suffix = isFileBased(storage) ? `\\.${format}` : '';
  const pattern = new RegExp(`(?:vm|base)-${vmid}-disk-(\\d+)${suffix}`);
  const taken = new Set<number>();
  for (const volume of sim.world.volumesOf(vmid)) {
    if (volume.storage !== storage.storage || (volume.node ?? node) !== node) continue;
    const found = pattern.exec(volume.volid)?.[1];
    if (found !== undefined) taken.add(Number(found));
  }
  let free = 0;
  while (taken.has(free)) free += 1;
  const plain = volidFor(storage, vmid, `vm-${vmid}-disk-${free}`, format);
  return base === undefined ? plain : linkedVolid(storage, base, plain);
}

/** The volume id holds its base, except on lvmthin, which does not track children. */
function linkedVolid(storage: StorageState, base: string, plain: string): string {
  if (storage.type === 'lvmthin') return plain;
  const name = plain.slice(plain.indexOf(':') + 1);
  const parent = base
    .slice(base.indexOf(':') + 1)
    .split('/')
    .slice(isFileBased(storage) ? -2 : -1);
  return `${storage.storage}:${parent.join('/')}/${name}`;
}

export function cloudInitVolid(storage: StorageState, vmid: number): string {
  return volidFor(storage, vmid, `vm-${vmid}-cloudinit`, 'qcow2');
}

export interface NewVolume {
  readonly storage: StorageState;
  readonly node: string;
  readonly vmid: number;
  readonly size: number;
  readonly format?: string | undefined;
  /** The base image of a linked clone. */
  readonly base?: string | undefined;
  readonly volid?: string | undefined;
  /** Simulated time; absent: it was there from the start. */
  readonly at?: number;
}

export function addVolume(sim: Pick<Sim, 'world'>, wanted: NewVolume): VolumeState {
  const { storage, node, vmid, size, base } = wanted;
  const format = wanted.format ?? defaultFormat(storage);
  const free = storage.size - storage.used - sim.world.usedBytes(storage.storage, node);
  if (storage.type === 'lvm' && free < size) die(`not enough free space on storage '${storage.storage}'`);
  const volid = wanted.volid ?? freeName(sim, storage, node, vmid, format, base);
  const volume: VolumeState = {
    volid,
    storage: storage.storage,
    ...(storage.shared ? {} : { node }),
    size,
    vmid,
    format,
    content: 'images',
    ...(base === undefined || storage.type === 'lvmthin' ? {} : { parent: base }),
    ...(wanted.at === undefined || storage.cacheSeconds === undefined
      ? {}
      : { made: { node, at: wanted.at } }),
  };
  sim.world.addVolume(volume);
  return volume;
}

/** What the storage plugin adds to a clone's log. ZFS is silent, and so is RBD when it makes an empty image. */
export function storageLog(
  storage: StorageState,
  source: string,
  volid: string,
  full: boolean,
): string | undefined {
  const last = (id: string): string => id.slice(Math.max(id.lastIndexOf('/'), id.indexOf(':')) + 1);
  const [name, from] = [last(volid), last(source)];
  if (storage.type === 'lvmthin' || storage.type === 'lvm') return `  Logical volume "${name}" created.`;
  if (storage.type === 'rbd') return full ? undefined : `clone ${from}: ${from} snapname __base__ to ${name}`;
  if (!isFileBased(storage)) return undefined;
  const owner = /-(\d+)-/.exec(name)?.[1] ?? '';
  if (full) return `Formatting '/mnt/pve/${storage.storage}/images/${owner}/${name}'`;
  const base = /-(\d+)-/.exec(from)?.[1] ?? '';
  return `clone ${base}/${from}: images, ${name}, ${owner} to ${name} (base=../${base}/${from})`;
}

export function linkedChildren(sim: Sim, volid: string): VolumeState[] {
  return [...sim.world.volumes()].filter((volume) => volume.parent === volid);
}

/** Work under a storage's lock, which may take 10 s to get and 60 s to hold. */
export async function underStorageLock(
  sim: Sim,
  task: TaskContext,
  storage: string,
  label: string,
  work: () => void,
  seconds = sim.world.storages.get(storage)?.lockSeconds ?? sim.latency.storage_lock_s,
): Promise<void> {
  if (task.done(`${label}-done`)) return;
  activateStorage(sim, storage, task.node);
  await task.locked(lockStorage(sim, task.node, storage), async () => {
    await task.wait(label, Math.min(seconds, 60) * 1000);
    if (seconds > 60) die(`'storage-${storage}'-locked command timed out - aborting`);
    task.once(`${label}-done`, work);
  });
}
