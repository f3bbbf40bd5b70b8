/** Endpoints about guests. Must not decide anything. */
import { isNoSuchSnapshot, isNoSuchVm } from './words.ts';
import { path, type Params } from './form.ts';
import { guestPath } from './guest-path.ts';
import type { Requests } from './http.ts';
import { compact } from '../compact.ts';
import { rowOf, rowsOf, unexpected, valuesOf, type Row } from './rows.ts';
import { isRecord } from './answer.ts';
import { nameOption, USUAL_KIND, type GuestAt } from '../pve-values/guest-kinds.ts';
import type { ConfigValues, PveApi } from './types.ts';
import { upidOf } from './upid.ts';

type GuestApi = Pick<
  PveApi,
  | 'nodeVms'
  | 'guestConfig'
  | 'vmPending'
  | 'cloneVm'
  | 'updateVmConfig'
  | 'convertToTemplate'
  | 'snapshots'
  | 'snapshotConfig'
  | 'snapshotConfigs'
  | 'snapshotVm'
  | 'deleteSnapshot'
  | 'rollbackVm'
  | 'startVm'
  | 'stopVm'
  | 'deleteVm'
  | 'shutdownVm'
  | 'rebootVm'
  | 'suspendVm'
  | 'resumeVm'
  | 'vmStatus'
>;
type ConfigChange = Parameters<PveApi['updateVmConfig']>[1];

export function guestApi(http: Requests): GuestApi {
  return {
    nodeVms: async ({ node, type = USUAL_KIND }, signal) =>
      rowsOf(await http.get(path`/nodes/${node}/${type}`, {}, signal)).map((row) =>
        compact({
          vmid: row.number('vmid'),
          name: row.maybeText('name'),
          status: row.text('status'),
          lock: row.maybeText('lock'),
          uptime: row.maybeNumber('uptime'),
          mem: row.maybeNumber('mem'),
        }),
      ),
    guestConfig: (guest, signal) => readConfig(http, `${guestPath(guest)}/config`, signal),
    vmPending: async (guest, signal) => {
      try {
        const rows = rowsOf(await http.get(`${guestPath(guest)}/pending`, {}, signal));
        const column = (name: 'value' | 'pending'): ConfigValues =>
          valuesOf(Object.fromEntries(rows.map((row) => [row.text('key'), row.get(name)])));
        return { now: column('value'), next: column('pending') };
      } catch (error) {
        if (isNoSuchVm(error)) return undefined;
        throw error;
      }
    },
    cloneVm: async (request, signal) => {
      const params = {
        newid: request.vmid,
        [nameOption(request.type)]: request.name,
        description: request.description,
        full: request.full,
        target: request.target === request.node ? undefined : request.target,
        storage: request.storage,
        pool: request.pool,
      };
      return upidOf(
        await http.post(`${guestPath({ ...request, vmid: request.templateVmid })}/clone`, params, signal),
      );
    },
    updateVmConfig: async (guest, change, signal) => {
      await http.put(`${guestPath(guest)}/config`, changeParams(change), signal);
    },
    convertToTemplate: async (guest, signal) =>
      upidOf(await http.post(`${guestPath(guest)}/template`, {}, signal)),
    snapshots: async (guest, signal) =>
      (await snapshotRows(http, guest, signal)).map((row) =>
        compact({
          name: row.text('name'),
          description: row.comment('description'),
          time: row.maybeNumber('snaptime'),
          vmstate: row.flag('vmstate'),
          parent: row.maybeText('parent'),
        }),
      ),
    snapshotConfig: async (guest, snapshot, signal) => {
      try {
        return await unlessGone(
          readConfig(http, `${guestPath(guest)}${path`/snapshot/${snapshot}/config`}`, signal),
        );
      } catch (error) {
        if (isNoSuchVm(error)) return undefined;
        throw error;
      }
    },
    snapshotConfigs: async (guest, signal) => {
      const configs: ConfigValues[] = [];
      try {
        // One after the other: a guest may have many, and other guests are read meanwhile.
        for (const row of await snapshotRows(http, guest, signal)) {
          const name = row.text('name');
          const url = `${guestPath(guest)}${path`/snapshot/${name}/config`}`;
          const answer = await unlessGone(http.get(url, {}, signal));
          if (answer && !isRecord(answer.data)) throw unexpected(answer, 'data is not an object');
          if (answer) configs.push(configOf(answer.data));
        }
      } catch (error) {
        if (isNoSuchVm(error)) return [];
        throw error;
      }
      return configs;
    },
    snapshotVm: async (guest, { snapshot, description, withMemory }, signal) => {
      const params = { snapname: snapshot, description, vmstate: withMemory ? true : undefined };
      return upidOf(await http.post(`${guestPath(guest)}/snapshot`, params, signal));
    },
    deleteSnapshot: async (guest, snapshot, signal) =>
      upidOf(await http.delete(`${guestPath(guest)}${path`/snapshot/${snapshot}`}`, {}, signal)),
    rollbackVm: async (guest, { snapshot, start }, signal) => {
      const url = `${guestPath(guest)}${path`/snapshot/${snapshot}/rollback`}`;
      return upidOf(await http.post(url, { start: start ? true : undefined }, signal));
    },
    startVm: async (guest, signal) => upidOf(await http.post(`${guestPath(guest)}/status/start`, {}, signal)),
    stopVm: async (guest, signal) => upidOf(await http.post(`${guestPath(guest)}/status/stop`, {}, signal)),
    shutdownVm: async (guest, { timeout, force }, signal) => {
      const params = { timeout, forceStop: force ? true : undefined };
      return upidOf(await http.post(`${guestPath(guest)}/status/shutdown`, params, signal));
    },
    rebootVm: async (guest, { timeout }, signal) =>
      upidOf(await http.post(`${guestPath(guest)}/status/reboot`, { timeout }, signal)),
    suspendVm: async (guest, storage, signal) => {
      const params = storage === undefined ? {} : { todisk: true, statestorage: storage };
      return upidOf(await http.post(`${guestPath(guest)}/status/suspend`, params, signal));
    },
    resumeVm: async (guest, signal) =>
      upidOf(await http.post(`${guestPath(guest)}/status/resume`, {}, signal)),
    deleteVm: async (guest, { purge, skipLock }, signal) => {
      const params = { purge: purge ? true : undefined, skiplock: skipLock === true ? true : undefined };
      return upidOf(await http.delete(guestPath(guest), params, signal));
    },
    vmStatus: async (guest, signal) => {
      const row = rowOf(await http.get(`${guestPath(guest)}/status/current`, {}, signal));
      return compact({
        status: row.text('status'),
        lock: row.maybeText('lock'),
        monitor: row.maybeText('qmpstatus'),
        uptime: row.maybeNumber('uptime'),
      });
    },
  };
}

