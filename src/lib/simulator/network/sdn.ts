/** SDN: what was applied, and what a node made of it. See pve-network Network/SDN.pm. Pure. */
import { splitList } from '../contract/formats.ts';
import type { NodeState, RunningInterface, SdnConfig, SdnState, VnetState, ZoneState } from '../state.ts';

/** The configuration that was applied last. */
export const appliedSdn = (sdn: SdnState): SdnConfig => sdn.running ?? sdn;

export function isZoneOn(zone: ZoneState, node: string): boolean {
  const nodes = zone.options?.['nodes'];
  return nodes === undefined || splitList(nodes).includes(node);
}

/** Applied vnets whose zone this node has. */
export function vnetsOn(sdn: SdnState, node: string): VnetState[] {
  const { zones, vnets } = appliedSdn(sdn);
  const here = new Set(zones.filter((zone) => isZoneOn(zone, node)).map(({ zone }) => zone));
  return vnets.filter(({ zone }) => here.has(zone));
}

/** The bridges that a node's generated file brings up. */
export function vnetBridges(sdn: SdnState, node: string): Record<string, RunningInterface> {
  return Object.fromEntries(
    vnetsOn(sdn, node).map(({ vnet, vlanaware }) => [
      vnet,
      { type: 'vnet', vlanAware: vlanaware, ports: [] },
    ]),
  );
}

/** Zones.pm status: until the node's file is as new as what was applied, everything there is pending. */
export function isSdnPending(sdn: SdnState, node: NodeState): boolean {
  return (node.sdnVersion ?? 0) < (sdn.version ?? 0);
}
