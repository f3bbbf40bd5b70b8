/** Tells by which rights the caller makes VMs. Pure. */
import { parseRelease } from '../../pve-values/version.ts';
import type { Inventory, Rights } from '../../inventory/types.ts';
import { privilegesOn } from '../../inventory/rights.ts';

/**
 * `full`: VM.Allocate on `/vms`; VMIDs are claimed by pool membership. `confined`: VM.Allocate on `/pool` only; a clone
 * joins its pool at its end, and until then the claim is the pool's comment alone.
 */
export type Profile = 'full' | 'confined';

export type Major = 7 | 8 | 9;

/** Without rights that were read: `full`, as it was before anybody asked. */
export function profileOf(rights: Rights | undefined): Profile {
  if (!rights || privilegesOn(rights, '/vms')['VM.Allocate'] === true) return 'full';
  return privilegesOn(rights, '/pool')['VM.Allocate'] === true ? 'confined' : 'full';
}

export function majorOf({ version }: Pick<Inventory, 'version'>): Major {
  const [major] = parseRelease(version);
  return major <= 7 ? 7 : major === 8 ? 8 : 9;
}
