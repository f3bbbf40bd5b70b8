/** Where a guest of ours is: what its steps hold (`vm.migrate` has its own), and nothing of what is done to it. */
import { toldKind, type GuestAt } from '../../../pve-values/guest-kinds.ts';

/** `pool`: of the claim that makes it ours. */
export interface OursAt extends GuestAt {
  readonly pool: string;
}

export function oursAt({ node, vmid, type }: GuestAt, pool: string): OursAt {
  return { node, vmid, ...toldKind({ type }), pool };
}
