/** Waits until tasks that may be ours, their UPID lost with the answer, have ended. Does not judge how. */
import { AnswerLostError, TaskError } from '../../proxmox/errors.ts';
import { taskType, type GuestAt, type GuestDeed } from '../../pve-values/guest-kinds.ts';
import { awaitTask } from '../retry.ts';
import type { StepIo } from '../types.ts';

interface TaskFilter {
  readonly type: string;
  readonly vmid?: number;
}

/** The tasks in which PVE does this to the guest. */
export function tasksOn({ vmid, type }: GuestAt, deed: GuestDeed): Required<TaskFilter> {
  return { type: taskType(deed, type), vmid };
}

export async function outliveTasks(io: StepIo, node: string, filter: TaskFilter): Promise<void> {
  const active = await io.pve.tasks(node, { source: 'active', ...filter }, io.signal);
  for (const { upid } of active) {
    try {
      await awaitTask(io, upid);
    } catch (error) {
      if (!(error instanceof TaskError) && !(error instanceof AnswerLostError)) throw error;
    }
  }
}

/** Against clocks in whole seconds and the way of the request. */
const SLACK_SECONDS = 5;

/** A task that a request of this moment begins, begins after this (seconds, the server's). */
export function sinceNow(io: StepIo): number {
  return Math.floor(io.pve.serverTime().getTime() / 1000) - SLACK_SECONDS;
}
