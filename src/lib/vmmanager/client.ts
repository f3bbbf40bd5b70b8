/** The few calls of VMmanager 6 that balance makes, one method each. Holds no policy. */
import type { LinkOptions } from '../proxmox/link-options.ts';
import { isRecord } from './answer.ts';
import { VmmanagerError } from './errors.ts';
import { VmmanagerHttp } from './http.ts';
import {
  readClusters,
  readGuests,
  readMigrations,
  readNodes,
  readTargets,
  readTask,
  wholeNumber,
} from './rows.ts';
import type { VmmanagerApi } from './types.ts';

/** `{"last_notify": N, "list": […]}`, or the bare list. Half a list would make loads look smaller than they are. */
function listOf(document: unknown, path: string): readonly unknown[] {
  const list = isRecord(document) ? document['list'] : document;
  const fail = (text: string, hint: string): never => {
    throw new VmmanagerError({ method: 'GET', path, status: 200, text, hint }, 'VMMANAGER_LIST');
  };
  if (!Array.isArray(list)) return fail('the answer holds no list', 'is this the address of VMmanager 6?');
  const size = isRecord(document) ? wholeNumber(document['size']) : undefined;
  if (size !== undefined && size > list.length)
    return fail(
      `only ${list.length} of ${size} rows came`,
      'nothing is planned from a part; ask the vendor how lists of this version are read as a whole',
    );
  return list;
}

/** 400 and 404 are how versions answer that do not have a function, or a number that nobody knows. */
function isUnknown(error: unknown): boolean {
  return error instanceof VmmanagerError && (error.status === 400 || error.status === 404);
}

/** Contacts nothing yet: the first method called does. */
export function createVmmanagerClient(options: LinkOptions): VmmanagerApi {
  const http = new VmmanagerHttp(options);
  const list = async (path: string, signal?: AbortSignal): Promise<readonly unknown[]> =>
    listOf(await http.get(path, signal), path);
  return {
    clusters: async (signal) => readClusters(await list('/vm/v3/cluster', signal)),
    nodes: async (signal) => readNodes(await list('/vm/v3/node', signal)),
    guests: async (signal) => readGuests(await list('/vm/v3/host', signal)),
    // The single element by its number has neither node nor cluster: the list has.
    guest: async (id, signal) =>
      readGuests(await list(`/vm/v3/host?where=id+EQ+${id}`, signal)).rows.find((row) => row.id === id),
    migrations: async (guest, signal) => {
      const path = `/vm/v3/host/${guest}/history`;
      const { rows, unread } = readMigrations(await list(path, signal));
      if (unread.length > 0)
        throw new VmmanagerError(
          { method: 'GET', path, status: 200, text: `${unread.length} of its migrations cannot be read` },
          'VMMANAGER_LIST',
        );
      return [...rows].sort((a, b) => b.id - a.id);
    },
    targets: async (guest, signal) => {
      try {
        return readTargets(await http.get(`/vm/v3/host/${guest}/migrate`, signal));
      } catch (error) {
        if (isUnknown(error)) return undefined;
        throw error;
      }
    },
    migrate: async ({ guest, node, step }, signal) => {
      const answer = await http.post(`/vm/v3/host/${guest}/migrate`, { node }, { step, signal });
      return isRecord(answer) ? (wholeNumber(answer['task']) ?? undefined) : undefined;
    },
    task: async (number, signal) => {
      try {
        const [row] = await list(`/vm/v3/task?where=consul_id+EQ+${number}`, signal);
        if (row !== undefined) return readTask(row);
      } catch (error) {
        // Versions differ in what they filter by; the other way is the task by its number.
        if (!(error instanceof VmmanagerError) || error.status === 401 || error.status === 403) throw error;
      }
      try {
        return readTask(await http.get(`/vm/v3/task/${number}`, signal));
      } catch (error) {
        if (isUnknown(error)) return undefined;
        throw error;
      }
    },
    serverTime: () => http.serverTime(),
    requests: () => http.requests,
    mask: (text) => http.mask(text),
    close: () => http.close(),
  };
}
