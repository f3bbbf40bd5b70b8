/** Whether a lab's name is that of another lab on the cluster: file names such as lab.yml are no rarity. */
import { sortedUnique } from '../../order.ts';
import type { Claim } from '../../marks/pool.ts';
import type { ClusterView } from '../cluster/view.ts';
import { machinesIn } from './judge.ts';

/** 0.1.0 claimed ids without names; what such a VM is called now, students can change. */
function namesOf({ lab, unnamed }: Claim, pool: string, index: ClusterView): string[] {
  const ids = new Set(unnamed);
  return machinesIn(pool, index).flatMap(({ guest, ...at }) =>
    at.lab === lab && ids.has(guest.vmid) && guest.name !== undefined ? [guest.name] : [],
  );
}

/**
 * The machines of the other lab of this name; empty: it is this one, or there is none. Labs that share a machine's name
 * are one lab that was edited. `pools`: those of whom to look at, and to be lenient with, as their stands are to go.
 */
export function machinesOfOtherLab(
  lab: { readonly name: string; readonly machines: readonly string[] },
  index: ClusterView,
  pools?: ReadonlySet<string>,
): readonly string[] {
  const names = new Set<string>();
  for (const [pool, mark] of index.marks) {
    if (pools?.has(pool) === false) continue;
    for (const claim of mark.claims) {
      if (claim.lab !== lab.name) continue;
      for (const { machine } of claim.machines) names.add(machine);
      if (pools !== undefined && claim.unnamed.length > 0) return [];
      if (claim.unnamed.length > 0) for (const name of namesOf(claim, pool, index)) names.add(name);
    }
  }
  return lab.machines.some((name) => names.has(name)) ? [] : sortedUnique(names);
}
