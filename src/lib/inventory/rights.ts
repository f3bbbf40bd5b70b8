/** Tells from PVE's list of the caller's rights what it may do on a path. Pure: plan and inventory both ask; must not read. */
import type { Rights } from './types.ts';

/** Privilege → does it reach below the path? */
export type Held = Readonly<Record<string, boolean>>;

const NONE: Held = {};

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** A plan asks for thousands of paths below the same few. */
const reachingParts = new WeakMap<Held, Held>();

/** Undefined: nothing reaches below. */
function inherited(held: Held): Held | undefined {
  const known = reachingParts.get(held);
  const reaching = known ?? Object.fromEntries(Object.entries(held).filter(([, reaches]) => reaches));
  if (!known) reachingParts.set(held, reaching);
  return Object.keys(reaching).length > 0 ? reaching : undefined;
}

/**
 * PVE lists the paths of ACLs; what lies between and below inherits from the nearest path above where something
 * propagates (pve-access-control AccessControl.pm, `roles`). A path on which the caller has nothing is not listed, so a
 * NoAccess on a single object cannot be told from one without an ACL: PVE says no there, and nothing before does.
 */
export function privilegesOn(rights: Rights, path: string): Held {
  const own = rights[path];
  if (own) return own;
  for (let above = path; above !== '/';) {
    above = parentOf(above);
    const held = rights[above];
    // Where nothing propagates, PVE goes on to what the paths above hand down.
    const reaching = held && inherited(held);
    if (reaching) return reaching;
  }
  return NONE;
}
