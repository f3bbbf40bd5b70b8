/** HA groups (7, 8) and rules (9). See ha-manager API2/HA/{Groups,Rules}.pm. Moves nothing. */
import { splitList } from '../contract/formats.ts';
import { PveError, die, errorText } from '../pve-error.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { HaGroupState, HaRuleState } from '../state.ts';
import { HA_DIGEST } from './ha-view.ts';

/** HA/Config.pm lock_ha_domain. */
export async function lockedHa<T>(sim: Sim, prefix: string, work: () => T): Promise<T> {
  try {
    const release = await sim.locks.cfs('domain-ha');
    try {
      return work();
    } finally {
      release();
    }
  } catch (error) {
    throw new PveError(500, `${prefix}: ${errorText(error)}`);
  }
}

/** On 9 the groups of older versions have become rules. */
function needGroups(call: Call, what: string): void {
  if (call.sim.facts.major === 9) die(`cannot ${what}: ha groups have been migrated to rules`);
}

const groupRow = ({
  group,
  nodes,
  restricted,
  nofailback,
  comment,
}: HaGroupState): Record<string, unknown> => ({
  group,
  type: 'group',
  nodes: nodes.join(','),
  ...(restricted ? { restricted: 1 } : {}),
  ...(nofailback ? { nofailback: 1 } : {}),
  ...(comment === undefined ? {} : { comment }),
  digest: HA_DIGEST,
});

function listGroups(call: Call): unknown {
  needGroups(call, 'index groups');
  return call.sim.world.haGroups.map(groupRow);
}

function readGroup(call: Call): unknown {
  needGroups(call, 'read group');
  const group = call.params.text('group');
  const found = call.sim.world.haGroups.find((one) => one.group === group);
  return groupRow(found ?? die(`no such ha group '${group}'`));
}

function groupFrom({ params }: Call, old?: HaGroupState): HaGroupState {
  const nodes = params.has('nodes') ? splitList(params.text('nodes')) : (old?.nodes ?? []);
  const comment = params.optText('comment') ?? old?.comment;
  return {
    group: params.text('group'),
    nodes,
    restricted: params.flag('restricted', old?.restricted === true),
    nofailback: params.flag('nofailback', old?.nofailback === true),
    ...(comment === undefined ? {} : { comment }),
  };
}

async function createGroup(call: Call): Promise<null> {
  needGroups(call, 'create group');
  const { world } = call.sim;
  const group = groupFrom(call);
  await lockedHa(call.sim, 'create ha group failed', () => {
    if (world.haGroups.some((one) => one.group === group.group))
      die(`ha group ID '${group.group}' already defined`);
    world.haGroups = [...world.haGroups, group];
  });
  return null;
}

async function updateGroup(call: Call): Promise<null> {
  needGroups(call, 'update group');
  const { world } = call.sim;
  await lockedHa(call.sim, 'update ha group failed', () => {
    const name = call.params.text('group');
    const old = world.haGroups.find((one) => one.group === name) ?? die(`no such ha group '${name}'`);
    const dropped = new Set(splitList(call.params.text('delete')));
    if (dropped.has('nodes')) die("unable to delete required option 'nodes'");
    const { comment, ...rest } = old;
    const kept = {
      ...rest,
      restricted: old.restricted && !dropped.has('restricted'),
      nofailback: old.nofailback && !dropped.has('nofailback'),
      ...(comment === undefined || dropped.has('comment') ? {} : { comment }),
    };
    const changed = groupFrom(call, kept);
    world.haGroups = world.haGroups.map((one) => (one === old ? changed : one));
  });
  return null;
}

async function deleteGroup(call: Call): Promise<null> {
  needGroups(call, 'delete group');
  const { world } = call.sim;
  const group = call.params.text('group');
  await lockedHa(call.sim, 'delete ha group failed', () => {
    const user = [...world.haResources.values()].find((one) => one.group === group);
    if (user) die(`ha group is used by service '${user.sid}'`);
    world.haGroups = world.haGroups.filter((one) => one.group !== group);
  });
  return null;
}

function ruleRow(rule: HaRuleState, order: number): Record<string, unknown> {
  const { resources, nodes, strict, affinity, comment, disabled = false } = rule;
  return {
    rule: rule.rule,
    type: rule.type,
    resources: resources.join(','),
    ...(nodes.length === 0 ? {} : { nodes: nodes.join(',') }),
    ...(rule.type === 'node-affinity' ? { strict: strict ? 1 : 0 } : {}),
    ...(affinity === undefined ? {} : { affinity }),
    ...(comment === undefined ? {} : { comment }),
    ...(disabled ? { disable: 1 } : {}),
    order,
    digest: HA_DIGEST,
  };
}

