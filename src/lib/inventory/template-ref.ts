/** Which guests a lab's words for a template speak of. Pure: plan and inventory both ask; must not read. */
import type { TemplateRef } from '../config/types.ts';
import { mayBeMachine } from '../pve-values/guest-kinds.ts';
import type { GuestInfo } from './types.ts';

/** Is this guest one of those that `ref` speaks of? */
export function isNamedBy(ref: TemplateRef, guest: GuestInfo): boolean {
  if (ref.by === 'vmid') return guest.vmid === ref.vmid;
  if (!guest.template || !mayBeMachine(guest)) return false;
  return ref.by === 'name' ? guest.name === ref.name : (guest.tags ?? []).includes(ref.tag);
}
