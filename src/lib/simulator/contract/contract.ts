/** The contract of one simulated version, parsed once. Holds no state of a cluster. */
import type { Version } from '../version.ts';
import { accessTable } from './access-table.ts';
import { clusterTable } from './cluster-table.ts';
import { formatTable } from './format-table.ts';
import { haTable } from './ha-table.ts';
import { lxcTable } from './lxc-table.ts';
import { officialPaths } from './official-paths.ts';
import { nodeTable } from './node-table.ts';
import { parseTables, type Contract } from './parse-tables.ts';
import { qemuTable } from './qemu-table.ts';
import { sdnTable } from './sdn-table.ts';

const cache = new Map<Version, Contract>();

export function contractOf(version: Version): Contract {
  const known = cache.get(version);
  if (known) return known;
  const contract = parseTables(
    [accessTable, clusterTable, haTable, lxcTable, nodeTable, qemuTable, sdnTable, formatTable],
    version,
  );
  cache.set(version, contract);
  return contract;
}

/** Everything that PVE of this version answers to, whether it is modelled or not. */
export function officialEndpointsOf(version: Version): { readonly method: string; readonly path: string }[] {
  const major = version.slice(0, 1);
  return officialPaths
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [path = '', ...methods] = line.split(' ');
      return methods.flatMap((written) => {
        const [, method = '', majors = ''] = /^([A-Z]+)(\d*)$/.exec(written) ?? [];
        return majors === '' || majors.includes(major) ? [{ method, path }] : [];
      });
    });
}
