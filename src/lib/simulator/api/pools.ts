/** `/pools`. See pve-manager API2/Pool.pm; everything is all-or-nothing under the user.cfg lock. */
import { splitList } from '../contract/formats.ts';
import { resourceRow } from '../guest/guest-view.ts';
import { die, permError } from '../pve-error.ts';
import { lockUserConfig, type Call, type Handlers } from '../sim.ts';
import { storedText } from '../access/user-config.ts';
import type { Pool } from '../world.ts';
import { storageRow } from './storage-view.ts';

function knownPool(call: Call): Pool {
  const poolid = call.params.text('poolid');
  return call.sim.world.pools.get(poolid) ?? die(`pool '${poolid}' does not exist`);
}

/** Members that do not exist (yet) are not shown. */
function members(call: Call, pool: Pool): unknown[] {
  const { sim } = call;
  const type = call.params.optText('type');
  const rows: unknown[] = [];
  for (const vmid of [...pool.vms].map(String).sort()) {
    const guest = sim.world.guests.get(Number(vmid));
    if (guest && (type === undefined || type === guest.type)) rows.push(resourceRow(sim, guest));
  }
  if (type !== undefined && type !== 'storage') return rows;
  for (const id of [...pool.storage].sort()) {
    const storage = sim.world.storages.get(id);
    if (!storage) continue;
    // One row each, of this node where it has the storage.
    const names = storage.nodes ?? [call.node];
    const name = names.includes(call.node) ? call.node : [...names].sort()[0];
    const node = sim.world.nodes.get(name ?? '');
    if (node) rows.push(storageRow(sim, storage, node));
  }
  return rows;
}

const commentOf = (pool: Pool): Record<string, string> =>
  pool.comment === '' ? {} : { comment: pool.comment };

function listPools(call: Call): unknown {
  const { sim, user, params } = call;
  if (params.has('poolid')) {
    // The right is looked at, but its absence has no consequence: whoever can log in reads every pool.
    const pool = knownPool(call);
    return [{ poolid: pool.poolid, members: members(call, pool), ...commentOf(pool) }];
  }
  return [...sim.world.pools.values()]
    .filter((pool) => sim.rights.has(user, `/pool/${pool.poolid}`, 'Pool.Audit'))
    .sort((a, b) => (a.poolid < b.poolid ? -1 : 1))
    .map((pool) => ({ poolid: pool.poolid, ...commentOf(pool) }));
}

function getPool(call: Call): unknown {
  const pool = knownPool(call);
  return { members: members(call, pool), ...commentOf(pool) };
}

async function createPool(call: Call): Promise<null> {
  const { sim, params } = call;
  const poolid = params.text('poolid');
  await lockUserConfig(sim, 'create pool failed', () => {
    if (sim.world.pools.has(poolid)) die(`pool '${poolid}' already exists`);
    const parent = /^(.+)\/[^/]+$/.exec(poolid)?.[1];
    if (parent !== undefined && !sim.world.pools.has(parent)) {
      die(`parent '${parent}' of pool '${poolid}' does not exist`);
    }
    if (sim.facts.major === 9 && !/(?:^|\/)[A-Za-z][^/]*$/.test(poolid))
      die('pool name must start with a letter');
    sim.world.pools.set(poolid, {
      poolid,
      comment: storedText(params.text('comment')),
      vms: new Set(),
      storage: new Set(),
    });
  });
  return null;
}

/** What has to be done, after everything has been checked. */
type Edit = () => void;

function needPermissionsModify(call: Call, path: string): void {
  if (!call.sim.rights.mayModifyPermissions(call.user, path)) {
    throw permError(
      `${path}, Permissions.Modify|${path.startsWith('/vms/') ? 'VM.Allocate' : 'Datastore.Allocate'}`,
    );
  }
}

function editVm(call: Call, pool: Pool, vmid: number, members: Set<number>): Edit {
  const { sim, params, user } = call;
  needPermissionsModify(call, `/vms/${vmid}`);
  if (params.flag('delete')) {
    if (!members.delete(vmid)) die(`VM ${vmid} is not a pool member`);
    return () => {
      sim.world.leavePool(vmid);
    };
  }
  if (members.has(vmid)) die(`VM ${vmid} is already a pool member`);
  const other = sim.world.poolOf(vmid);
  if (other !== undefined) {
    const hint = sim.facts.nestedPools ? " and 'allow-move' is not set" : '';
    if (!params.flag('allow-move')) die(`VM ${vmid} belongs already to pool '${other}'${hint}`);
    sim.rights.need(user, `/pool/${other}`, 'Pool.Allocate');
  }
  members.add(vmid);
  return () => {
    sim.world.leavePool(vmid);
    sim.world.joinPool(pool.poolid, vmid);
  };
}

function editStorage(call: Call, pool: Pool, storage: string, members: Set<string>): Edit {
  needPermissionsModify(call, `/storage/${storage}`);
  if (call.params.flag('delete')) {
    if (!members.delete(storage)) die(`Storage '${storage}' is not a pool member`);
    return () => {
      pool.storage.delete(storage);
    };
  }
  if (members.has(storage)) die(`Storage '${storage}' is already a pool member`);
  members.add(storage);
  return () => {
    pool.storage.add(storage);
  };
}

async function updatePool(call: Call): Promise<null> {
  const { sim, params } = call;
  await lockUserConfig(sim, 'update pools failed', () => {
    const pool = knownPool(call);
    const vms = new Set(pool.vms);
    const storages = new Set(pool.storage);
    const edits = [
      ...splitList(params.text('vms')).map((vmid) => editVm(call, pool, Number(vmid), vms)),
      ...splitList(params.text('storage')).map((storage) => editStorage(call, pool, storage, storages)),
    ];
    pool.comment = storedText(params.optText('comment') ?? pool.comment);
    for (const edit of edits) edit();
  });
  return null;
}

async function deletePool(call: Call): Promise<null> {
  const { sim } = call;
  await lockUserConfig(sim, 'delete pool failed', () => {
    const pool = knownPool(call);
    const refuse = (what: string): never => die(`pool '${pool.poolid}' is not empty (contains ${what})`);
    for (const other of sim.world.pools.keys()) {
      if (other.startsWith(`${pool.poolid}/`)) refuse(`pool '${other}'`);
    }
    for (const vmid of pool.vms) if (sim.world.guests.has(vmid)) refuse(`VM ${vmid}`);
    for (const storage of pool.storage) if (sim.world.storages.has(storage)) refuse(`storage '${storage}'`);
    for (const vmid of [...pool.vms]) sim.world.leavePool(vmid);
    sim.world.pools.delete(pool.poolid);
    // delete_pool_acl looks for one path component: grants on nested pools stay behind.
    if (!pool.poolid.includes('/')) sim.world.acl.delete(`/pool/${pool.poolid}`);
  });
  return null;
}

export const poolHandlers: Handlers = {
  'GET /pools': listPools,
  'POST /pools': createPool,
  'PUT /pools': updatePool,
  'DELETE /pools': deletePool,
  'GET /pools/{poolid}': getPool,
  'PUT /pools/{poolid}': updatePool,
  'DELETE /pools/{poolid}': deletePool,
};
