/** Which VMIDs a plan takes that nobody has claimed before it. */
import type { Inventory } from '../../inventory/types.ts';
import { viewOf } from './view.ts';
import type { Plan } from '../document/plan.ts';

/** In the order of the plan. What was claimed before may have its clone under way. */
export function freshVmids({ steps }: Plan, have: Inventory): number[] {
  const { claimants } = viewOf(have);
  const made = steps.flatMap((step) => (step.kind === 'vm.clone' ? [step.vmid] : []));
  return made.filter((vmid) => !claimants.has(vmid));
}
