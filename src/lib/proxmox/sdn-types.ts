/** What PVE tells of SDN, and the endpoints that do. */

export interface VnetRow {
  readonly vnet: string;
  /** As applied; of one that never was, as configured. */
  readonly zone?: string;
  /** Configured, and never applied: no node has it. */
  readonly isStaged?: true;
  readonly vlanAware?: true;
  /** `simple` vnets do not reach across nodes; absent: not known, taken as reaching. */
  readonly zoneType?: string;
  /** As its zone says it. */
  readonly mtu?: number;
  /** Nodes of its zone; absent: all, or not known. */
  readonly nodes?: readonly string[];
}

export interface SdnApi {
  /** `GET /cluster/sdn/vnets` and, where there are any, `…/zones`, as applied; empty when SDN is not installed (7.4: 501). */
  vnetZones(signal?: AbortSignal): Promise<readonly VnetRow[]>;
  /** `GET /nodes/{node}/sdn/zones/{zone}/content` → `available`, `pending`, `error`. SDN.Audit on the zone. */
  vnetStates(
    node: string,
    zone: string,
    signal?: AbortSignal,
  ): Promise<readonly { readonly vnet: string; readonly status: string }[]>;
}
