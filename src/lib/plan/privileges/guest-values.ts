/** Reads out of a configuration what needs rights to be taken over by a clone, or to be changed. Pure. */
import type { VmConfig } from '../../inventory/types.ts';
import { presentNics } from '../../pve-values/nics.ts';
import type { GuestValues } from './types.ts';

const DRIVE = /^(ide|sata|scsi|virtio|efidisk|tpmstate)\d+$/;

/** Storages that cloning allocates on; an ISO is only referred to (API2/Qemu.pm, check_storage_access_clone). */
export function allocatingStorages(values: VmConfig['values']): string[] {
  const storages = Object.entries(values).flatMap(([key, value]) => {
    const [volid = ''] = value.split(',');
    const at = volid.indexOf(':');
    const isIso = /(^|,)media=cdrom/.test(value) && !volid.includes('cloudinit');
    return !DRIVE.test(key) || at < 0 || isIso ? [] : [volid.slice(0, at)];
  });
  return [...new Set(storages)];
}

export function guestValues(configs: readonly VmConfig[]): Map<number, GuestValues> {
  return new Map(
    configs.map(({ vmid, values }) => [
      vmid,
      {
        nics: presentNics(values),
        storages: allocatingStorages(values),
        hasHostDrive: Object.entries(values).some(
          ([key, value]) => DRIVE.test(key) && /^cdrom(,|$)/.test(value),
        ),
      },
    ]),
  );
}
