/** Reads out of a configuration what needs rights to be taken over by a clone, or to be changed. Pure. */
import { customCpu, hostDevices } from '../pve-values/host-ties.ts';
import { isDriveKey, sourceOf, volumesOf } from '../pve-values/volumes.ts';
import type { VmConfig } from '../inventory/types.ts';
import { pluggedNics } from '../pve-values/nics.ts';
import type { GuestValues } from './types.ts';

/** Storages that cloning allocates on; an ISO is only referred to (API2/Qemu.pm, check_storage_access_clone). */
export function allocatingStorages(values: VmConfig['values']): string[] {
  const volumes = volumesOf(values).filter(({ kind }) => kind !== 'iso');
  return [...new Set(volumes.map(({ storage }) => storage))];
}

export function guestValues(configs: readonly VmConfig[]): Map<number, GuestValues> {
  return new Map(
    configs.map(({ vmid, values }) => [
      vmid,
      {
        cpuModel: customCpu(values),
        nics: pluggedNics(values),
        storages: allocatingStorages(values),
        stateStorage: values['vmstatestorage'],
        hasHostDrive: Object.entries(values).some(
          ([key, value]) => isDriveKey(key) && sourceOf(value) === 'cdrom',
        ),
        mappings: hostDevices(values).flatMap(({ mapping }) =>
          mapping ? [`${mapping.kind}/${mapping.id}`] : [],
        ),
      },
    ]),
  );
}
