/** How a copy of a template gets where it is needed, or why it cannot. Plans no steps. */
import type { Volume } from '../../pve-values/volumes.ts';
import { storageTraits } from '../../pve-values/storage-types.ts';
import type { Machine } from '../../config/types.ts';
import type { StorageInfo } from '../../inventory/types.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import type { StorageIndex, Template } from '../cluster/templates.ts';
import { hostDevices } from '../../pve-values/host-ties.ts';
import { discObstacle } from '../obstacles/node-obstacles.ts';
import type { Hosts } from '../cluster/hosts.ts';
import type { NodeObstacle } from '../obstacles/obstacle.ts';

/** A copy of `source` that is to be made. */
export interface ReplicaNeed {
  readonly source: Template;
  /** Node that it lives on. The source's own, when only an ISO image kept the source from being cloned elsewhere. */
  readonly home: string;
  /** Storage of the copy; absent: those of the source. */
  readonly storage?: string;
  /** Storage on `home`, where it is called differently; absent: the same. */
  readonly targetStorage?: string;
  /** CD drives of which the disc is left out: PVE moves no VM with an image on local storage. */
  readonly eject: readonly string[];
}

interface Search {
  readonly source: Template;
  readonly target: string;
  readonly storages: StorageIndex;
  readonly hosts: Hosts;
}

function at(node: string, name: string, storages: StorageIndex): StorageInfo | undefined {
  const row = storages.get(`${node}/${name}`);
  return row?.active === true ? row : undefined;
}

const holdsImages = (row: StorageInfo | undefined): row is StorageInfo =>
  row?.content.includes('images') === true;

const freeOn = (row: StorageInfo): number => row.total - row.used;

function sizeOf({ volumes }: Template): number {
  return volumes.reduce((sum, { kind, bytes }) => sum + (kind === 'disk' ? bytes : 0), 0);
}

/** The one with the least free space that still holds the template: the roomy ones are kept for what needs them. */
function bestFit(rows: readonly StorageInfo[], bytes: number): string | undefined {
  return rows
    .filter((row) => freeOn(row) >= bytes)
    .sort((a, b) => freeOn(a) - freeOn(b) || compareNatural(a.storage, b.storage))[0]?.storage;
}

/** Volumes that go along. An ISO image that every node has, and that a start there would find, stays in its drive. */
function sortVolumes({ source, target, storages, hosts }: Search): { kept: Volume[]; eject: string[] } {
  const stays = (volume: Volume): boolean =>
    storages.get(`${source.node}/${volume.storage}`)?.shared === true &&
    at(target, volume.storage, storages) !== undefined &&
    discObstacle(target, volume, hosts) === undefined;
  return {
    kept: source.volumes.filter(({ kind }) => kind !== 'iso'),
    eject: source.volumes.filter((volume) => volume.kind === 'iso' && !stays(volume)).map(({ key }) => key),
  };
}

/** Storages that source and target both have, for a full copy that is then moved without changing storage. */
function commonStorage({ source, target, storages }: Search): string | undefined {
  const isLinkable = source.volumes.some(
    ({ kind, storage }) =>
      kind === 'disk' && storageTraits(storages.get(`${source.node}/${storage}`)?.type ?? '').links,
  );
  const rows = [...storages.values()].flatMap((row) => {
    const there = at(target, row.storage, storages);
    if (row.node !== source.node || !row.active || !holdsImages(row) || !holdsImages(there)) return [];
    if (!row.shared && !storageTraits(row.type).migrates) return [];
    if (isLinkable && !storageTraits(row.type).links) return [];
    return [freeOn(there) < freeOn(row) ? there : row];
  });
  return bestFit(rows, sizeOf(source));
}

/** PVE streams a volume only between storages of one kind (pve-storage, `volume_transfer_formats`). */
function alikeStorage({ source, target, storages }: Search, kept: readonly Volume[]): string | undefined {
  const own = kept.map(({ storage }) => storages.get(`${source.node}/${storage}`));
  const types = new Set(own.map((row) => row?.type));
  if (
    types.size !== 1 ||
    own.some((row) => row === undefined || row.shared || !storageTraits(row.type).migrates)
  )
    return undefined;
  const rows = [...storages.values()].filter(
    (row) => row.node === target && row.active && !row.shared && types.has(row.type) && holdsImages(row),
  );
  return bestFit(rows, sizeOf(source));
}

function isMovable({ source, target, storages }: Search, { storage, kind }: Volume): boolean {
  const here = storages.get(`${source.node}/${storage}`);
  const there = at(target, storage, storages);
  if (!here || !there || (kind === 'disk' && !holdsImages(there))) return false;
  return here.shared || storageTraits(here.type).migrates;
}

/** The way of a copy of `source` to where `machine` can be cloned onto `target`, or why there is none. */
export function replicaNeed(
  machine: Machine,
  source: Template,
  target: string,
  { storages, hosts }: Pick<Search, 'storages' | 'hosts'>,
): ReplicaNeed | NodeObstacle {
  const search: Search = { source, target, storages, hosts };
  const { kept, eject } = sortVolumes(search);
  if (!kept.some(({ kind }) => kind === 'disk')) {
    return { code: 'copy-no-disk', vmid: source.vmid, node: source.node };
  }
  const wantsLocal =
    machine.storage !== undefined && storages.get(`${target}/${machine.storage}`)?.shared !== true;
  const everywhere = kept.every(
    ({ storage }) =>
      storages.get(`${source.node}/${storage}`)?.shared && at(target, storage, storages) !== undefined,
  );
  if (everywhere && !wantsLocal) return { source, home: source.node, eject };
  // Mapped ones move with a VM that is off (QemuMigrate.pm); whether the target has them is asked of every clone.
  const device = hostDevices(source.values).find(({ mapping }) => mapping === undefined);
  if (device !== undefined)
    return { code: 'copy-device', vmid: source.vmid, key: device.text, node: source.node };
  if (kept.every((volume) => isMovable(search, volume))) return { source, home: target, eject };
  const storage = commonStorage(search);
  if (storage !== undefined) return { source, home: target, eject, storage };
  const targetStorage = alikeStorage(search, kept);
  if (targetStorage !== undefined) return { source, home: target, eject, targetStorage };
  const names = sortedUnique(kept.map((volume) => volume.storage));
  return { code: 'copy-no-storage', vmid: source.vmid, storages: names, node: source.node };
}

/** Storages that the copy's disks (else: and its cloud-init drive) are on, once it is where it belongs. */
export function replicaStorages(
  { source, storage, targetStorage }: ReplicaNeed,
  which: 'disks' | 'all' = 'all',
): string[] {
  const moved = targetStorage ?? storage;
  if (moved !== undefined) return [moved];
  const volumes = source.volumes.filter(
    ({ kind }) => kind === 'disk' || (kind === 'cloud-init' && which === 'all'),
  );
  return sortedUnique(volumes.map((volume) => volume.storage));
}
