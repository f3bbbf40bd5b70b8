/** What keeps a machine from starting on a node before QEMU runs: snippets and storages. Reads only. */
import { drivesOf } from './guest-config.ts';
import { die, paramError, errorText, PveError } from '../pve-error.ts';
import { splitProperties } from '../contract/property-string.ts';
import { checkHostResources } from './host-resources.ts';
import type { Sim } from '../sim.ts';
import type { GuestConfig } from '../state.ts';
import { activateStorage, activateVolume, storageOf } from './volumes.ts';

/** GuestHelpers.pm check_hookscript: the file is looked for on the node that asks. */
export function checkHookscript(sim: Sim, node: string, volid: string): void {
  const [storage = ''] = volid.split(':');
  if (!sim.world.storages.has(storage)) die(`storage '${storage}' does not exist`);
  if (!/^[^:]+:snippets\//.test(volid))
    throw paramError({ hookscript: `'${volid}' is not in the snippets directory` });
  if (!sim.world.volume(volid, node)) throw paramError({ hookscript: `script '${volid}' does not exist` });
}

/** A hook that is not there stops the start, on the target of a live migration as well. */
export function runPreStartHook(sim: Sim, node: string, vmid: number, config: Readonly<GuestConfig>): void {
  const { hookscript } = config;
  if (hookscript === undefined) return;
  try {
    checkHookscript(sim, node, hookscript);
  } catch (error) {
    throw new PveError(500, `hookscript error for ${vmid} on pre-start: ${errorText(error)}`);
  }
}

/** The cloud-init image is made at each start, from files that must be there (Cloudinit.pm, Storage.pm activate_volumes). */
function readSnippets(sim: Sim, node: string, config: Readonly<GuestConfig>): void {
  const { cicustom } = config;
  const format = sim.contract.formats.get('pve-qm-cicustom');
  const hasDrive = drivesOf(sim.contract, config).some((drive) => drive.isCloudInit);
  if (cicustom === undefined || !hasDrive || !format) return;
  const parsed = splitProperties(cicustom, format);
  for (const volid of parsed.ok ? Object.values(parsed.values) : []) {
    activateStorage(sim, volid.split(':')[0] ?? '', node);
    if (!sim.world.volume(volid, node)) die(`volume '${volid}' does not exist`);
  }
}

/**
 * QemuServer.pm check_volume_storage_type (since 7.0), then Storage.pm activate_volumes: all storages, then each volume; a
 * disc in a drive is a volume like others.
 */
function activateVolumes(sim: Sim, node: string, config: Readonly<GuestConfig>): void {
  const drives = drivesOf(sim.contract, config).filter(({ storage }) => storage !== '');
  for (const { storage, isCdrom, isCloudInit } of drives) {
    const type = isCdrom && !isCloudInit ? 'iso' : 'images';
    if (!storageOf(sim, storage).content.includes(type))
      die(`storage '${storage}' does not support content-type '${type}'`);
  }
  for (const { storage, file } of drives) activateVolume(sim, file, storage, node);
  for (const { file, isCdrom, isCloudInit } of drives)
    if (isCdrom && !isCloudInit && !sim.world.volume(file, node)) die(`volume '${file}' does not exist`);
}

/** QemuServer.pm vm_start_nolock up to QEMU's command line. */
export function prepareStart(sim: Sim, node: string, vmid: number, config: Readonly<GuestConfig>): void {
  readSnippets(sim, node, config);
  runPreStartHook(sim, node, vmid, config);
  activateVolumes(sim, node, config);
  checkHostResources(sim, node, config);
}
