/** Reads the disks in a guest's configuration, a VM's or a container's: which volume, where, how large, what for. Judges nothing. */
import { compareText } from '../order.ts';
import { propertiesOf } from './property-string.ts';
import { bytesOf } from './size.ts';

export interface Volume {
  /** E.g. `scsi0`, `efidisk0`, `rootfs`, `unused1`. */
  readonly key: string;
  readonly storage: string;
  /** Behind the storage: `vm-101-disk-0`, `base-100-disk-0/vm-101-disk-0`. */
  readonly name: string;
  /** `disk`: EFI and TPM state, too. A cloud-init drive is made anew for each clone. */
  readonly kind: 'disk' | 'iso' | 'cloud-init';
  /** 0 where the configuration does not say. */
  readonly bytes: number;
}

const DRIVE = /^(ide|sata|scsi|virtio|efidisk|tpmstate|unused)\d+$/;
/** Of a container (pve-container LXC/Config.pm). */
const MOUNT = /^(rootfs|mp\d+)$/;
const CLOUD_INIT = /(?:^|[:/-])cloudinit(?:\.|$)/;

export function isDriveKey(key: string): boolean {
  return DRIVE.test(key);
}

export function isMountKey(key: string): boolean {
  return MOUNT.test(key);
}

/**
 * What a drive or mount point is, in front of its options: a volume, `none`, `cdrom` (the host's drive) or the path of a device or
 * directory.
 */
export function sourceOf(value: string): string {
  return value.replace(/^volume=/, '').split(',', 1)[0] ?? '';
}

/** Of a volume id, `local-lvm:vm-101-disk-0`. */
export function storageOfVolume(volid: string): string {
  return volid.split(':', 1)[0] ?? '';
}

/** Undefined: it is no volume of a storage. */
function volumeAt(key: string, value: string): Volume | undefined {
  const volid = sourceOf(value);
  const at = volid.indexOf(':');
  if (at < 0 || volid.startsWith('/')) return undefined;
  const options = propertiesOf(value);
  const isDisc = options.some((option) => option.key === 'media' && option.value === 'cdrom');
  const size = options.find((option) => option.key === 'size')?.value ?? '';
  return {
    key,
    storage: volid.slice(0, at),
    name: volid.slice(at + 1),
    kind: CLOUD_INIT.test(volid) ? 'cloud-init' : isDisc ? 'iso' : 'disk',
    bytes: bytesOf(size),
  };
}

/** Volumes on storages, those that are attached no more (`unused0`) among them; by key. */
export function allVolumes(values: Readonly<Record<string, string>>): Volume[] {
  return Object.entries(values)
    .flatMap(([key, value]) => (isDriveKey(key) || isMountKey(key) ? (volumeAt(key, value) ?? []) : []))
    .sort((a, b) => compareText(a.key, b.key));
}

/** Volumes that are attached; a clone takes no others. */
export function volumesOf(values: Readonly<Record<string, string>>): Volume[] {
  return allVolumes(values).filter(({ key }) => !key.startsWith('unused'));
}

/** Is it a linked clone of this VMID's volume? Tells only where the type of storage does. */
export function hangsOn({ name }: Pick<Volume, 'name'>, base: number): boolean {
  return new RegExp(`(^|/)base-${base}-`).test(name);
}

/** A linked clone names its base in front (pve-storage: dir, zfspool, btrfs, rbd); on lvmthin nothing shows it. */
export function isLinkedClone({ name }: Pick<Volume, 'name'>): boolean {
  return /(^|\/)base-[^/]+\/./.test(name);
}
