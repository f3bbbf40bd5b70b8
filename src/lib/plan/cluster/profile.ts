/** Tells by which rights the caller makes VMs. Pure. */
import { parseRelease } from '../../pve-values/version.ts';
import type { Inventory, Rights } from '../../inventory/types.ts';
import { privilegesOn } from '../../inventory/rights.ts';
import type { Major, Profile } from '../../privileges/types.ts';

/** Without rights that were read: `full`, as it was before anybody asked. */
export function profileOf(rights: Rights | undefined): Profile {
  if (!rights || privilegesOn(rights, '/vms')['VM.Allocate'] === true) return 'full';
  return privilegesOn(rights, '/pool')['VM.Allocate'] === true ? 'confined' : 'full';
}

export function majorOf({ version }: Pick<Inventory, 'version'>): Major {
  const [major] = parseRelease(version);
  return major <= 7 ? 7 : major === 8 ? 8 : 9;
}
