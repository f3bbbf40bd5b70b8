/** Endpoints about pools, whose form changed with PVE 8.1. Must not decide anything. */
import { InternalError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { isNotFound } from './words.ts';
import { path } from './form.ts';
import type { Requests } from './http.ts';
import { Row, rowsOf } from './rows.ts';
import type { PveApi } from './types.ts';

type PoolApi = Pick<PveApi, 'pools' | 'pool' | 'createPool' | 'updatePool' | 'deletePool'>;

export function poolApi(http: Requests, isByQuery: (signal?: AbortSignal) => Promise<boolean>): PoolApi {
  return {
    pools: async (signal) =>
      rowsOf(await http.get('/pools', {}, signal)).map((row) => ({
        pool: row.text('poolid'),
        comment: row.comment('comment'),
      })),
    pool: async (pool, signal) => {
      try {
        if (!(await isByQuery(signal))) return poolOf(await http.get(path`/pools/${pool}`, {}, signal));
        const answer = await http.get('/pools', { poolid: pool }, signal);
        return poolOf({ ...answer, data: Array.isArray(answer.data) ? answer.data[0] : undefined });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    createPool: async (pool, comment, signal) => {
      await http.post('/pools', { poolid: pool, comment: comment === '' ? undefined : comment }, signal);
    },
    updatePool: async (pool, { comment, addVmids = [], removeVmids = [] }, signal) => {
      // `delete` turns the meaning of the whole list around, and only one call is all or nothing.
      if (addVmids.length > 0 && removeVmids.length > 0) {
        throw new InternalError('POOL_CHANGE', `pool ${pool}: cannot add and remove VMs in one call`);
      }
      const vmids = removeVmids.length > 0 ? removeVmids : addVmids;
      const change = {
        comment,
        vms: vmids.length > 0 ? vmids : undefined,
        delete: removeVmids.length > 0 ? true : undefined,
      };
      if (await isByQuery(signal)) await http.put('/pools', { poolid: pool, ...change }, signal);
      else await http.put(path`/pools/${pool}`, change, signal);
    },
    deletePool: async (pool, signal) => {
      if (await isByQuery(signal)) await http.delete('/pools', { poolid: pool }, signal);
      else await http.delete(path`/pools/${pool}`, {}, signal);
    },
  };
}

/** Storages are members, too; only guests have a VMID. */
function poolOf(answer: Answer): { readonly comment: string; readonly vmids: readonly number[] } {
  const row = new Row(answer, answer.data, 'the pool');
  const members = rowsOf({ ...answer, data: row.get('members') ?? [] });
  return {
    comment: row.comment('comment'),
    vmids: members.flatMap((member) => member.maybeNumber('vmid') ?? []),
  };
}
