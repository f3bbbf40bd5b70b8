/** Endpoints about the cluster's state, HA and SDN zones, as far as they restrict where guests go. Decides nothing. */
import { propertyRecord } from '../pve-values/property-string.ts';
import { isRecord, plainEntries, type Answer } from './answer.ts';
import type { BalanceApi, HaRuleRow } from './balance-types.ts';
import { path } from './form.ts';
import type { Requests } from './http.ts';
import { compact, Row, rowsOf, valuesOf } from './rows.ts';
import { isNotImplemented } from './words.ts';

type HaApi = Pick<BalanceApi, 'crsOptions' | 'haRules' | 'vnetZones' | 'vnetStates'>;

export function haApi(http: Requests, hasRules: (signal?: AbortSignal) => Promise<boolean>): HaApi {
  return {
    crsOptions: async (signal) => {
      const answer = await http.get('/cluster/options', {}, signal);
      const crs = new Map(plainEntries(answer.data)).get('crs');
      return typeof crs === 'string' ? propertyRecord(crs) : isRecord(crs) ? valuesOf(crs) : {};
    },
    haRules: async (signal) =>
      (await hasRules(signal)) ? readRules(http, signal) : readGroups(http, signal),
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

/** `pve1:2,pve2` → names. */
function nodeNames(row: Row): string[] {
  return row.list('nodes').map((entry) => entry.replace(/:\d+$/, ''));
}

async function readRules(http: Requests, signal?: AbortSignal): Promise<HaRuleRow[]> {
  const rows = rowsOf(await http.get('/cluster/ha/rules', {}, signal));
  return rows.flatMap((row): HaRuleRow[] => {
    const kind = row.maybeText('type');
    if (row.flag('disable') || (kind !== 'node-affinity' && kind !== 'resource-affinity')) return [];
    const common: HaRuleRow = {
      name: row.text('rule'),
      kind,
      resources: row.list('resources'),
      nodes: nodeNames(row),
      strict: row.flag('strict'),
    };
    const affinity = row.maybeText('affinity');
    return [affinity === 'positive' || affinity === 'negative' ? { ...common, affinity } : common];
  });
}

/** Up to 8 a resource names its group. */
async function readGroups(http: Requests, signal?: AbortSignal): Promise<HaRuleRow[]> {
  const [groups, resources] = await Promise.all([
    http.get('/cluster/ha/groups', {}, signal),
    http.get('/cluster/ha/resources', {}, signal),
  ]);
  const members = rowsOf(resources).map((row) => ({ sid: row.text('sid'), group: row.maybeText('group') }));
  return rowsOf(groups).map((row) => {
    const name = row.text('group');
    return {
      name,
      kind: 'node-affinity',
      resources: members.filter(({ group }) => group === name).map(({ sid }) => sid),
      nodes: nodeNames(row),
      strict: row.flag('restricted'),
    };
  });
}
