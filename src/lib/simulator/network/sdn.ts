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

/** Zones/VxlanPlugin.pm, EvpnPlugin.pm: 50 bytes are the tunnel's. Others write none unless the zone says one. */
function mtuOf({ type, options }: ZoneState): number | undefined {
  const written = options?.['mtu'];
  if (written !== undefined) return Number(written);
  return type === 'vxlan' || type === 'evpn' ? 1450 : undefined;
}

/** The bridges that a node's generated file brings up. */
export function vnetBridges(sdn: SdnState, node: string): Record<string, RunningInterface> {
  const mtus = new Map(appliedSdn(sdn).zones.map((zone) => [zone.zone, mtuOf(zone)]));
  return Object.fromEntries(
    vnetsOn(sdn, node).map(({ vnet, vlanaware, zone }) => {
      const mtu = mtus.get(zone);
      const bridge: RunningInterface = { type: 'vnet', vlanAware: vlanaware, ports: [] };
      return [vnet, mtu === undefined ? bridge : { ...bridge, mtu }];
    }),
  );
}

/** Zones.pm status: until the node's file is as new as what was applied, everything there is pending. */
export function isSdnPending(sdn: SdnState, node: NodeState): boolean {
  return (node.sdnVersion ?? 0) < (sdn.version ?? 0);
}
