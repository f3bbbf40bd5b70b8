/** What a guest's configuration says about moving it: volumes, devices, bridges. Judges nothing. */
import type { VmConfig } from '../../inventory/types.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { compareText } from '../../order.ts';

export interface Volume {
  /** E.g. `scsi0`, `unused1`. */
  readonly key: string;
  readonly storage: string;
  /** Behind the storage: `vm-101-disk-0`, `base-100-disk-0/vm-101-disk-0`. */
  readonly name: string;
  readonly bytes: number;
  readonly kind: 'disk' | 'iso' | 'cloud-init';
}

export interface GuestFacts {
  readonly volumes: readonly Volume[];
  /** Devices of the host, in words: `hostpci0`, `usb0`, `scsi1 (/dev/sdb)`. */
  readonly devices: readonly string[];
  /** Without repetition. */
  readonly bridges: readonly string[];
  /** PVE's default is kvm64 up to 7 and x86-64-v2-AES since. */
  readonly cpuType: string;
  /** Pinned machine type, e.g. `pc-i440fx-9.2`; empty if none. */
  readonly machine: string;
  readonly hasSnapshots: boolean;
}

const DRIVE = /^(ide|sata|scsi|virtio|efidisk|tpmstate|unused)\d+$/;
const SIZES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

function bytesOf(value: string): number {
  const match = /(?:^|,)size=(\d+(?:\.\d+)?)([KMGT]?)/.exec(value);
  return match ? Math.round(Number(match[1]) * (SIZES[match[2] ?? ''] ?? 1)) : 0;
}

function kindOf(name: string, value: string): Volume['kind'] {
  if (name.includes('cloudinit')) return 'cloud-init';
  return value.includes('media=cdrom') ? 'iso' : 'disk';
}

function deviceOf(key: string, value: string): string | undefined {
  if (/^hostpci\d+$/.test(key)) return key;
  if (/^usb\d+$/.test(key)) return /(^|,)(host|mapping)=/.test(value) ? key : undefined;
  if (/^(serial|parallel)\d+$/.test(key)) return value.startsWith('/dev/') ? key : undefined;
  if (!DRIVE.test(key)) return undefined;
  const [path = ''] = value.split(',');
  return path === 'cdrom' || path.startsWith('/') ? `${key} (${path})` : undefined;
}

function volumeOf(key: string, value: string): Volume | undefined {
  const [volid = ''] = value.split(',');
  const at = volid.indexOf(':');
  if (!DRIVE.test(key) || at < 0 || volid.startsWith('/')) return undefined;
  const name = volid.slice(at + 1);
  return { key, storage: volid.slice(0, at), name, bytes: bytesOf(value), kind: kindOf(name, value) };
}

export function readFacts({ values }: VmConfig): GuestFacts {
  const entries = Object.entries(values).sort(([a], [b]) => compareText(a, b));
  const bridges = presentNics(values).flatMap(({ bridge }) => (bridge === '' ? [] : [bridge]));
  return {
    volumes: entries.flatMap(([key, value]) => volumeOf(key, value) ?? []),
    devices: entries.flatMap(([key, value]) => deviceOf(key, value) ?? []),
    bridges: [...new Set(bridges)],
    cpuType: /^(?:cputype=)?([^,=]+)/.exec(values['cpu'] ?? '')?.[1] ?? '',
    machine: /^(?:type=)?([^,]+)/.exec(values['machine'] ?? '')?.[1] ?? '',
    hasSnapshots: values['parent'] !== undefined && values['parent'] !== '',
  };
}

/** A linked clone names its base in front (pve-storage: dir, zfspool, btrfs, rbd); on lvmthin nothing shows it. */
export function isLinkedClone({ name }: Volume): boolean {
  return /(^|\/)base-[^/]+\/./.test(name);
}
