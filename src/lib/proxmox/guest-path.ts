/** The one path of a guest on its node. */
import { path } from './form.ts';
import type { GuestAt } from './types.ts';

export function at({ node, vmid, type = 'qemu' }: GuestAt): string {
  return path`/nodes/${node}/${type}/${vmid}`;
}
