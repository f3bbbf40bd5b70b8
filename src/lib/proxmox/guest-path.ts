/** The one path of a guest on its node. */
import { USUAL_KIND, type GuestAt } from '../pve-values/guest-kinds.ts';
import { path } from './form.ts';

export function guestPath({ node, vmid, type = USUAL_KIND }: GuestAt): string {
  return path`/nodes/${node}/${type}/${vmid}`;
}
