/** Reads which paths of its host a container's configuration mounts. Judges nothing. */
import { compareText } from '../order.ts';
import { propertyRecord } from './property-string.ts';
import { isMountKey, sourceOf } from './volumes.ts';

/** A mount point that is no volume of a storage (pve-container LXC/Config.pm, classify_mountpoint). */
export interface HostMount {
  readonly key: string;
  /** A directory, or a device under /dev. */
  readonly path: string;
  /** Said to be the same on every node (`shared=1`). */
  readonly shared: boolean;
}

/** By key. */
export function hostMounts(values: Readonly<Record<string, string>>): HostMount[] {
  return Object.entries(values)
    .filter(([key, value]) => isMountKey(key) && sourceOf(value).startsWith('/'))
    .map(([key, value]) => ({ key, path: sourceOf(value), shared: propertyRecord(value)['shared'] === '1' }))
    .sort((a, b) => compareText(a.key, b.key));
}
