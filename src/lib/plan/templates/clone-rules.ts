/** What PVE allows when a template is cloned: linked or full, on its node or onto another. Chooses nothing. */
import { storageTraits } from '../../pve-values/storage-types.ts';
import type { Machine } from '../../config/types.ts';
import type { Hosts } from '../cluster/hosts.ts';
import { storageLocks } from '../cluster/storage-locks.ts';
import type { StorageIndex, Template } from '../cluster/templates.ts';
import { diskObstacle, storageObstacle } from '../obstacles/node-obstacles.ts';
import type { NodeObstacle } from '../obstacles/obstacle.ts';

type Source = Pick<Template, 'vmid' | 'node' | 'volumes'>;
type Storages = Pick<Hosts, 'version' | 'storages' | 'stock'>;

/** Why the machine cannot be cloned onto `target` from `source` as it is; undefined when it can. */
export function cloneObstacle(
  machine: Machine,
  source: Source,
  target: string,
  hosts: Storages,
): NodeObstacle | undefined {
  return (
    linkedObstacle(machine, source, hosts) ??
    unreadableDisk(source, hosts) ??
    besideObstacle(machine, source, hosts) ??
    (target === source.node ? undefined : remoteObstacle(source, target, hosts)) ??
    targetObstacle(machine, source, target, hosts)
  );
}

export function linkedObstacle(
  machine: Machine,
  source: Source,
  { storages }: Pick<Storages, 'storages'>,
): NodeObstacle | undefined {
  if (machine.fullClone) return undefined;
  for (const { storage, kind } of source.volumes) {
    const type = storages.get(`${source.node}/${storage}`)?.type;
    if (kind === 'disk' && type !== undefined && !storageTraits(type).links)
      return { code: 'no-links', storage, type };
  }
  return undefined;
}

/** The task runs on the template's node, where the disks are read. */
export function unreadableDisk({ vmid, node, volumes }: Source, hosts: Storages): NodeObstacle | undefined {
  for (const { kind, storage } of volumes) {
    const obstacle = kind === 'disk' ? storageObstacle(node, storage, hosts) : undefined;
    if (obstacle) return { code: 'source', vmid, node, obstacle };
  }
  return undefined;
}

/** What has no other place is made beside what it is made of; before 8 it is the start that asks whether disks belong there. */
export function besideObstacle(
  { storage: other }: Pick<Machine, 'storage'>,
  { vmid, node, volumes }: Source,
  hosts: Storages,
): NodeObstacle | undefined {
  if (other !== undefined) return undefined;
  for (const { kind, storage } of volumes) {
    const obstacle = kind === 'iso' ? undefined : diskObstacle(node, storage, hosts);
    if (obstacle) return { code: 'source', vmid, node, obstacle };
  }
  return undefined;
}

/** A clone with `target` needs every volume on shared storage, ISO and cloud-init drive included. */
function remoteObstacle(
  { vmid, node, volumes }: Source,
  target: string,
  hosts: Storages,
): NodeObstacle | undefined {
  for (const { key, storage } of volumes) {
    if (hosts.storages.get(`${node}/${storage}`)?.shared !== true)
      return { code: 'only-there', key, vmid, storage, node };
    const obstacle = storageObstacle(target, storage, hosts);
    if (obstacle) return obstacle;
  }
  return undefined;
}

/** The storage that the lab names for the machine. */
export function targetObstacle(
  { storage }: Pick<Machine, 'storage'>,
  source: Pick<Source, 'node' | 'vmid'>,
  target: string,
  hosts: Storages,
): NodeObstacle | undefined {
  if (storage === undefined) return undefined;
  const obstacle = diskObstacle(target, storage, hosts);
  if (obstacle || target === source.node) return obstacle;
  if (hosts.storages.get(`${target}/${storage}`)?.shared !== true) return { code: 'clone-unshared', storage };
  const here = diskObstacle(source.node, storage, hosts);
  return here && { code: 'source', vmid: source.vmid, node: source.node, obstacle: here };
}

/** Lock keys of a clone: one per storage it allocates on. */
export function cloneLocks(machine: Machine, source: Source, storages: StorageIndex): readonly string[] {
  const names =
    machine.storage === undefined ? source.volumes.map((volume) => volume.storage) : [machine.storage];
  return storageLocks(names, source.node, storages);
}
