/** Endpoints about tasks, always asked on the node that the UPID names. Must not wait. */
import { path } from './form.ts';
import type { Requests } from './http.ts';
import { compact } from '../compact.ts';
import { rowOf, rowsOf } from './rows.ts';
import type { Answer } from './answer.ts';
import type { PveApi, Upid } from './types.ts';
import { parseUpid } from './upid.ts';

type TaskApi = Pick<PveApi, 'tasks' | 'taskStatus' | 'taskLog' | 'taskLogEnds'>;

export function taskApi(http: Requests): TaskApi {
  return {
    tasks: async (node, { source, vmid, type, since, until, limit }, signal) => {
      const params = { source, vmid, typefilter: type, since, until, limit };
      return rowsOf(await http.get(path`/nodes/${node}/tasks`, params, signal)).map((row) => {
        const status = row.maybeText('status');
        return compact({
          upid: row.text('upid'),
          type: row.text('type'),
          id: row.maybeText('id') ?? '',
          user: row.text('user'),
          starttime: row.number('starttime'),
          endtime: row.maybeNumber('endtime'),
          status: status === 'RUNNING' ? undefined : unlessGood(status, http),
        });
      });
    },
    taskStatus: async (upid, signal) => {
      const row = rowOf(
        await http.get(path`/nodes/${parseUpid(upid).node}/tasks/${upid}/status`, {}, signal),
      );
      return compact({
        upid,
        running: row.text('status') === 'running',
        exitstatus: unlessGood(row.maybeText('exitstatus'), http),
      });
    },
    taskLog: async (upid, lines, signal) => (await logEnds(http, upid, lines, signal)).end,
    taskLogEnds: async (upid, lines, signal) => {
      const { start, end } = await logEnds(http, upid, lines, signal);
      return [...start, ...end];
    },
  };
}

/** The log is counted from its beginning, and only the first answer tells its length. No line is in both. */
async function logEnds(
  http: Requests,
  upid: Upid,
  lines: number,
  signal?: AbortSignal,
): Promise<{ readonly start: readonly string[]; readonly end: readonly string[] }> {
  const url = path`/nodes/${parseUpid(upid).node}/tasks/${upid}/log`;
  const first = await http.get(url, { start: 0, limit: lines }, signal);
  const textsOf = (answer: Answer): string[] =>
    rowsOf(answer).map((row) => http.mask(row.maybeText('t') ?? ''));
  const count = first.document['total'];
  const total = typeof count === 'number' || typeof count === 'string' ? Number(count) : 0;
  if (!(total > lines)) return { start: [], end: textsOf(first) };
  const last = await http.get(url, { start: total - lines, limit: lines }, signal);
  return { start: textsOf(first).slice(0, Math.max(total - lines, 0)), end: textsOf(last) };
}

/** A task's last words may repeat what it was given. */
function unlessGood(exitstatus: string | undefined, http: Requests): string | undefined {
  return exitstatus === undefined || exitstatus === 'OK' ? exitstatus : http.mask(exitstatus);
}
