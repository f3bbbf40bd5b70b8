/** `targetstorage`, of containers `target-storage`, of a migration: which storage over there takes what is on one here. See pve-common JSONSchema.pm, parse_idmap. */
import { splitList } from '../contract/formats.ts';
import { paramError } from '../pve-error.ts';
import type { StorageState } from '../state.ts';

export interface StorageMap {
  readonly identity: boolean;
  /** What takes all that no pair names. */
  readonly fallback?: string;
  readonly pairs: ReadonlyMap<string, string>;
}

function refuse(parameter: string, why: string): never {
  throw paramError({ [parameter]: `failed to parse storage map: ${why}\n` });
}

export function parseStorageMap(text: string, parameter = 'targetstorage'): StorageMap {
  const pairs = new Map<string, string>();
  const plain: string[] = [];
  let identity = false;
  for (const entry of splitList(text)) {
    const [source = '', target] = entry.split(':');
    if (entry === '1') identity = true;
    else if (target === undefined) plain.push(source);
    else if (pairs.has(source)) refuse(parameter, `duplicate mapping for source '${source}'`);
    else pairs.set(source, target);
    if (plain.length > 1) refuse(parameter, 'default target ID can only be provided once');
  }
  const [fallback] = plain;
  if (identity && (fallback !== undefined || pairs.size > 0))
    refuse(parameter, 'identity mapping cannot be combined with other mappings');
  return { identity, pairs, ...(fallback === undefined ? {} : { fallback }) };
}

/** QemuMigrate.pm: within a cluster what is on shared storage stays there, whatever the map says. */
export function landingStorage(map: StorageMap | undefined, { storage, shared }: StorageState): string {
  if (shared || !map) return storage;
  return map.pairs.get(storage) ?? map.fallback ?? storage;
}
