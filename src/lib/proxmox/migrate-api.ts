/** Endpoints about moving guests to other nodes. Must not decide anything. */
import { isRecord } from './answer.ts';
import type { BalanceApi } from './balance-types.ts';
import { guestPath } from './guest-path.ts';
import type { Requests } from './http.ts';
import { compact } from '../compact.ts';
import { rowOf, type Row } from './rows.ts';
import { upidOf } from './upid.ts';

type MigrateApi = Pick<BalanceApi, 'runningMachine' | 'migrateProblems' | 'migrateVm' | 'migrateContainer'>;

export function migrateApi(
  http: Requests,
  hasConntrack: (signal?: AbortSignal) => Promise<boolean>,
): MigrateApi {
  return {
    runningMachine: async (guest, signal) => {
      const row = rowOf(await http.get(`${guestPath(guest)}/status/current`, {}, signal));
      return compact({ machine: row.maybeText('running-machine'), qemu: row.maybeText('running-qemu') });
    },
    migrateProblems: async ({ node, vmid, target, mapped = [] }, signal) => {
      const row = rowOf(await http.get(`${guestPath({ node, vmid })}/migrate`, { target }, signal));
      return { runs: row.flag('running'), problems: problemsIn(row, target, mapped) };
    },
    migrateVm: async (request, signal) => {
      const { node, vmid, target, online, withLocalDisks, bandwidth, targetStorage } = request;
      const params = {
        target,
        targetstorage: targetStorage === undefined ? undefined : storageMapText(targetStorage),
        online: online ? true : undefined,
        'with-local-disks': withLocalDisks ? true : undefined,
        bwlimit: bandwidth,
        'with-conntrack-state': request.conntrack && (await hasConntrack(signal)) ? true : undefined,
      };
      return upidOf(await http.post(`${guestPath({ node, vmid })}/migrate`, params, signal));
    },
    migrateContainer: async ({ node, vmid, target, restart, targetStorage, bandwidth }, signal) => {
      const params = {
        target,
        'target-storage': targetStorage === undefined ? undefined : storageMapText(targetStorage),
        restart: restart ? true : undefined,
        bwlimit: bandwidth,
      };
      return upidOf(await http.post(`${guestPath({ node, vmid, type: 'lxc' })}/migrate`, params, signal));
    },
  };
}

/** Format `storage-pair-list`. */
function storageMapText(map: string | Readonly<Record<string, string>>): string {
  if (typeof map === 'string') return map;
  return Object.entries(map)
    .map((pair) => pair.join(':'))
    .join(',');
}

/** Blocking things by what PVE calls them: `unavailable_storages`, `blocking-ha-resources`, … */
function problemsIn(row: Row, target: string, mapped: readonly string[]): string[] {
  const local = row.list('local_resources');
  const problems = local.length > 0 ? [`local devices: ${local.join(', ')}`] : [];
  const refused = row.get('not_allowed_nodes');
  const entry: unknown = isRecord(refused) && Object.hasOwn(refused, target) ? refused[target] : undefined;
  if (!isRecord(entry)) return problems;
  for (const [what, list] of Object.entries(entry)) {
    const all = Array.isArray(list) ? list.map(nameOf) : [];
    const names = what === 'unavailable_storages' ? all.filter((name) => !mapped.includes(name)) : all;
    if (names.length > 0) problems.push(`${what.replaceAll(/[-_]/g, ' ')}: ${names.join(', ')}`);
  }
  return problems;
}

/** Storages and mappings are texts, HA resources are `{ sid, cause }`. */
function nameOf(value: unknown): string {
  if (isRecord(value) && typeof value['sid'] === 'string') return value['sid'];
  return typeof value === 'string' ? value : JSON.stringify(value);
}
