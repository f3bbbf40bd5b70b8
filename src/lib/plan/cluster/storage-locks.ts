/** By which of PVE's storage locks work waits for other work. Decides nothing else. */
import { compareText } from '../../order.ts';
import type { StorageIndex } from './templates.ts';

/** Lock keys of work on these storages of a node: `shared:<id>` or `<node>:<id>`. */
export function storageLocks(names: Iterable<string>, node: string, storages: StorageIndex): string[] {
  return [...new Set(names)]
    .map((name) => (storages.get(`${node}/${name}`)?.shared ? `shared:${name}` : `${node}:${name}`))
    .sort(compareText);
}
