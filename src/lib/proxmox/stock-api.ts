/** Endpoints about what nodes have that configurations name: storages as defined, files, mappings, machine types. Decides nothing. */
import { propertyRecord } from '../pve-values/property-string.ts';
import { path } from './form.ts';
import type { Requests } from './http.ts';
import { compact } from '../compact.ts';
import { rowsOf } from './rows.ts';
import type { StockApi } from './stock-types.ts';
import { isNotImplemented } from './words.ts';

export function stockApi(http: Requests): StockApi {
  return {
    storageDefinitions: async (signal) =>
      rowsOf(await http.get('/storage', {}, signal)).map((row) => {
        const nodes = row.list('nodes');
        return compact({
          storage: row.text('storage'),
          disabled: row.flag('disable'),
          nodes: nodes.length > 0 ? nodes : undefined,
        });
      }),
    storageFiles: async ({ node, storage, content }, signal) => {
      const answer = await http.get(path`/nodes/${node}/storage/${storage}/content`, { content }, signal);
      return rowsOf(answer).map((row) => row.text('volid'));
    },
    imageSizes: async ({ node, storage }, signal) => {
      const url = path`/nodes/${node}/storage/${storage}/content`;
      return rowsOf(await http.get(url, { content: 'images' }, signal)).map((row) => ({
        volid: row.text('volid'),
        bytes: row.number('size'),
      }));
    },
    mappings: async (kind, signal) => {
      try {
        return rowsOf(await http.get(`/cluster/mapping/${kind}`, {}, signal)).map((row) => {
          const map = row.get('map');
          const entries = Array.isArray(map) ? map.filter((entry) => typeof entry === 'string') : [];
          return {
            id: row.text('id'),
            nodes: entries.flatMap((entry) => propertyRecord(entry)['node'] ?? []),
          };
        });
      } catch (error) {
        if (isNotImplemented(error)) return [];
        throw error;
      }
    },
    machineTypes: async (node, signal) =>
      rowsOf(await http.get(path`/nodes/${node}/capabilities/qemu/machines`, {}, signal)).map((row) =>
        row.text('id'),
      ),
  };
}
