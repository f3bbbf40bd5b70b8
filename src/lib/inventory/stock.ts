/** Reads what nodes have that configurations name: files, mappings, machine types, definitions of storages. One list each, and only what is named. */
import pMap from 'p-map';
import {
  hostDevices,
  neededFiles,
  versionedMachine,
  type Mapping,
  type NeededFile,
} from '../pve-values/host-ties.ts';
import { allVolumes } from '../pve-values/volumes.ts';
import type { PveApi } from '../proxmox/types.ts';
import { unlessRefused } from './forbidden.ts';
import { PARALLEL_READS } from './parallel.ts';
import { privilegesOn } from './rights.ts';
import type { NodeStock, Rights, StorageInfo, VmConfig } from './types.ts';

export interface StockScope {
  readonly configs: readonly VmConfig[];
  /** Storages that others than the configurations name. */
  readonly named: readonly string[];
  readonly storages: readonly StorageInfo[];
  readonly online: ReadonlySet<string>;
  readonly rights: Rights;
  /** Guests that may be moved as they are: of images in drives and definitions other things are known. */
  readonly moving?: true;
  /** Whether machine types are asked for; absent: where a configuration pins one. */
  readonly machines?: 'wanted' | 'known';
  readonly signal: AbortSignal | undefined;
}

function fileKey(node: string, { storage, content }: Pick<NeededFile, 'storage' | 'content'>): string {
  return `${node} ${storage} ${content}`;
}

/** An image in a drive is looked for where its template is, and that list is the one of all who share the storage; a snippet wherever a clone may start. PVE shows snippets to Datastore.Allocate alone. */
function filesToList({ configs, storages, online, rights, moving }: StockScope): [string, NeededFile][] {
  const lists = new Map<string, [string, NeededFile]>();
  for (const { node: home, values } of configs) {
    for (const file of neededFiles(values)) {
      const may = privilegesOn(rights, `/storage/${file.storage}`)['Datastore.Allocate'] === true;
      if (file.content === 'snippets' ? !may : moving === true) continue;
      for (const { node, storage, active, shared } of storages) {
        const isWanted = file.content === 'snippets' || node === home || shared;
        if (storage !== file.storage || !active || !online.has(node) || !isWanted) continue;
        lists.set(fileKey(node, file), [node, file]);
      }
    }
  }
  return [...lists.values()];
}

/** One list of a shared storage is that of all its nodes. */
async function readFiles(pve: PveApi, scope: StockScope): Promise<NodeStock['files']> {
  const shared = new Set(scope.storages.filter((row) => row.shared).map(({ storage }) => storage));
  const wanted = filesToList(scope);
  const asked = new Map<string, Promise<readonly string[] | undefined>>();
  const read = (node: string, file: NeededFile): Promise<readonly string[] | undefined> => {
    const { storage, content } = file;
    const key = shared.has(storage) ? `${storage} ${content}` : fileKey(node, file);
    const known =
      asked.get(key) ?? unlessRefused(pve.storageFiles({ node, storage, content }, scope.signal), undefined);
    asked.set(key, known);
    return known;
  };
  const entries = await pMap(
    wanted,
    async ([node, file]) => [fileKey(node, file), await read(node, file)] as const,
    { concurrency: PARALLEL_READS },
  );
  return Object.fromEntries(entries.flatMap(([key, files]) => (files ? [[key, files]] : [])));
}

async function readMappings(
  pve: PveApi,
  { configs, rights, signal }: StockScope,
): Promise<Record<string, readonly string[]>> {
  const mappings = configs.flatMap(({ values }) =>
    hostDevices(values).flatMap(({ mapping }) => mapping ?? []),
  );
  const kinds = [...new Set(mappings.map(({ kind }) => kind))];
  const lists = await pMap(kinds, async (kind) => {
    const rows = await unlessRefused(pve.mappings(kind, signal), undefined);
    return rows?.map(({ id, nodes }) => [`${kind} ${id}`, nodes] as const);
  });
  if (lists.some((rows) => rows === undefined)) return {};
  const isShown = ({ kind, id }: Mapping): boolean =>
    Object.keys(privilegesOn(rights, `/mapping/${kind}/${id}`)).some((name) => name.startsWith('Mapping.'));
  // What is not listed although it would be shown is nowhere.
  const gone = mappings.filter(isShown).map(({ kind, id }) => [`${kind} ${id}`, []] as const);
  return Object.fromEntries([...gone, ...lists.flatMap((rows) => rows ?? [])]);
}

async function readMachines(
  pve: PveApi,
  { configs, online, machines, signal }: StockScope,
): Promise<Record<string, readonly string[]>> {
  const arePinned = configs.some(({ values }) => versionedMachine(values) !== undefined);
  if (machines === 'known' || (machines === undefined && !arePinned)) return {};
  const lists = await pMap(
    online,
    async (node) => [node, await unlessRefused(pve.machineTypes(node, signal), undefined)] as const,
    { concurrency: PARALLEL_READS },
  );
  return Object.fromEntries(
    lists.flatMap(([node, types]) => (types && types.length > 0 ? [[node, types]] : [])),
  );
}

/** The rows leave out a storage that is disabled, not defined, or kept off the node, without saying which. */
async function readDefinitions(
  pve: PveApi,
  { configs, named, storages, online, signal }: StockScope,
): Promise<NodeStock['definitions']> {
  const names = new Set([
    ...named,
    ...configs.flatMap(({ values }) => [
      ...allVolumes(values).map(({ storage }) => storage),
      ...neededFiles(values).map(({ storage }) => storage),
    ]),
  ]);
  const there = new Set(storages.map(({ node, storage }) => `${node} ${storage}`));
  const isWhole = [...names].every((name) => [...online].every((node) => there.has(`${node} ${name}`)));
  if (isWhole) return undefined;
  const rows = await unlessRefused(pve.storageDefinitions(signal), undefined);
  return rows && Object.fromEntries(rows.map(({ storage, ...definition }) => [storage, definition]));
}

export async function readStock(pve: PveApi, scope: StockScope): Promise<NodeStock> {
  const isMoving = scope.moving === true;
  const [definitions, files, mappings, machines] = await Promise.all([
    isMoving ? undefined : readDefinitions(pve, scope),
    readFiles(pve, scope),
    readMappings(pve, scope),
    readMachines(pve, scope),
  ]);
  return { ...(definitions === undefined ? {} : { definitions }), files, mappings, machines };
}

/** What two readings found, the later one's word before the earlier one's. */
export function joinStock(before: NodeStock | undefined, after: NodeStock): NodeStock {
  return {
    ...before,
    ...after,
    files: { ...before?.files, ...after.files },
    mappings: { ...before?.mappings, ...after.mappings },
    machines: { ...before?.machines, ...after.machines },
  };
}
