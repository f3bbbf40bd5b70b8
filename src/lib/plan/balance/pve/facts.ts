/** What a guest's configuration says about moving it: volumes, devices, bridges. Judges nothing. */
import { cpuType, hostDevices, machineType, type HostDevice } from '../../../pve-values/host-ties.ts';
import { hostMounts, type HostMount } from '../../../pve-values/mount-points.ts';
import { allVolumes, type Volume } from '../../../pve-values/volumes.ts';
import type { GuestConfig } from '../../../inventory/balance-types.ts';
import { pluggedNics, type PluggedNic } from '../../../pve-values/nics.ts';

export interface GuestFacts {
  readonly volumes: readonly Volume[];
  readonly values: GuestConfig['values'];
  /** Devices of the host, those of resource mappings among them. */
  readonly devices: readonly HostDevice[];
  /** Of a container. */
  readonly mounts: readonly HostMount[];
  readonly nics: readonly PluggedNic[];
  /** Without repetition. */
  readonly bridges: readonly string[];
  /** Without repetition. */
  readonly snapshotBridges: readonly string[];
  /** Empty: PVE's default. */
  readonly cpuType: string;
  /** Pinned machine type, e.g. `pc-i440fx-9.2`; empty if none. */
  readonly machine: string;
  readonly hasSnapshots: boolean;
}

export function readFacts({ values, snapshotBridges }: GuestConfig): GuestFacts {
  const nics = pluggedNics(values);
  return {
    volumes: allVolumes(values),
    values,
    devices: hostDevices(values),
    mounts: hostMounts(values),
    nics,
    bridges: [...new Set(nics.map(({ bridge }) => bridge))],
    snapshotBridges: [...new Set(snapshotBridges)],
    cpuType: cpuType(values),
    machine: machineType(values),
    hasSnapshots: values['parent'] !== undefined && values['parent'] !== '',
  };
}
