/** What a guest's configuration says about moving it: volumes, devices, bridges. Judges nothing. */
import { allVolumes, isDriveKey, sourceOf, type Volume } from '../../../pve-values/volumes.ts';
import type { GuestConfig } from '../../../inventory/balance-types.ts';
import { bridgesIn } from '../../../pve-values/nics.ts';
import { compareText } from '../../../order.ts';

export interface GuestFacts {
  readonly volumes: readonly Volume[];
  /** Devices of the host, in words: `hostpci0`, `usb0`, `scsi1 (/dev/sdb)`. */
  readonly devices: readonly string[];
  /** Without repetition. */
  readonly bridges: readonly string[];
  /** Without repetition. */
  readonly snapshotBridges: readonly string[];
  /** PVE's default is kvm64 up to 7 and x86-64-v2-AES since. */
  readonly cpuType: string;
  /** Pinned machine type, e.g. `pc-i440fx-9.2`; empty if none. */
  readonly machine: string;
  readonly hasSnapshots: boolean;
}

function deviceOf(key: string, value: string): string | undefined {
  if (/^hostpci\d+$/.test(key)) return key;
  if (/^usb\d+$/.test(key)) return /(^|,)(host|mapping)=/.test(value) ? key : undefined;
  if (/^(serial|parallel)\d+$/.test(key)) return value.startsWith('/dev/') ? key : undefined;
  if (!isDriveKey(key)) return undefined;
  const path = sourceOf(value);
  return path === 'cdrom' || path.startsWith('/') ? `${key} (${path})` : undefined;
}

export function readFacts({ values, snapshotBridges }: GuestConfig): GuestFacts {
  const entries = Object.entries(values).sort(([a], [b]) => compareText(a, b));
  return {
    volumes: allVolumes(values),
    devices: entries.flatMap(([key, value]) => deviceOf(key, value) ?? []),
    bridges: [...new Set(bridgesIn(values))],
    snapshotBridges: [...new Set(snapshotBridges)],
    cpuType: /^(?:cputype=)?([^,=]+)/.exec(values['cpu'] ?? '')?.[1] ?? '',
    machine: /^(?:type=)?([^,]+)/.exec(values['machine'] ?? '')?.[1] ?? '',
    hasSnapshots: values['parent'] !== undefined && values['parent'] !== '',
  };
}
