/** Where on another node a guest's node-local disks go: the storage of the same name, or the one that stands for it. */
import { gib } from '../../../bytes.ts';
import type { BalanceConfig } from '../../../config/balance/types.ts';
import type { BalanceGuest } from '../../../inventory/balance-types.ts';
import { privilegesOn } from '../../../inventory/rights.ts';
import type { Rights, StorageInfo } from '../../../inventory/types.ts';
import { groupBy } from '../../../group.ts';
import { compareNatural } from '../../../order.ts';
import { takesCopies } from '../../../pve-values/storage-types.ts';
import type { LocalVolume } from '../core/types.ts';

/** With `why`: there is none for it, and it keeps its name. */
interface Landing {
  readonly storage: string;
  readonly why?: string;
}

export type Landings = (vmid: number, storage: string, node: string) => Landing;

interface Parts {
  readonly config: Pick<BalanceConfig, 'storageMap'>;
  readonly guests: ReadonlyMap<number, BalanceGuest>;
  readonly localVolumes: ReadonlyMap<number, readonly LocalVolume[]>;
  /** By `node storage`. */
  readonly storages: ReadonlyMap<string, StorageInfo>;
  /** The caller's; undefined: not known. */
  readonly rights: Rights | undefined;
}

const freeOn = ({ total, used }: StorageInfo): number => total - used;

/** Storages of a node that could take what is on `from`; those that are written in the order in which they are. */
function candidates(
  from: StorageInfo,
  { rows: there, content: needed }: { readonly rows: readonly StorageInfo[]; readonly content: string },
  { config }: Parts,
): StorageInfo[] {
  const { written, automatic } = config.storageMap;
  const fit = there.filter(
    ({ type, active, content }) => active && content.includes(needed) && takesCopies(from.type, type),
  );
  if (Object.hasOwn(written, from.storage))
    return (written[from.storage] ?? []).flatMap((name) => fit.find(({ storage }) => storage === name) ?? []);
  return automatic ? fit.filter(({ type, shared }) => type === from.type && !shared) : [];
}

/** Of storages that are written, and that cannot take it: those that the node has are not told as missing. */
function unfit(
  { storage, type }: StorageInfo,
  rows: readonly StorageInfo[],
  { config: { storageMap } }: Parts,
): string {
  const named = storageMap.written[storage] ?? [];
  const there = rows.filter((row) => named.includes(row.storage));
  if (there.length === 0) return 'nor has the node any that storage_map names for it';
  return there
    .map((row) =>
      !row.active
        ? `${row.storage}, which storage_map names for it, is not active`
        : takesCopies(type, row.type)
          ? `${row.storage}, which storage_map names for it, does not take such disks (its content)`
          : `${row.storage}, which storage_map names for it, is of type ${row.type}: no disk of ${type} migrates onto it`,
    )
    .join(', ');
}

/** What nobody wrote may not cost a run that did without it its rights: such a guest stays, and it is told why. */
function lacking(vmid: number, storage: string, rights: Rights | undefined): string | undefined {
  if (!rights) return undefined;
  const needs = [
    ['VM.Config.Disk', `/vms/${vmid}`],
    ['Datastore.AllocateSpace', `/storage/${storage}`],
  ] as const;
  const missing = needs.filter(([privilege, path]) => privilegesOn(rights, path)[privilege] === undefined);
  if (missing.length === 0) return undefined;
  const said = missing.map(([privilege, path]) => `${privilege} on ${path}`).join(' and ');
  return `${storage} could take it, for which the caller lacks ${said}`;
}

function choose(
  from: StorageInfo,
  { vmid, type, ha, bytes }: Pick<BalanceGuest, 'vmid' | 'type' | 'ha'> & { readonly bytes: number },
  { rows, parts }: { readonly rows: readonly StorageInfo[]; readonly parts: Parts },
): Landing {
  const { storage } = from;
  const found = candidates(from, { rows, content: type === 'lxc' ? 'rootdir' : 'images' }, parts);
  const isWritten = Object.hasOwn(parts.config.storageMap.written, storage);
  if (found.length === 0) return { storage, why: isWritten ? unfit(from, rows, parts) : '' };
  if (ha) return { storage, why: 'HA moves disks to a storage of the same name only' };
  const roomy = found.filter((row) => freeOn(row) >= bytes);
  const [first, ...others] = roomy;
  if (!first) {
    const free = found.map((row) => `${row.storage} has ${gib(Math.max(freeOn(row), 0))} free`);
    return { storage, why: `${free.join(', ')}, ${gib(bytes)} are needed` };
  }
  if (isWritten) return { storage: first.storage };
  if (others.length === 0) {
    const why = lacking(vmid, first.storage, parts.rights);
    return why === undefined ? { storage: first.storage } : { storage, why };
  }
  const names = roomy.map((row) => row.storage).sort(compareNatural);
  return { storage, why: `${names.join(' and ')} could take it: storage_map says which` };
}

/** By what is free now, not by what the plan puts where: the answer for a guest is the same throughout a plan. */
export function landings(parts: Parts): Landings {
  const { guests, localVolumes, storages } = parts;
  const byNode = groupBy(storages.values(), ({ node }) => node);
  const known = new Map<string, Landing>();
  return (vmid, storage, node) => {
    const guest = guests.get(vmid);
    const from = guest && storages.get(`${guest.node} ${storage}`);
    if (!from || from.shared || storages.has(`${node} ${storage}`)) return { storage };
    const key = `${vmid} ${storage} ${node}`;
    const before = known.get(key);
    if (before) return before;
    const own = (localVolumes.get(vmid) ?? []).filter((volume) => volume.storage === storage);
    const bytes = own.reduce((sum, volume) => sum + volume.bytes, 0);
    const landing = choose(
      from,
      { vmid, type: guest.type, ha: guest.ha, bytes },
      { rows: byNode.get(node) ?? [], parts },
    );
    known.set(key, landing);
    return landing;
  };
}
