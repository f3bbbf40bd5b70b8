/** What PVE allows when a template is cloned: linked or full, on its node or onto another. Chooses nothing. */
import { storageTraits } from '../../pve-values/storage-types.ts';
import type { Machine } from '../../config/types.ts';
import { compareText } from '../../order.ts';
import type { StorageIndex, Template } from '../cluster/templates.ts';

type Source = Pick<Template, 'vmid' | 'node' | 'volumes'>;

/** Why the machine cannot be cloned onto `target` from `source` as it is; undefined when it can. */
export function cloneObstacle(
  machine: Machine,
  source: Source,
  target: string,
  storages: StorageIndex,
): string | undefined {
  return (
    linkedObstacle(machine, source, storages) ??
    (target === source.node ? undefined : remoteObstacle(source, target, storages)) ??
    storageObstacle(machine, source, target, storages)
  );
}

export function linkedObstacle(machine: Machine, source: Source, storages: StorageIndex): string | undefined {
  if (machine.fullClone) return undefined;
  for (const volume of source.volumes) {
    const type = storages.get(`${source.node}/${volume.storage}`)?.type;
    if (volume.kind === 'disk' && type !== undefined && !storageTraits(type).links) {
      return `linked clones are impossible on ${volume.storage} (${type}); set full_clone: true`;
    }
  }
  return undefined;
}

/** A clone with `target` needs every volume on shared storage, ISO and cloud-init drive included. */
function remoteObstacle(source: Source, target: string, storages: StorageIndex): string | undefined {
  for (const volume of source.volumes) {
    const row = storages.get(`${source.node}/${volume.storage}`);
    if (!row?.shared) {
      return `${volume.key} of template ${source.vmid} is on ${volume.storage}, which only ${source.node} has`;
    }
    if (!storages.get(`${target}/${volume.storage}`)?.active) {
      return `storage ${volume.storage} is not available on ${target}`;
    }
  }
  return undefined;
}

export function storageObstacle(
  machine: Machine,
  source: Pick<Source, 'node'>,
  target: string,
  storages: StorageIndex,
): string | undefined {
  if (machine.storage === undefined) return undefined;
  const row = storages.get(`${target}/${machine.storage}`);
  if (!row?.active) return `storage ${machine.storage} is not available on ${target}`;
  if (!row.content.includes('images')) return `storage ${machine.storage} does not hold VM images`;
  if (target !== source.node && !row.shared) {
    return `a clone onto another node cannot go to ${machine.storage}, which is not shared`;
  }
  return undefined;
}

/** Lock keys of work on these storages of a node: `shared:<id>` or `<node>:<id>`. */
export function storageLocks(names: Iterable<string>, node: string, storages: StorageIndex): string[] {
  return [...new Set(names)]
    .map((name) => (storages.get(`${node}/${name}`)?.shared ? `shared:${name}` : `${node}:${name}`))
    .sort(compareText);
}

/** Lock keys of a clone: one per storage it allocates on. */
export function cloneLocks(machine: Machine, source: Source, storages: StorageIndex): readonly string[] {
  const names =
    machine.storage === undefined ? source.volumes.map((volume) => volume.storage) : [machine.storage];
  return storageLocks(names, source.node, storages);
}
