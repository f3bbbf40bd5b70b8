/** Changing SDN: zones, vnets, the global lock, and applying. See pve-network API2/Network/SDN.pm, SDN/{Zones,Vnets}.pm. */
import { splitList } from '../contract/formats.ts';
import { PveError, die, errorText, paramError } from '../pve-error.ts';
import { appliedSdn } from '../network/sdn.ts';
import { checkVnet, checkZone, checkZoneOptions, dieAt, storedAlias } from '../network/sdn-rules.ts';
import { randomUuid } from '../access/secrets.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { SdnConfig, VnetState, ZoneState } from '../state.ts';
import type { Worker } from '../tasks/tasks.ts';
import { needSdn, needVnet, sdnDigest } from './sdn.ts';
import { without } from '../without.ts';

/** SDN.pm lock_sdn_config: a lock of the cluster file system, and the token of whoever holds the global one. */
async function locked<T>(call: Call, prefix: string, work: () => T): Promise<T> {
  const { sim, params } = call;
  try {
    const release = await sim.locks.cfs('domain-sdn');
    try {
      await sim.clock.sleep(writeMs);
      const { lock } = sim.world.sdn;
      if (lock !== undefined && lock !== params.optText('lock-token'))
        dieAt('invalid lock token provided!', 'Network/SDN.pm');
      return work();
    } finally {
      release();
    }
  } catch (error) {
    throw new PveError(500, `${prefix}: ${errorText(error)}`);
  }
}

/** The first staged difference is where configured and applied part. */
function stage(sim: Sim, change: Partial<SdnConfig>): null {
  sim.world.sdn = { ...sim.world.sdn, running: appliedSdn(sim.world.sdn), ...change };
  return null;
}

function checkDigest(call: Call, list: readonly unknown[]): void {
  const digest = call.params.optText('digest');
  if (digest !== undefined && digest !== sdnDigest(list))
    die('detected modified configuration - file changed by other user? Try again.');
}

/** Under the lock, per write: 30 of them take half a second. */
const writeMs = 15;

const notOptions = new Set(['zone', 'type', 'delete', 'digest', 'lock-token']);

function zoneOptions(call: Call): Record<string, string> {
  const { params } = call;
  const named = params.names().filter((name) => !notOptions.has(name));
  return Object.fromEntries(named.map((name) => [name, params.text(name)]));
}

function createZone(call: Call): Promise<null> {
  const { sim, params } = call;
  needSdn(call, 'POST /cluster/sdn/zones');
  const zone: ZoneState = {
    zone: params.text('zone'),
    type: params.text('type'),
    options: zoneOptions(call),
  };
  checkZoneOptions(zone.type, zone.options ?? {});
  return locked(call, 'create sdn zone object failed', () => {
    const { zones } = sim.world.sdn;
    if (zones.some((one) => one.zone === zone.zone)) die(`sdn zone object ID '${zone.zone}' already defined`);
    checkZone(zone, sim.facts.major);
    return stage(sim, { zones: [...zones, zone] });
  });
}

function known(sim: Sim, id: string): ZoneState {
  return sim.world.sdn.zones.find(({ zone }) => zone === id) ?? die(`sdn '${id}' does not exist`);
}

function updateZone(call: Call): Promise<null> {
  const { sim, params } = call;
  const id = params.text('zone');
  needSdn(call, `PUT /cluster/sdn/zones/${id}`);
  return locked(call, 'update sdn zone object failed', () => {
    const { zones } = sim.world.sdn;
    checkDigest(call, zones);
    const old = known(sim, id);
    const dropped = splitList(params.text('delete'));
    const kept = Object.entries(old.options ?? {}).filter(([key]) => !dropped.includes(key));
    const changed = { ...old, options: { ...Object.fromEntries(kept), ...zoneOptions(call) } };
    checkZoneOptions(changed.type, changed.options);
    checkZone(changed, sim.facts.major);
    return stage(sim, { zones: zones.map((one) => (one === old ? changed : one)) });
  });
}

function deleteZone(call: Call): Promise<null> {
  const { sim, params } = call;
  const id = params.text('zone');
  needSdn(call, `DELETE /cluster/sdn/zones/${id}`);
  return locked(call, 'delete sdn zone object failed', () => {
    const old = known(sim, id);
    const user = sim.world.sdn.vnets.find(({ zone }) => zone === id);
    if (user) dieAt(`zone ${id} is used by vnet ${user.vnet}`, 'Network/SDN/Zones/Plugin.pm');
    return stage(sim, { zones: sim.world.sdn.zones.filter((one) => one !== old) });
  });
}

/** What the parameters say of a vnet. */
function vnetChange({ params }: Call): Partial<VnetState> {
  const tag = params.optNumber('tag');
  const zone = params.optText('zone');
  const alias = storedAlias(params.optText('alias'));
  return {
    ...(zone === undefined ? {} : { zone }),
    ...(tag === undefined ? {} : { tag }),
    ...(params.has('vlanaware') ? { vlanaware: params.flag('vlanaware') } : {}),
    ...(params.has('isolate-ports') ? { isolatePorts: params.flag('isolate-ports') } : {}),
    ...(alias === undefined ? {} : { alias }),
  };
}

function createVnet(call: Call): Promise<null> {
  const { sim, params } = call;
  needSdn(call, 'POST /cluster/sdn/vnets');
  return locked(call, 'create sdn vnet object failed', () => {
    const { vnets } = sim.world.sdn;
    const id = params.text('vnet');
    const vnet: VnetState = { vnet: id, zone: params.text('zone'), vlanaware: false, ...vnetChange(call) };
    if (vnets.some((one) => one.vnet === id)) die(`sdn vnet object ID '${id}' already defined`);
    checkVnet(vnet, sim.world.sdn);
    return stage(sim, { vnets: [...vnets, vnet] });
  });
}

