/**
 * What a card of the lab is plugged into: a network of the stand's own, or a bridge that is there for all. Everybody else
 * asks here, and never what kind a target is. Pure.
 */
import type { Machine, Network } from '../types.ts';

type Wired = Pick<Machine, 'networks'>;
type Wiring = { readonly machines: readonly Wired[] };
type Plug = Pick<Network, 'target'>;

/** Undefined: it is no network of the stand's own. */
export function aliasOf({ target }: Plug): string | undefined {
  return target.kind === 'alias' ? target.alias : undefined;
}

/** A bridge that is there for all; `reserved`: made where it is missing. Undefined: it is a network of the stand's own. */
export function realOf({
  target,
}: Plug): { readonly bridge: string; readonly reserved: boolean } | undefined {
  return target.kind === 'real' ? target : undefined;
}

/** As the lab calls it. */
export function networkName({ target }: Plug): string {
  return target.kind === 'alias' ? target.alias : target.bridge;
}

/** The bridge that it is, where each of the stand's own is `own`; undefined: that one has none. */
export function pluggedBridge(plug: Plug, own: ReadonlyMap<string, string>): string | undefined {
  const alias = aliasOf(plug);
  return alias === undefined ? networkName(plug) : own.get(alias);
}

/** The stand's own, a card each. */
export function ownNetworks({ networks }: Wired): string[] {
  return networks.flatMap((network) => aliasOf(network) ?? []);
}

/** Whatever kind they are of: they have to be made and put into force, and students could leave them. */
export function hasOwnNetworks({ machines }: Wiring): boolean {
  return machines.some((machine) => ownNetworks(machine).length > 0);
}

/**
 * Then a stand is on one node: its own networks reach no further. Today that is so of all of them; a network that reaches
 * across nodes makes the two answers differ, so that each is asked for what is meant.
 */
export function isBoundToNode(lab: Wiring): boolean {
  return hasOwnNetworks(lab);
}

/** Bridges that are there for all, a card each. */
export function realBridges({ networks }: Wired): string[] {
  return networks.flatMap((network) => realOf(network)?.bridge ?? []);
}

/** In the order of their first use → is any card on it tagged? Then its bridge has to be VLAN-aware. */
function tagged(
  { machines }: Wiring,
  nameOf: (network: Network) => string | undefined,
): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  for (const network of machines.flatMap(({ networks }) => networks)) {
    const name = nameOf(network);
    if (name === undefined) continue;
    const isTagged = network.tag !== undefined || network.trunks !== undefined;
    found.set(name, (found.get(name) ?? false) || isTagged);
  }
  return found;
}

/** Networks of each stand's own → VLAN-aware? */
export const aliasesOf = (lab: Wiring): ReadonlyMap<string, boolean> => tagged(lab, aliasOf);

/** Bridges for all that are made where they are missing → VLAN-aware? */
export const reservedBridges = (lab: Wiring): ReadonlyMap<string, boolean> =>
  tagged(lab, (network) => {
    const real = realOf(network);
    return real?.reserved === true ? real.bridge : undefined;
  });
