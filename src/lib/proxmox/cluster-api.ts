/** Endpoints about the cluster as a whole and its storages. Must not decide anything. */
import { plainEntries } from './answer.ts';
import { isAlreadyExists } from './words.ts';
import type { Requests } from './http.ts';
import { path } from './form.ts';
import { haName } from '../pve-values/guest-kinds.ts';
import { compact } from '../compact.ts';
import { rowOf, rowsOf, valuesOf, type Row } from './rows.ts';
import type { PveApi, ResourceRow } from './types.ts';

type ClusterApi = Pick<
  PveApi,
  | 'serverTime'
  | 'version'
  | 'clusterStatus'
  | 'resources'
  | 'isVmidFree'
  | 'nodeHaStates'
  | 'removeHaResource'
>;

export function clusterApi(http: Requests): ClusterApi {
  return {
    serverTime: () => http.serverTime(),
    version: async (signal) => {
      const row = rowOf(await http.get('/version', {}, signal));
      return { version: row.text('version'), release: row.text('release') };
    },
    clusterStatus: async (signal) => {
      const rows = rowsOf(await http.get('/cluster/status', {}, signal));
      const cluster = rows.find((row) => row.text('type') === 'cluster');
      const nodes = rows.filter((row) => row.text('type') === 'node');
      return {
        ...(cluster ? { cluster: { name: cluster.text('name'), quorate: cluster.flag('quorate') } } : {}),
        nodes: nodes.map((row) => ({ name: row.text('name'), online: row.flag('online') })),
      };
    },
    resources: async (signal) => rowsOf(await http.get('/cluster/resources', {}, signal)).map(resourceOf),
    isVmidFree: async (vmid, signal) => {
      try {
        await http.get('/cluster/nextid', { vmid }, signal);
        return true;
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        return false;
      }
    },
    nodeHaStates: async (signal) => {
      const answer = await http.get('/cluster/ha/status/manager_status', {}, signal);
      const manager = new Map(plainEntries(answer.data)).get('manager_status');
      return valuesOf(new Map(plainEntries(manager)).get('node_status'));
    },
    removeHaResource: async (guest, signal) => {
      await http.delete(path`/cluster/ha/resources/${haName(guest)}`, {}, signal);
    },
  };
}

/** SDN's zones are rows of type `sdn` until 8, of type `network` since, among fabrics. */
function zoneOf(row: Row): string | undefined {
  return row.maybeText('network-type') === 'zone' ? row.maybeText('network') : row.maybeText('sdn');
}

function resourceOf(row: Row): ResourceRow {
  return compact({
    id: row.maybeText('id') ?? '',
    type: row.text('type'),
    node: row.maybeText('node'),
    vmid: row.maybeNumber('vmid'),
    name: row.maybeText('name'),
    status: row.maybeText('status'),
    template: row.maybeFlag('template'),
    pool: row.maybeText('pool'),
    lock: row.maybeText('lock'),
    tags: row.maybeText('tags'),
    hastate: row.maybeText('hastate'),
    storage: row.maybeText('storage'),
    zone: zoneOf(row),
    plugintype: row.maybeText('plugintype'),
    shared: row.maybeFlag('shared'),
    content: row.maybeText('content'),
    cpu: row.measured('cpu'),
    maxcpu: row.measured('maxcpu'),
    mem: row.measured('mem'),
    maxmem: row.measured('maxmem'),
    disk: row.measured('disk'),
    maxdisk: row.measured('maxdisk'),
    uptime: row.measured('uptime'),
    memhost: row.measured('memhost'),
  });
}
