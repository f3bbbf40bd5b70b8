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
  /**
   * Takes snapshots of volumes (`volume_has_feature`, feature `snapshot`). `by-name`: of those whose name ends in a format
   * that can; thick LVM since 9 keeps such volumes, too, where it is set up so.
   */
  readonly snapshots: 'yes' | 'no' | 'by-name';
  /** Copies a volume that is off to another node with its snapshots (QemuMigrate.pm); `by-name` as above. */
  readonly movesSnapshots: 'yes' | 'no' | 'by-name';
  /** The same with a volume of a container (LXC/Migrate.pm looks at the type alone, and only when it is down already). */
  readonly movesContainerSnapshots: boolean;
  /** Goes back to the newest snapshot alone (ZFSPoolPlugin.pm, volume_rollback_is_possible). */
  readonly newestOnly: boolean;
}

/** Volumes that are made from a base, and name it. */
const BASED: StorageTraits = {
  links: true,
  bindsClones: false,
  migrates: false,
  tellsBase: true,
  thin: true,
  files: false,
  snapshots: 'by-name',
  movesSnapshots: 'no',
  movesContainerSnapshots: false,
  newestOnly: false,
};
/** Whole volumes of a device; nothing of them is shared. */
const BLOCKS: StorageTraits = {
  links: false,
  bindsClones: false,
  migrates: false,
  tellsBase: false,
  thin: false,
  files: false,
  snapshots: 'no',
  movesSnapshots: 'no',
  movesContainerSnapshots: false,
  newestOnly: false,
};
/** Links are promised, for whatever a plugin of others may be; nothing else is. */
const UNKNOWN: StorageTraits = { ...BLOCKS, links: true, snapshots: 'yes' };

const TRAITS: ReadonlyMap<string, StorageTraits> = new Map([
  ['dir', { ...BASED, files: true, bindsClones: true, migrates: true, movesSnapshots: 'by-name' }],
  [
    'btrfs',
    {
      ...BASED,
      files: true,
      bindsClones: true,
      migrates: true,
      snapshots: 'yes',
      movesSnapshots: 'yes',
      movesContainerSnapshots: true,
    },
  ],
  [
    'zfspool',
    {
      ...BASED,
      bindsClones: true,
      migrates: true,
      snapshots: 'yes',
      movesSnapshots: 'yes',
      movesContainerSnapshots: true,
      newestOnly: true,
    },
  ],
  ['nfs', { ...BASED, files: true }],
  ['cifs', { ...BASED, files: true }],
  ['glusterfs', { ...BASED, files: true }],
  ['zfs', { ...BASED, snapshots: 'yes', newestOnly: true }],
  ['rbd', { ...BASED, snapshots: 'yes' }],
  ['lvmthin', { ...UNKNOWN, migrates: true, thin: true }],
  ['lvm', { ...BLOCKS, migrates: true, snapshots: 'by-name' }],
  ['iscsi', BLOCKS],
  ['iscsidirect', BLOCKS],
  ['cephfs', { ...BLOCKS, files: true }],
]);

/** Both write and read the plain stream `raw+size` (pve-storage LVMPlugin.pm, LvmThinPlugin.pm: `volume_export_formats`). */
const RAW = new Set(['lvm', 'lvmthin']);

/** Can PVE copy a volume of a node from a storage of the one type onto one of the other, whether its VM runs or not? */
export function takesCopies(from: string, to: string): boolean {
  if (!storageTraits(from).migrates) return false;
  return from === to || (RAW.has(from) && RAW.has(to));
}

/** Can PVE take a snapshot of this volume? `name` as in a volume id. */
export function takesSnapshots(type: string, name: string): boolean {
  return holdsFor(storageTraits(type).snapshots, name);
}

/** Does a volume that has snapshots go to another node with them, while its VM is off? */
export function movesSnapshots(type: string, name: string): boolean {
  return holdsFor(storageTraits(type).movesSnapshots, name);
}

function holdsFor(trait: 'yes' | 'no' | 'by-name', name: string): boolean {
  return trait === 'yes' || (trait === 'by-name' && name.endsWith('.qcow2'));
}

/** `type` as PVE calls its plugins; of others (`''` if it is not known) little is promised. */
export function storageTraits(type: string): StorageTraits {
  return TRAITS.get(type) ?? UNKNOWN;
}