const deletable: Readonly<Record<string, keyof VnetState>> = {
  alias: 'alias',
  tag: 'tag',
  vlanaware: 'vlanaware',
  'isolate-ports': 'isolatePorts',
};

function updateVnet(call: Call): Promise<null> {
  const { sim, params } = call;
  needSdn(call, `PUT /cluster/sdn/vnets/${params.text('vnet')}`);
  needVnet(call, ['SDN.Allocate']);
  return locked(call, 'update sdn vnet object failed', () => {
    const { vnets } = sim.world.sdn;
    checkDigest(call, vnets);
    const old = needVnet(call, ['SDN.Allocate']);
    const dropped = splitList(params.text('delete')).map((key) => {
      if (key === 'zone') throw paramError({ zone: 'cannot delete zone' });
      return deletable[key] ?? die(`no such option '${key}'`);
    });
    const kept = Object.fromEntries(
      Object.entries(old).filter(([key]) => !dropped.some((name) => name === key)),
    );
    const { vnet, zone } = old;
    const changed: VnetState = { vlanaware: false, ...kept, vnet, zone, ...vnetChange(call) };
    checkVnet(changed, sim.world.sdn);
    return stage(sim, { vnets: vnets.map((one) => (one === old ? changed : one)) });
  });
}

/** A vnet that guests use goes like any other. */
function deleteVnet(call: Call): Promise<null> {
  const { sim } = call;
  needSdn(call, `DELETE /cluster/sdn/vnets/${call.params.text('vnet')}`);
  needVnet(call, ['SDN.Allocate']);
  return locked(call, 'delete sdn vnet object failed', () => {
    const old = needVnet(call, ['SDN.Allocate']);
    return stage(sim, { vnets: sim.world.sdn.vnets.filter((one) => one !== old) });
  });
}

function withoutLock(sim: Sim): void {
  sim.world.sdn = without(sim.world.sdn, 'lock');
}

function releaseWith(call: Call): void {
  const { params, sim } = call;
  if (params.has('lock-token') && params.flag('release-lock', true)) withoutLock(sim);
}

async function apply(call: Call): Promise<string> {
  const { sim } = call;
  needSdn(call, 'PUT /cluster/sdn');
  await locked(call, 'could not commit SDN config', () => {
    const { sdn } = sim.world;
    sim.world.sdn = { ...without(sdn, 'running'), version: (sdn.version ?? 0) + 1 };
    releaseWith(call);
  });
  return call.startTask('reloadnetworkall', '', 'sdn-apply', {});
}

/** Reloads every node in turn, whatever comes of it: staged interface changes of others come into force with it. */
export function sdnApplyWorker(sim: Sim): Worker {
  return async (task) => {
    for (const node of sim.world.nodes.values()) {
      task.log(`${node.name}: reloading network config`);
      if (!node.online) {
        task.log(`hostname lookup or connection to '${node.name}' failed`);
        continue;
      }
      task.once(`start-${node.name}`, () => {
        const reload = { node: node.name, type: 'srvreload', id: 'networking', user: 'root@pam' };
        sim.tasks.start({ ...reload, kind: 'network-reload', args: {} });
      });
      await task.wait(`wait-${node.name}`, sim.latency.network_reload_s * 1000);
    }
  };
}

const isChanged = (sim: Sim): boolean => {
  const { zones, vnets } = appliedSdn(sim.world.sdn);
  const now = sim.world.sdn;
  return JSON.stringify([zones, vnets]) !== JSON.stringify([now.zones, now.vnets]);
};

function takeLock(call: Call): Promise<string> {
  const { sim, params } = call;
  return locked(call, 'could not acquire lock for SDN config', () => {
    if (!params.flag('allow-pending') && isChanged(sim))
      dieAt('configuration has pending changes', 'Network/SDN.pm');
    const lock = randomUuid(sim.world);
    sim.world.sdn = { ...sim.world.sdn, lock };
    return lock;
  });
}

/** Without `force` only the token opens it. */
async function dropLock(call: Call): Promise<null> {
  const { sim, params } = call;
  if (params.flag('force')) withoutLock(sim);
  else await locked(call, 'could not release lock', () => withoutLock(sim));
  return null;
}

function rollback(call: Call): Promise<null> {
  const { sim } = call;
  return locked(call, 'could not rollback SDN configuration', () => {
    const { sdn } = sim.world;
    const { zones, vnets } = appliedSdn(sdn);
    sim.world.sdn = { ...without(sdn, 'running'), zones, vnets };
    releaseWith(call);
    return null;
  });
}

export const sdnConfigHandlers: Handlers = {
  'POST /cluster/sdn/zones': createZone,
  'PUT /cluster/sdn/zones/{zone}': updateZone,
  'DELETE /cluster/sdn/zones/{zone}': deleteZone,
  'POST /cluster/sdn/vnets': createVnet,
  'PUT /cluster/sdn/vnets/{vnet}': updateVnet,
  'DELETE /cluster/sdn/vnets/{vnet}': deleteVnet,
  'PUT /cluster/sdn': apply,
  'POST /cluster/sdn/lock': takeLock,
  'DELETE /cluster/sdn/lock': dropLock,
  'POST /cluster/sdn/rollback': rollback,
};
