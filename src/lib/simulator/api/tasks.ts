/** `/nodes/{node}/tasks`. See pve-manager API2/Tasks.pm. */
import { splitList } from '../contract/formats.ts';
import { isToken, ownerOf } from '../access/permissions.ts';
import { paramError } from '../pve-error.ts';
import type { Call, Handlers } from '../sim.ts';
import type { TaskState } from '../state.ts';

/** A user sees the tasks of its tokens as well; a token only its own. */
function isOwn(user: string, task: TaskState): boolean {
  return isToken(user) ? task.user === user : ownerOf(task.user) === user;
}

function knownTask(call: Call, privilege: 'Sys.Audit' | 'Sys.Modify'): TaskState {
  const { sim, params, user, node } = call;
  const upid = params.text('upid');
  if (!/^UPID:[^:]+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:[^:\s]+:[^:\s]*:[^:\s]+:$/.test(upid)) {
    throw paramError({ upid: 'unable to parse worker upid' });
  }
  const task = sim.tasks.get(upid);
  if (task?.node !== node) throw paramError({ upid: 'no such task' });
  if (!isOwn(user, task)) sim.rights.need(user, `/nodes/${node}`, privilege);
  return task;
}

function userParts(user: string): Record<string, string> {
  const owner = ownerOf(user);
  return isToken(user) ? { user: owner, tokenid: user.slice(owner.length + 1) } : { user };
}

function status(call: Call): unknown {
  const task = knownTask(call, 'Sys.Audit');
  const { upid, node, pid, pstart, starttime, type, id, exitstatus } = task;
  const running = task.endtime === undefined;
  return {
    ...{ upid, node, pid, pstart, starttime, type, id, ...userParts(task.user) },
    status: running ? 'running' : 'stopped',
    ...(running ? {} : { exitstatus }),
  };
}

function log(call: Call): unknown {
  const { params } = call;
  const task = knownTask(call, 'Sys.Audit');
  const lines = task.log.length === 0 ? ['no content'] : task.log;
  const start = params.number('start');
  const limit = params.optNumber('limit') ?? 50;
  call.attributes['total'] = lines.length;
  const shown = limit === 0 ? lines.slice(start) : lines.slice(start, start + limit);
  return shown.map((t, i) => ({ n: start + i + 1, t }));
}

function kindOfStatus(task: TaskState): string {
  const { exitstatus } = task;
  if (exitstatus === undefined || exitstatus === 'unexpected status') return 'unknown';
  if (exitstatus === 'OK') return 'ok';
  return exitstatus.startsWith('WARNINGS') ? 'warning' : 'error';
}

function filterOf(call: Call): (task: TaskState) => boolean {
  const { sim, params, user, node } = call;
  const auditor = sim.rights.has(user, `/nodes/${node}`, 'Sys.Audit');
  const vmid = params.optText('vmid');
  const type = params.optText('typefilter');
  const since = params.optNumber('since');
  const until = params.optNumber('until');
  const owner = params.optText('userfilter')?.toLowerCase();
  const kinds = splitList(params.text('statusfilter').toLowerCase());
  return (task) =>
    (auditor || isOwn(user, task)) &&
    (owner === undefined || task.user.toLowerCase().includes(owner)) &&
    (vmid === undefined || task.id === vmid) &&
    (type === undefined || task.type === type) &&
    (since === undefined || task.starttime >= since) &&
    (until === undefined || task.starttime <= until) &&
    (!params.flag('errors') || kindOfStatus(task) !== 'ok') &&
    (kinds.length === 0 || kinds.includes(kindOfStatus(task)));
}

function list(call: Call): unknown {
  const { sim, params, node } = call;
  const source = params.optText('source') ?? 'archive';
  const active = source === 'archive' ? [] : [...sim.tasks.active(node)].reverse();
  const archived = source === 'active' ? [] : [...sim.tasks.archived(node)].reverse();
  const found = [...active, ...archived].filter(filterOf(call));
  call.attributes['total'] = found.length;
  const start = params.number('start');
  return found.slice(start, start + (params.optNumber('limit') ?? 50)).map((task) => {
    const { upid, pid, pstart, starttime, type, id, endtime, exitstatus } = task;
    const end = endtime === undefined ? { status: 'RUNNING' } : { endtime, status: exitstatus };
    return { upid, node, pid, pstart, starttime, type, id, ...userParts(task.user), ...end };
  });
}

export const taskHandlers: Handlers = {
  'GET /nodes/{node}/tasks': list,
  // Of every task, whether it was or not.
  'GET /nodes/{node}/tasks/{upid}': () => [{ name: 'log' }, { name: 'status' }],
  'GET /nodes/{node}/tasks/{upid}/status': status,
  'GET /nodes/{node}/tasks/{upid}/log': log,
  'DELETE /nodes/{node}/tasks/{upid}': (call) => {
    call.sim.tasks.stop(knownTask(call, 'Sys.Modify').upid);
    return null;
  },
};
