/** Task identifiers of answers. Must not ask anybody about the task. */
import { readUpid, type TaskId } from '../pve-values/task-status.ts';
import { unexpected } from './rows.ts';
import type { Answer } from './answer.ts';
import { InternalError } from '../errors.ts';
import type { Upid } from './types.ts';

/** Of an identifier that PVE gave us. */
export function parseUpid(upid: Upid): TaskId {
  const task = readUpid(upid);
  if (!task) throw new InternalError('UPID_INVALID', `"${upid.slice(0, 100)}" is not a task identifier`);
  return task;
}

/** The UPID that an asynchronous call answers with. */
export function upidOf(answer: Answer): Upid {
  if (typeof answer.data === 'string' && readUpid(answer.data)) return answer.data;
  throw unexpected(answer, 'data is not a task identifier');
}
