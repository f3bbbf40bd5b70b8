/** What a student changed on a finished VM: reported, never repaired. */
import type { Machine } from '../config/types.ts';
import { presentNics } from '../pve-values/nics.ts';
import { nicIndex } from './spec.ts';
import type { PresentVm } from './stand-state.ts';

function nicDrift(machine: Machine, vm: PresentVm, bridges: ReadonlyMap<string, string>): string[] {
  const present = new Map(presentNics(vm.config.values).map((nic) => [nic.index, nic]));
  const drift: string[] = [];
  machine.networks.forEach((network, position) => {
    const index = nicIndex(machine, position);
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
  for (const index of present.keys()) drift.push(`net${index} was added`);
  return drift;
}

function numberDrift(key: 'cores' | 'memory', machine: Machine, vm: PresentVm): string[] {
  const wanted = machine[key];
  const present = vm.config.values[key];
  if (wanted === undefined || present === undefined || Number(present) === wanted) return [];
  return [`${key} is ${present}, not ${wanted}`];
}

/** One note per VM that is not as the lab says although its spec is; empty if none. */
export function describeDrift(
  machine: Machine,
  vm: PresentVm,
  bridges: ReadonlyMap<string, string>,
): string[] {
  const drift = [
    ...nicDrift(machine, vm, bridges),
    ...numberDrift('cores', machine, vm),
    ...numberDrift('memory', machine, vm),
  ];
  return drift.length === 0
    ? []
    : [`VM ${vm.vmid} (${machine.name}) was changed: ${drift.join('; ')} (left as it is)`];
}
