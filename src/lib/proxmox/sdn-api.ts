/** Endpoints about SDN. Decides nothing. */
import type { Answer } from './answer.ts';
import { path } from './form.ts';
import type { Requests } from './http.ts';
import { compact } from '../compact.ts';
import { Row, rowsOf } from './rows.ts';
import type { SdnApi } from './sdn-types.ts';
import { isNotImplemented } from './words.ts';

export function sdnApi(http: Requests): SdnApi {
  return {
    vnetZones: async (signal) => {
      try {
        // With `pending` each row has what was applied, and what is staged apart from it: guests are plugged into the former.
        const listed = await http.get('/cluster/sdn/vnets', { pending: true }, signal);
        const vnets = rowsOf(listed).filter((row) => row.maybeText('state') !== 'deleted');
        if (vnets.length === 0) return [];
        const zones = await http.get('/cluster/sdn/zones', { pending: true }, signal);
        const byName = new Map(rowsOf(zones).map((row) => [row.text('zone'), row]));
        return vnets.map((row) => {
          const own = appliedOrNew(listed, row);
          const written = byName.get(own.maybeText('zone') ?? '');
          const zone = written && appliedOrNew(zones, written);
          const nodes = zone?.list('nodes') ?? [];
          return compact({
            vnet: row.text('vnet'),
            zone: own.maybeText('zone'),
            isStaged: row.maybeText('state') === 'new' ? (true as const) : undefined,
            vlanAware: own.flag('vlanaware') ? (true as const) : undefined,
            zoneType: written?.maybeText('type'),
            mtu: zone?.maybeNumber('mtu'),
            nodes: nodes.length > 0 ? nodes : undefined,
          });
        });
      } catch (error) {
        if (isNotImplemented(error)) return [];
        throw error;
      }
    },
    vnetStates: async (node, zone, signal) =>
      rowsOf(await http.get(path`/nodes/${node}/sdn/zones/${zone}/content`, {}, signal)).map((row) => ({
        vnet: row.text('vnet'),
        status: row.maybeText('status') ?? '',
      })),
  };
}

/** SDN.pm pending_config: of what was never applied everything but its name and type is below `pending`. */
function appliedOrNew(answer: Answer, row: Row): Row {
  return row.maybeText('state') === 'new' ? new Row(answer, row.get('pending') ?? {}, 'pending') : row;
}
