/** The one path of a guest on its node. */
import { USUAL_KIND } from '../pve-values/guest-kinds.ts';
import { path } from './form.ts';
import type { GuestAt } from './types.ts';

export function guestPath({ node, vmid, type = USUAL_KIND }: GuestAt): string {
  return path`/nodes/${node}/${type}/${vmid}`;
}