function listRules(call: Call): unknown {
  const type = call.params.optText('type');
  const resource = call.params.optText('resource');
  return call.sim.world.haRules
    .map((rule, i) => ({ rule, row: ruleRow(rule, i + 1) }))
    .filter(({ rule }) => type === undefined || rule.type === type)
    .filter(({ rule }) => resource === undefined || rule.resources.includes(resource))
    .map(({ row }) => row);
}

function readRule(call: Call): unknown {
  const name = call.params.text('rule');
  const at = call.sim.world.haRules.findIndex(({ rule }) => rule === name);
  const found = call.sim.world.haRules[at] ?? die(`no such ha rule '${name}'`);
  return ruleRow(found, at + 1);
}

function checkRule(sim: Sim, { resources, nodes }: HaRuleState): void {
  const unmanaged = resources.filter((sid) => !sim.world.haResources.has(sid)).sort();
  if (unmanaged.length > 0) die(`cannot use unmanaged resource(s) ${unmanaged.join(', ')}.`);
  const missing = nodes.filter((node) => !sim.world.nodes.has(node.split(':', 1)[0] ?? '')).sort();
  if (missing.length > 0) die(`cannot use non-existent node(s) ${missing.join(', ')}.`);
}

function ruleFrom({ params }: Call, old?: HaRuleState): HaRuleState {
  const affinity = params.optText('affinity') ?? old?.affinity;
  const comment = params.optText('comment') ?? old?.comment;
  const list = (name: 'resources' | 'nodes'): readonly string[] =>
    params.has(name) ? splitList(params.text(name)) : (old?.[name] ?? []);
  return {
    rule: params.text('rule'),
    type: params.text('type') === 'resource-affinity' ? 'resource-affinity' : 'node-affinity',
    resources: list('resources'),
    nodes: list('nodes'),
    strict: params.flag('strict', old?.strict === true),
    ...(affinity === 'positive' || affinity === 'negative' ? { affinity } : {}),
    ...(comment === undefined ? {} : { comment }),
    ...(params.flag('disable', old?.disabled === true) ? { disabled: true } : {}),
  };
}

async function createRule(call: Call): Promise<null> {
  const { world } = call.sim;
  const rule = ruleFrom(call);
  const needed = rule.type === 'node-affinity' ? 'nodes' : 'affinity';
  if (!call.params.has(needed)) die(`missing value for required option '${needed}'`);
  await lockedHa(call.sim, 'create ha rule failed', () => {
    if (world.haRules.some((one) => one.rule === rule.rule)) die(`HA rule '${rule.rule}' already defined`);
    checkRule(call.sim, rule);
    world.haRules = [...world.haRules, rule];
  });
  return null;
}

async function updateRule(call: Call): Promise<null> {
  const { world } = call.sim;
  await lockedHa(call.sim, 'update HA rules failed', () => {
    const name = call.params.text('rule');
    const old = world.haRules.find(({ rule }) => rule === name) ?? die(`HA rule '${name}' does not exist`);
    const dropped = new Set(splitList(call.params.text('delete')));
    const { comment, disabled, ...rest } = old;
    const kept = {
      ...rest,
      strict: old.strict && !dropped.has('strict'),
      ...(comment === undefined || dropped.has('comment') ? {} : { comment }),
      ...(disabled === true && !dropped.has('disable') ? { disabled } : {}),
    };
    const changed = ruleFrom(call, kept);
    checkRule(call.sim, changed);
    world.haRules = world.haRules.map((one) => (one === old ? changed : one));
  });
  return null;
}

async function deleteRule(call: Call): Promise<null> {
  const { world } = call.sim;
  await lockedHa(call.sim, 'delete ha rule failed', () => {
    world.haRules = world.haRules.filter(({ rule }) => rule !== call.params.text('rule'));
  });
  return null;
}

export const haRuleHandlers: Handlers = {
  'GET /cluster/ha/groups': listGroups,
  'POST /cluster/ha/groups': createGroup,
  'GET /cluster/ha/groups/{group}': readGroup,
  'PUT /cluster/ha/groups/{group}': updateGroup,
  'DELETE /cluster/ha/groups/{group}': deleteGroup,
  'GET /cluster/ha/rules': listRules,
  'POST /cluster/ha/rules': createRule,
  'GET /cluster/ha/rules/{rule}': readRule,
  'PUT /cluster/ha/rules/{rule}': updateRule,
  'DELETE /cluster/ha/rules/{rule}': deleteRule,
};
