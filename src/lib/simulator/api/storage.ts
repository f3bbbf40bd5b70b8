/** `/storage` and `/nodes/{node}/storage`. See pve-storage API2/Storage/{Config,Status,Content}.pm. */
import { splitList } from '../contract/formats.ts';
import { die } from '../pve-error.ts';
import type { Call, Handlers } from '../sim.ts';
import type { StorageState, VolumeState } from '../state.ts';
import { activateStorage } from '../guest/volumes.ts';
import { isOnNode, spaceOf } from './storage-view.ts';

const auditPrivileges = ['Datastore.Audit', 'Datastore.AllocateSpace'];

function known(call: Call): StorageState {
  const id = call.params.text('storage');
  return call.sim.world.storages.get(id) ?? die(`storage '${id}' does not exist`);
}

function statusRow(call: Call, storage: StorageState): Record<string, unknown> {
  const { total, used, avail } = spaceOf(call.sim, storage, call.node);
  const active = !storage.disabled && storage.offlineOn?.includes(call.node) !== true;
  return {
    storage: storage.storage,
    type: storage.type,
    content: storage.content.join(','),
    shared: storage.shared ? 1 : 0,
    enabled: storage.disabled ? 0 : 1,
    active: active ? 1 : 0,
    total: active ? total : 0,
    used: active ? used : 0,
    avail: active ? avail : 0,
    ...(active && total > 0 ? { used_fraction: used / total } : {}),
  };
}

function listOnNode(call: Call): unknown {
  const { sim, params, user, node } = call;
  const contents = splitList(params.text('content'));
  const target = params.optText('target');
  const only = params.optText('storage');
  if (target !== undefined && !sim.world.nodes.has(target)) die(`node '${target}' does not exist`);
  return [...sim.world.storages.values()]
    .filter((storage) => isOnNode(storage, node) && (only === undefined || only === storage.storage))
    .filter((storage) => sim.rights.hasAny(user, `/storage/${storage.storage}`, auditPrivileges))
    .filter((storage) => contents.length === 0 || contents.some((one) => storage.content.includes(one)))
    .filter((storage) => !storage.disabled || (contents.length === 0 && !params.flag('enabled')))
    .filter(
      (storage) => target === undefined || target === node || (storage.shared && isOnNode(storage, target)),
    )
    .map((storage) => statusRow(call, storage));
}

/** Storage.pm check_volume_access, without a machine that would own it. */
function mayAccess({ sim, user }: Call, { storage, content, vmid }: VolumeState): boolean {
  const has = (privilege: string): boolean => sim.rights.has(user, `/storage/${storage}`, privilege);
  if (content === 'iso' || has('Datastore.Allocate')) return true;
  if (content !== 'images' || vmid === undefined) return false;
  return has('Datastore.Audit') && sim.rights.has(user, `/vms/${vmid}`, 'VM.Config.Disk');
}

function listContent(call: Call): unknown {
  const { sim, params, node } = call;
  const storage = known(call);
  activateStorage(sim, storage.storage, node);
  const content = params.optText('content');
  const vmid = params.optNumber('vmid');
  const visible = (volume: VolumeState): boolean =>
    volume.storage === storage.storage &&
    (volume.node === undefined || volume.node === node) &&
    (content === undefined || volume.content === content) &&
    (vmid === undefined || volume.vmid === vmid);
  const shown = [...sim.world.volumes()].filter((volume) => visible(volume) && mayAccess(call, volume));
  return shown.map((volume) => ({
    volid: volume.volid,
    content: volume.content,
    format: volume.format,
    size: volume.size,
    ...(volume.vmid === undefined ? {} : { vmid: volume.vmid }),
    ...(volume.parent === undefined ? {} : { parent: volume.parent.slice(volume.parent.indexOf(':') + 1) }),
  }));
}

function configRow(storage: StorageState): Record<string, unknown> {
  return {
    storage: storage.storage,
    type: storage.type,
    content: storage.content.join(','),
    ...(storage.shared ? { shared: 1 } : {}),
    ...(storage.disabled ? { disable: 1 } : {}),
    ...(storage.nodes === undefined ? {} : { nodes: storage.nodes.join(',') }),
    ...storage.options,
  };
}

function listConfigs(call: Call): unknown {
  const type = call.params.optText('type');
  return [...call.sim.world.storages.values()]
    .filter((storage) => type === undefined || storage.type === type)
    .filter((storage) => call.sim.rights.hasAny(call.user, `/storage/${storage.storage}`, auditPrivileges))
    .map(configRow);
}

export const storageHandlers: Handlers = {
  'GET /nodes/{node}/storage': listOnNode,
  'GET /nodes/{node}/storage/{storage}/status': (call) => {
    const storage = known(call);
    if (!isOnNode(storage, call.node))
      die(`storage '${storage.storage}' is not available on node '${call.node}'`);
    return statusRow(call, storage);
  },
  'GET /nodes/{node}/storage/{storage}/content': listContent,
  'GET /storage': listConfigs,
  'GET /storage/{storage}': (call) => configRow(known(call)),
};
