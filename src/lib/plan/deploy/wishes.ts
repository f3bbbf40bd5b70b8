/** What a lab asks for and does not get as it is written, or gets in another way: said once for the lab, not for each stand. */
import type { Machine } from '../../config/types.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { takesUpgrade } from './machine-options.ts';
import { allVolumes } from '../../pve-values/volumes.ts';
import { managementCards, nicIndex, nicModel } from '../../config/lab/device-profiles.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';

type Source = ResolvedMachine['template'];

/** Drivers are in the guest: one that was made for other cards may not find these. */
function replacedModels(machine: Machine, { vmid, values }: Source): string[] {
  const present = new Map(presentNics(values).map((nic) => [nic.index, nic.model]));
  const replaced = machine.networks.flatMap((network, position) => {
    const model = present.get(nicIndex(machine, position, 0));
    const given = nicModel(machine, network);
    return network.model !== undefined || model === undefined || model === given ? [] : [{ model, given }];
  });
  const [first] = replaced;
  if (!first) return [];
  const models = [...new Set(replaced.map(({ model }) => model))].join(', ');
  return [
    `machine ${machine.name}: template ${vmid} has network cards of model ${models}, and its machines get ${first.given}, as every ${machine.deviceType} does; \`model: ${first.model}\` at a network keeps them`,
  ];
}

function lostCards(machine: Machine, { vmid, values }: Source): string[] {
  const wanted = new Set(machine.networks.map((_, position) => nicIndex(machine, position, 0)));
  for (const { index } of managementCards(machine)) wanted.add(index);
  const lost = presentNics(values).filter(({ index }) => !wanted.has(index));
  if (lost.length === 0) return [];
  const cards = lost.map(({ index, bridge }) => `net${index} (${bridge})`).join(', ');
  return [
    `machine ${machine.name}: ${cards} of template ${vmid} ${lost.length === 1 ? 'is' : 'are'} no network of the lab, and left out of its machines`,
  ];
}

function withoutDrive({ name, cloudInit }: Machine, { vmid, node, values }: Source): string[] {
  if (!cloudInit || allVolumes(values).some(({ kind }) => kind === 'cloud-init')) return [];
  return [
    `machine ${name}: template ${vmid} has no cloud-init drive, so that nothing in the guest reads \`cloud_init\`; give it one: as root on ${node}, \`qm set ${vmid} --ide2 STORAGE:cloudinit\``,
  ];
}

export function wishWarnings(machines: readonly ResolvedMachine[], version: string): string[] {
  const isOld =
    !takesUpgrade(version) && machines.some(({ machine }) => machine.cloudInit?.upgrade !== undefined);
  return [
    ...(isOld ? ['cloud_init.upgrade needs PVE 8 or newer: it is left out'] : []),
    ...machines.flatMap(({ machine, template }) => [
      ...replacedModels(machine, template),
      ...lostCards(machine, template),
      ...withoutDrive(machine, template),
    ]),
  ];
}
