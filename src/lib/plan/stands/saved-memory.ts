/** Where PVE writes the memory of a VM, and how much room that takes. Plans nothing. */
import { MIB } from '../../bytes.ts';
import type { StorageInfo } from '../../inventory/types.ts';
import { storageTraits } from '../../pve-values/storage-types.ts';
import { volumesOf } from '../../pve-values/volumes.ts';

type Row = Pick<StorageInfo, 'storage' | 'shared' | 'type'>;

/**
 * As PVE chooses it (qemu-server, find_vmstate_storage): the one that the VM names; else a shared one of its disks; else any
 * of those; among them rather one of files. `rows`: of its node.
 */
export function stateStorageOf(
  values: Readonly<Record<string, string>>,
  rows: ReadonlyMap<string, Row>,
): string {
  const named = values['vmstatestorage'];
  if (named !== undefined) return named;
  const used = [...new Set(volumesOf(values).map(({ storage }) => storage))].sort();
  const pick = (shared: boolean): string | undefined => {
    const found = used.filter((id) => (rows.get(id)?.shared ?? false) === shared);
    return found.findLast((id) => storageTraits(rows.get(id)?.type ?? '').files) ?? found[0];
  };
  return pick(true) ?? pick(false) ?? 'local';
}

/** Twice the memory, and 500 MiB for the devices: it is written while the machine runs on. */
export function stateBytes(memory: number): number {
  return 2 * memory + 500 * MIB;
}
