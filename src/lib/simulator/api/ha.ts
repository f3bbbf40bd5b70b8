/** HA groups and rules, and the datacenter's options. See ha-manager API2/HA/{Groups,Rules}.pm. Reads only. */
import { die } from '../pve-error.ts';
import type { Call, Handlers } from '../sim.ts';

const DIGEST = '0'.repeat(40);

function groups(call: Call): unknown {
  if (call.sim.facts.major === 9) die('cannot index groups: ha groups have been migrated to rules');
  return call.sim.world.haGroups.map(({ group, nodes, restricted, nofailback }) => ({
    group,
    type: 'group',
    nodes: nodes.join(','),
    ...(restricted ? { restricted: 1 } : {}),
    ...(nofailback ? { nofailback: 1 } : {}),
    digest: DIGEST,
  }));
}

function rules(call: Call): unknown {
  const type = call.params.optText('type');
  const resource = call.params.optText('resource');
  return call.sim.world.haRules
    .filter((rule) => type === undefined || rule.type === type)
    .filter((rule) => resource === undefined || rule.resources.includes(resource))
    .map((rule) => ({
      rule: rule.rule,
      type: rule.type,
      resources: rule.resources.join(','),
      ...(rule.nodes.length === 0 ? {} : { nodes: rule.nodes.join(',') }),
      ...(rule.strict ? { strict: 1 } : {}),
      ...(rule.affinity === undefined ? {} : { affinity: rule.affinity }),
      digest: DIGEST,
    }));
}

/** Options that pve-cluster's DataCenterConfig.pm takes apart when it reads the file. */
const NESTED = new Set(['crs', 'ha', 'migration', 'next-id', 'notify', 'tag-style', 'user-tag-access']);

function options(call: Call): unknown {
  return Object.fromEntries(
    Object.entries(call.sim.world.datacenter).map(([key, value]) => {
      if (!NESTED.has(key)) return [key, value];
      const parts = value
        .split(',')
        .map((part) => [part.split('=', 1)[0], part.slice(part.indexOf('=') + 1)]);
      return [key, Object.fromEntries(parts) as Record<string, string>];
    }),
  );
}

export const haHandlers: Handlers = {
  'GET /cluster/options': options,
  'GET /cluster/ha/groups': groups,
  'GET /cluster/ha/rules': rules,
};