async function snapshotRows(http: Requests, guest: GuestAt, signal: AbortSignal | undefined): Promise<Row[]> {
  return rowsOf(await http.get(`${guestPath(guest)}/snapshot`, {}, signal)).filter(
    (row) => row.text('name') !== 'current',
  );
}

/** Undefined: the snapshot was deleted since the list of them was read. */
async function unlessGone<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isNoSuchSnapshot(error)) return undefined;
    throw error;
  }
}

async function readConfig(
  http: Requests,
  url: string,
  signal: AbortSignal | undefined,
): Promise<ConfigValues | undefined> {
  try {
    const answer = await http.get(url, {}, signal);
    if (!isRecord(answer.data)) throw unexpected(answer, 'data is not an object');
    return configOf(answer.data);
  } catch (error) {
    if (isNoSuchVm(error)) return undefined;
    throw error;
  }
}

/** Of a container: pairs for LXC itself, which no other key has. */
function rawSettings(data: unknown): ConfigValues {
  const raw = isRecord(data) ? data['lxc'] : undefined;
  if (!Array.isArray(raw) || raw.length === 0) return {};
  return { lxc: raw.map((pair) => (Array.isArray(pair) ? pair.map(String).join('=') : '')).join('\n') };
}

function configOf(data: unknown): ConfigValues {
  const values = { ...valuesOf(data), ...rawSettings(data) };
  // PVE ends descriptions with a newline of its own.
  const description = values['description']?.replace(/\n+$/, '');
  return description === undefined ? values : { ...values, description };
}

function changeParams({ set, remove, digest }: ConfigChange): Params {
  const sshkeys = set['sshkeys'];
  return {
    ...set,
    ...(sshkeys === undefined ? {} : { sshkeys: encodedKeys(sshkeys) }),
    delete: remove.length > 0 ? remove : undefined,
    digest,
  };
}

/** PVE wants this one value percent-encoded before the form is encoded; a plain key always has a blank in it. */
function encodedKeys(keys: string): string {
  return /^[-%a-zA-Z0-9_.!~*'()]*$/.test(keys) ? keys : encodeURIComponent(keys);
}
