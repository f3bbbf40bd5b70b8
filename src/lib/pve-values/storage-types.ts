/** What PVE can do on each type of storage: one table. Knows no storage by name. */

interface StorageTraits {
  /** Holds linked clones (pve-storage, `volume_has_feature`, feature `clone`). */
  readonly links: boolean;
  /** Of one node: a linked clone names its base in its volume id, and PVE never moves it (AbstractMigrate.pm: `it's a clone of`). */
  readonly bindsClones: boolean;
  /** Of one node: PVE copies volumes to another node while the VM is off (qemu-server QemuMigrate.pm). */
  readonly migrates: boolean;
  /** A volume's id tells which base image it hangs on (pve-storage; LvmThinPlugin.pm does not). */
  readonly tellsBase: boolean;
  /** Disks take room as they are written. */
  readonly thin: boolean;
  /** Volumes are files in a folder (`path` in storage.cfg). */
  readonly files: boolean;
}

const FILES: StorageTraits = {
  links: true,
  bindsClones: false,
  migrates: false,
  tellsBase: true,
  thin: true,
  files: false,
};
/** Whole volumes of a device; nothing of them is shared. */
const BLOCKS: StorageTraits = {
  links: false,
  bindsClones: false,
  migrates: false,
  tellsBase: false,
  thin: false,
  files: false,
};
/** Links are promised, for whatever a plugin of others may be; nothing else is. */
const UNKNOWN: StorageTraits = { ...BLOCKS, links: true };

const TRAITS: ReadonlyMap<string, StorageTraits> = new Map([
  ['dir', { ...FILES, files: true, bindsClones: true, migrates: true }],
  ['btrfs', { ...FILES, files: true, bindsClones: true, migrates: true }],
  ['zfspool', { ...FILES, bindsClones: true, migrates: true }],
  ['nfs', { ...FILES, files: true }],
  ['cifs', { ...FILES, files: true }],
  ['glusterfs', { ...FILES, files: true }],
  ['zfs', FILES],
  ['rbd', FILES],
  ['lvmthin', { ...UNKNOWN, migrates: true, thin: true }],
  ['lvm', { ...BLOCKS, migrates: true }],
  ['iscsi', BLOCKS],
  ['iscsidirect', BLOCKS],
  ['cephfs', { ...BLOCKS, files: true }],
]);

/** `type` as PVE calls its plugins; of others (`''` if it is not known) little is promised. */
export function storageTraits(type: string): StorageTraits {
  return TRAITS.get(type) ?? UNKNOWN;
}
