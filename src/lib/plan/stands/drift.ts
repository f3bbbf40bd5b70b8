/** What a student changed on a finished VM: reported, never repaired. */
import type { Machine } from '../../config/types.ts';
import type { VmConfig } from '../../inventory/types.ts';
import { memoryOf } from '../../pve-values/memory.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { nicIndex, nicsBefore } from './device-profiles.ts';
import type { PresentVm } from './state.ts';

const MIB = 2 ** 20;

function nicDrift(machine: Machine, vm: PresentVm, bridges: ReadonlyMap<string, string>): string[] {
  const present = new Map(presentNics(vm.config.values).map((nic) => [nic.index, nic]));
  const drift: string[] = [];
  machine.networks.forEach((network, position) => {
    const index = nicIndex(machine, position, vm.nicShift);
    const nic = present.get(index);
    present.delete(index);
    const { target } = network;
    const bridge = target.kind === 'real' ? target.bridge : bridges.get(target.alias);
    if (!nic) drift.push(`net${index} was removed`);
    else if (bridge !== undefined && nic.bridge !== bridge)
      drift.push(`net${index} is on ${nic.bridge}, not ${bridge}`);
    else if (nic.tag !== network.tag)
      drift.push(`net${index} has VLAN ${nic.tag ?? 'none'}, not ${network.tag ?? 'none'}`);
  });
  if (machine.deviceType === 'ecorouter') present.delete(0);
  for (const index of nicsBefore(machine, vm.nicShift)) present.delete(index);
  for (const index of present.keys()) drift.push(`net${index} was added`);
  return drift;
}

function coresDrift({ cores }: Machine, vm: PresentVm): string[] {
  const present = vm.config.values['cores'];
  if (cores === undefined || present === undefined || Number(present) === cores) return [];
  return [`cores is ${present}, not ${cores}`];
}

/** Where the lab leaves it to the template, more of it is told: it is no part of what is reckoned with. */
function memoryDrift({ memory }: Machine, vm: PresentVm, template: VmConfig): string[] {
  const present = memoryOf(vm.config.values) / MIB;
  if (memory !== undefined) return present === memory ? [] : [`memory is ${present}, not ${memory}`];
  const given = memoryOf(template.values) / MIB;
  return present > given ? [`memory is ${present}, the template has ${given}`] : [];
}

/** One note per VM that is not as the lab says although its spec is; empty if none. */
export function describeDrift(
  machine: Machine,
  vm: PresentVm,
  bridges: ReadonlyMap<string, string>,
  template: VmConfig,
): string[] {
  const drift = [
    ...nicDrift(machine, vm, bridges),
    ...coresDrift(machine, vm),
    ...memoryDrift(machine, vm, template),
  ];
  return drift.length === 0
    ? []
    : [`VM ${vm.vmid} (${machine.name}) was changed: ${drift.join('; ')} (left as it is)`];
}
