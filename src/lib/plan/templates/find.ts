/** Which template each machine of a lab is cloned from, or all that speaks against it at once. */
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { resolveTemplate } from '../cluster/templates.ts';
import type { Refusal } from '../document/plan.ts';
import { refuse } from '../document/refuse.ts';
import type { ResolvedMachine } from './clone-ways.ts';

/** Throws PlanRefusedError when a machine has no template. */
export function resolveMachines(lab: Lab, have: Inventory): ResolvedMachine[] {
  const resolved: ResolvedMachine[] = [];
  const refusals: Refusal[] = [];
  for (const machine of lab.machines) {
    const found = resolveTemplate(machine, have, lab.file);
    if ('code' in found) refusals.push(found);
    else resolved.push({ machine, ...found });
  }
  if (refusals.length > 0) refuse(refusals);
  return resolved;
}
