/**
 * What is told of machines that were made templates, as a student can with the own ones: PVE starts no template, and
 * nothing is written to one. Plans nothing.
 */
import { isTemplate } from '../../pve-values/guest-flags.ts';
import type { Machine } from '../../config/types.ts';
import { templateWayOut } from '../stands/made-template.ts';
import type { PresentVm } from '../stands/state.ts';
import type { Refusal } from '../document/plan.ts';

export function isMadeTemplate({ config }: PresentVm): boolean {
  return isTemplate(config.values);
}

export function madeTemplateRefusal(user: string, { name }: Machine, vm: PresentVm): Refusal {
  return {
    code: 'VM_IS_TEMPLATE',
    message: `VM ${vm.vmid} (${name}) on ${vm.node} was made a template: it cannot be started, and is left as it is`,
    hint: templateWayOut({
      ...{ vm, user, machine: name },
      values: vm.config.values,
    }),
  };
}
