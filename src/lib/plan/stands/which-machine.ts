/** Which machine of its lab a VM of ours is. Says nothing of whose it is. */
import type { VmConfig } from '../../inventory/types.ts';
import { ownVmMark } from '../../marks/vm.ts';
import { nameIn } from '../../pve-values/guest-flags.ts';
import type { ClaimedId } from './ownership.ts';

/**
 * The claim says it; those of 0.1.0 did not, so that notes and name have to. `machines`: of the lab, where its file is at
 * hand; without it any name will do.
 */
export function machineOf(
  { machine, vmid }: ClaimedId,
  { values }: VmConfig,
  lab: string,
  machines?: readonly { readonly name: string }[],
): string | undefined {
  if (machine !== undefined) return machine;
  const mark = ownVmMark(vmid, values);
  if (mark?.lab === lab) return mark.machine;
  const name = nameIn(values);
  return machines === undefined || machines.some((one) => one.name === name) ? name : undefined;
}
