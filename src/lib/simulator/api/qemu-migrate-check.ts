/** `GET …/migrate`: what keeps a machine on its node. See qemu-server API2/Qemu.pm migrate_vm_precondition. Reads only. */
import { checkLock, drivesOf, loadGuest, type Drive } from '../guest/guest-config.ts';
import { isRunning } from '../guest/guest-view.ts';
import { liveBlockers } from '../guest/vmstate.ts';
import { mappedDevices, missingMappings } from '../guest/host-resources.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { GuestState } from '../state.ts';
import { storageOf } from '../guest/volumes.ts';
import { isOnNode } from './storage-view.ts';

export const realDrives = (sim: Sim, guest: GuestState): Drive[] =>
  drivesOf(sim.contract, guest.config).filter((drive) => drive.storage !== '');

export function localDrives(sim: Sim, guest: GuestState): Drive[] {
  return realDrives(sim, guest).filter((drive) => !storageOf(sim, drive.storage).shared);
}

function missingStorages(sim: Sim, guest: GuestState, node: string): string[] {
  const used = realDrives(sim, guest).map((drive) => drive.storage);
  const missing = used.filter((id) => {
    const storage = storageOf(sim, id);
    return storage.disabled || !isOnNode(storage, node);
  });
  return [...new Set(missing)];
}

/** QemuMigrate/Helpers.pm check_local_resources: devices of the host that are not mapped, and of a running machine its memory. */
export function localResources(guest: GuestState): string[] {
  const sealed = isRunning(guest) ? liveBlockers(guest) : [];
  const devices = Object.entries(guest.config)
    .filter(([key, value]) =>
      /^hostpci\d+$/.test(key)
        ? !value.includes('mapping=')
        : (/^usb\d+$/.test(key) && !/spice|mapping=/.test(value)) ||
          /^parallel\d+$/.test(key) ||
          (/^serial\d+$/.test(key) && value !== 'socket'),
    )
    .map(([key]) => key);
  return [...sealed, ...devices];
}

/** HA/Config.pm get_resource_motion_info: who moves along, and whom the other nodes may not take in beside them. */
function haMotion(sim: Sim, sid: string): { together: string[]; apart: string[] } {
  const others = (affinity: 'positive' | 'negative'): string[] => {
    const rules = sim.world.haRules.filter(
      (rule) => rule.affinity === affinity && rule.disabled !== true && rule.resources.includes(sid),
    );
    return [...new Set(rules.flatMap(({ resources }) => resources))].filter((one) => one !== sid).sort();
  };
  return { together: others('positive'), apart: others('negative') };
}

function blockingOn(sim: Sim, node: string, apart: readonly string[]): Record<string, string>[] {
  return apart
    .filter((sid) => sim.world.guests.get(Number(sid.split(':')[1]))?.node === node)
    .map((sid) => ({ sid, cause: 'resource-affinity' }));
}

/** Per node what it lacks; every node has an entry, allowed ones an empty one. */
function nodesFor(sim: Sim, guest: GuestState): Record<string, Record<string, unknown>> {
  const sid = `vm:${guest.vmid}`;
  const isManaged = sim.facts.major === 9 && sim.world.haResources.has(sid);
  const { apart } = isManaged ? haMotion(sim, sid) : { apart: [] };
  const others = [...sim.world.nodes.keys()].filter((name) => name !== guest.node);
  return Object.fromEntries(
    others.map((name) => {
      const storages = missingStorages(sim, guest, name).sort();
      const missing = missingMappings(sim, name, guest.config);
      const blocking = blockingOn(sim, name, apart);
      return [
        name,
        {
          ...(storages.length === 0 ? {} : { unavailable_storages: storages }),
          ...(sim.facts.major === 7 || missing.length === 0 ? {} : { 'unavailable-resources': missing }),
          ...(blocking.length === 0 ? {} : { 'blocking-ha-resources': blocking }),
        },
      ];
    }),
  );
}

function precondition(call: Call): unknown {
  const { sim, node } = call;
  const guest = loadGuest(sim, node, call.params.number('vmid'));
  checkLock(guest);
  const running = isRunning(guest);
  const { major } = sim.facts;
  const localDisks = localDrives(sim, guest).map((drive) => ({
    volid: drive.file,
    size: sim.world.volume(drive.file, node)?.size ?? 0,
    cdrom: drive.isCdrom ? 1 : 0,
    is_unused: 0,
  }));
  const nodes = nodesFor(sim, guest);
  const sid = `vm:${guest.vmid}`;
  const mapped = mappedDevices(guest.config);
  return {
    running: running ? 1 : 0,
    local_disks: localDisks,
    local_resources: localResources(guest),
    ...(major === 7
      ? {}
      : {
          'mapped-resources': mapped,
          'mapped-resource-info': Object.fromEntries(mapped.map((key) => [key, {}])),
        }),
    ...(major === 9 ? { 'has-dbus-vmstate': 1 } : {}),
    ...(major === 9 && sim.world.haResources.has(sid)
      ? { 'dependent-ha-resources': haMotion(sim, sid).together }
      : {}),
    // 7.4 looks at the nodes for offline migrations only.
    ...(major === 7 && running
      ? {}
      : {
          allowed_nodes: Object.keys(nodes).filter((name) => Object.keys(nodes[name] ?? {}).length === 0),
          not_allowed_nodes: nodes,
        }),
  };
}

export const qemuMigrateCheckHandlers: Handlers = {
  'GET /nodes/{node}/qemu/{vmid}/migrate': precondition,
};
