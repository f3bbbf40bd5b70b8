/**
 * What is told of machines that were made templates, as a student can with the own ones: PVE starts no template, and
 * nothing is written to one. Plans nothing.
 */
import { isTemplate } from '../../pve-values/guest-flags.ts';
import type { Machine } from '../../config/types.ts';
import { hangsOn, volumesOf } from '../../pve-values/volumes.ts';
import type { PresentVm } from '../stands/state.ts';
import type { Refusal } from '../document/plan.ts';

export function isMadeTemplate({ config }: PresentVm): boolean {
  return isTemplate(config.values);
}

/** By the option alone its disks stay as they are, and it can be taken back; a conversion renames them. */
function wayOut({ vmid, node, config }: PresentVm): string {
  return volumesOf(config.values).some((volume) => hangsOn(volume, vmid))
    ? `as root on ${node}: \`qm destroy ${vmid} --purge\`, then run again: it is cloned anew`
    : `as root on ${node}: \`qm set ${vmid} --template 0\`, then run again`;
}

export function madeTemplateRefusal({ name }: Machine, vm: PresentVm): Refusal {
  return {
    code: 'VM_IS_TEMPLATE',
    message: `VM ${vm.vmid} (${name}) on ${vm.node} was made a template: it cannot be started, and is left as it is`,
    hint: wayOut(vm),
  };
}
