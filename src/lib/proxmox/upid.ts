/** Takes a task identifier apart. Must not ask anybody about the task. */
import { unexpected } from './rows.ts';
import type { Answer } from './answer.ts';
import { InternalError } from '../errors.ts';
import type { Upid } from './types.ts';

export interface TaskId {
  /** Where the task runs and must be asked for: for a clone or a migration the source. */
  readonly node: string;
  /** `qmclone`, `srvreload`… */
  readonly type: string;
  /** Usually a VMID; may be empty. */
  readonly id: string;
  /** `user@realm`, or `user@realm!token`. */
  readonly user: string;
  /** Seconds since the epoch. */
  readonly starttime: number;
}

const UPID = /^UPID:([^:\s]+):[0-9a-f]{8}:[0-9a-f]{8,9}:([0-9a-f]{8}):([^:\s]+):([^:\s]*):([^:\s]+):$/i;

function parse(text: string): TaskId | undefined {
  const [, node, start, type, id, user] = UPID.exec(text) ?? [];
  if (node === undefined || start === undefined || type === undefined || id === undefined) return undefined;
  return user === undefined ? undefined : { node, type, id, user, starttime: Number.parseInt(start, 16) };
}

/** `UPID:<node>:<pid>:<pstart>:<starttime>:<type>:<id>:<user>:`, numbers in hex. */
export function parseUpid(upid: Upid): TaskId {
  const task = parse(upid);
  if (!task) throw new InternalError('UPID_INVALID', `"${upid.slice(0, 100)}" is not a task identifier`);
  return task;
}

/** The UPID that an asynchronous call answers with. */
export function upidOf(answer: Answer): Upid {
  if (typeof answer.data === 'string' && parse(answer.data)) return answer.data;
  throw unexpected(answer, 'data is not a task identifier');
}
