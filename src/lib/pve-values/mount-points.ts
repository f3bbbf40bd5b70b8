/** Reads what a container's configuration has of its host: mount points, their volumes, devices. Judges nothing. */
import { compareText } from '../order.ts';
import { propertyRecord } from './property-string.ts';
import type { HostDevice } from './host-ties.ts';
import { sourceOf, volumeAt, type Volume } from './volumes.ts';

type Values = Readonly<Record<string, string>>;

/** A mount point that is no volume of a storage (pve-container LXC/Config.pm, classify_mountpoint). */
export interface HostMount {
  readonly key: string;
  /** A directory, or a device under /dev. */
  readonly path: string;
  /** Said to be the same on every node (`shared=1`). */
  readonly shared: boolean;
}

const MOUNT = /^(?:rootfs|mp\d+|unused\d+)$/;

function pointsOf(values: Values): [key: string, value: string][] {
  return Object.entries(values)
    .filter(([key]) => MOUNT.test(key))
    .map(([key, value]): [string, string] => [key, value.replace(/^volume=/, '')])
    .sort(([a], [b]) => compareText(a, b));
}

/** Volumes on storages, those that are attached no more (`unused0`) among them; by key. */
export function containerVolumes(values: Values): Volume[] {
  return pointsOf(values).flatMap(([key, value]) => volumeAt(key, value) ?? []);
}

/** By key. */
export function hostMounts(values: Values): HostMount[] {
  return pointsOf(values).flatMap(([key, value]) => {
    const path = sourceOf(value);
    return path.startsWith('/') ? [{ key, path, shared: propertyRecord(value)['shared'] === '1' }] : [];
  });
}

/** What PVE does not look at, and the start on another node fails for: devices, and what is handed to LXC as it is. */
export function containerDevices(values: Values): HostDevice[] {
  return Object.keys(values)
    .filter((key) => key === 'lxc' || /^dev\d+$/.test(key))
    .map((key) => ({ key, text: key === 'lxc' ? 'settings of its own for LXC' : key }))
    .sort((a, b) => compareText(a.key, b.key));
}
