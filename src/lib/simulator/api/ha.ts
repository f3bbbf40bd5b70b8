/** HA resources, and what the manager says. See ha-manager API2/HA/Resources.pm. */
import { splitList } from '../contract/formats.ts';
import { crmState, dropHaResource, requestStart, requestStopped } from '../ha-manager.ts';
import { die } from '../pve-error.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { HaResourceState } from '../state.ts';
import { lockedHa } from './ha-rules.ts';
import { currentHaStatus, haResourceRow, haSid, managerStatus } from './ha-view.ts';

const notOptions = new Set(['sid', 'type', 'state', 'group', 'comment', 'delete', 'digest']);

function optionsFrom({ params }: Call): Record<string, string> {
  const names = params.names().filter((name) => !notOptions.has(name));
  return Object.fromEntries(names.map((name) => [name, params.text(name)]));
}

function checkGuest(call: Call, sid: string): void {
  const [type = '', vmid = ''] = sid.split(':');
  const wanted = call.params.optText('type');
  if (wanted !== undefined && wanted !== type) die('types does not match');
  const guest = call.sim.world.guests.get(Number(vmid));
  if (!guest) die(`resource '${sid}' does not exist in cluster`);
  if (guest.type !== (type === 'vm' ? 'qemu' : 'lxc'))
    die(`resource '${sid}' - guest with ID ${vmid} is not a ${type === 'vm' ? 'VM' : 'CT'}`);
}

const migrated = "invalid parameter 'group': ha groups have been migrated to rules";

/** What was asked for sets the manager to work. */
function act(sim: Sim, { sid, state }: HaResourceState): void {
  if (state === 'started') requestStart(sim, sid);
  if (state === 'stopped') requestStopped(sim, sid);
}

/** `enabled` is an old word for `started`. */
const stateOf = (text: string): string => (text === 'enabled' ? 'started' : text);

async function createResource(call: Call): Promise<null> {
  const { sim, params } = call;
  const sid = haSid(call);
  const group = params.optText('group');
  const comment = params.optText('comment');
  if (group !== undefined && sim.facts.major === 9) die(migrated);
  checkGuest(call, sid);
  const resource: HaResourceState = {
    sid,
    state: stateOf(params.optText('state') ?? 'started'),
    ...(group === undefined ? {} : { group }),
    ...(comment === undefined ? {} : { comment }),
    options: optionsFrom(call),
  };
  await lockedHa(sim, 'create resource failed', () => {
    if (sim.world.haResources.has(sid)) die(`resource ID '${sid}' already defined`);
    sim.world.haResources.set(sid, resource);
  });
  act(sim, resource);
  return null;
}

async function updateResource(call: Call): Promise<null> {
  const { sim, params } = call;
  const sid = haSid(call);
  const group = params.optText('group');
  if (group !== undefined) {
    if (sim.facts.major === 9) die(migrated);
    if (!sim.world.haGroups.some((one) => one.group === group)) die(`HA group '${group}' does not exist`);
  }
  const wanted = params.optText('state');
  const known = sim.world.haResources.get(sid);
  if (known && crmState(known) === 'error' && wanted !== 'disabled')
    die(`service '${sid}' in error state, must be disabled and fixed first`);
  await lockedHa(sim, 'update resources config failed', () => {
    const old = sim.world.haResources.get(sid) ?? die(`no such resource '${sid}'`);
    const dropped = new Set(splitList(params.text('delete')));
    const { group: oldGroup, comment: oldComment, status, options = {}, ...rest } = old;
    const comment = params.optText('comment') ?? (dropped.has('comment') ? undefined : oldComment);
    const inGroup = group ?? (dropped.has('group') ? undefined : oldGroup);
    const kept = Object.fromEntries(Object.entries(options).filter(([key]) => !dropped.has(key)));
    const isReset = wanted === 'disabled' && status === 'error';
    sim.world.haResources.set(sid, {
      ...rest,
      ...(wanted === undefined ? {} : { state: stateOf(wanted) }),
      ...(status === undefined || isReset ? {} : { status }),
      ...(inGroup === undefined ? {} : { group: inGroup }),
      ...(comment === undefined ? {} : { comment }),
      options: { ...kept, ...optionsFrom(call) },
    });
  });
  if (wanted !== undefined) act(sim, { sid, state: stateOf(wanted) });
  return null;
}

function deleteResource(call: Call): unknown {
  const sid = haSid(call);
  const { sim } = call;
  if (!sim.world.haResources.has(sid)) die(`cannot delete service '${sid}', not HA managed!`);
  return lockedHa(sim, 'delete resource failed', () => {
    dropHaResource(sim.world, sid, sim.facts.major === 9 && call.params.flag('purge', true));
    return null;
  });
}

function listResources(call: Call): unknown {
  const type = call.params.optText('type');
  return [...call.sim.world.haResources.keys()]
    .filter((sid) => type === undefined || type === sid.split(':')[0])
    .map((sid) => haResourceRow(call, sid));
}

export const haHandlers: Handlers = {
  'GET /cluster/ha/status/manager_status': managerStatus,
  'GET /cluster/ha/status/current': currentHaStatus,
  'GET /cluster/ha/resources': listResources,
  'POST /cluster/ha/resources': createResource,
  'GET /cluster/ha/resources/{sid}': (call) => haResourceRow(call, haSid(call)),
  'PUT /cluster/ha/resources/{sid}': updateResource,
  'DELETE /cluster/ha/resources/{sid}': deleteResource,
};
