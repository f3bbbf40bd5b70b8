/** Endpoints about the cluster's state and HA, as far as they restrict where guests go. Decides nothing. */
import { propertyRecord } from '../pve-values/property-string.ts';
import { isRecord, plainEntries } from './answer.ts';
import type { BalanceApi, HaRuleRow } from './balance-types.ts';
import type { Requests } from './http.ts';
import { rowsOf, valuesOf, type Row } from './rows.ts';

type HaApi = Pick<BalanceApi, 'crsOptions' | 'haRules'>;

export function haApi(http: Requests, hasRules: (signal?: AbortSignal) => Promise<boolean>): HaApi {
  return {
    crsOptions: async (signal) => {
      const answer = await http.get('/cluster/options', {}, signal);
      const crs = new Map(plainEntries(answer.data)).get('crs');
      return typeof crs === 'string' ? propertyRecord(crs) : isRecord(crs) ? valuesOf(crs) : {};
    },
    haRules: async (signal) =>
      (await hasRules(signal)) ? readRules(http, signal) : readGroups(http, signal),
  };
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
