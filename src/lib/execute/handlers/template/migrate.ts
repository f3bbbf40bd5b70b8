/** Moves a copy of a template to its node, with its local disks. Says what PVE's log says when it cannot. */
import { TaskError } from '../../../proxmox/errors.ts';
import { isLockTimeout, tellsOfFailure } from '../../../proxmox/words.ts';
import { taskType } from '../../../pve-values/guest-kinds.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepOutcome } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { findReplica, LOCK_SECONDS } from './place.ts';
import { patiently } from '../vm/lock.ts';

/**
 * The exit status is always `migration aborted`, and the VM is where it was; the first telling line of the log is the
 * cause. A lock that was busy is one, too: told as such, the move is tried again.
 */
function explain(error: unknown, step: { readonly vmid: number; readonly home: string }): unknown {
  if (!(error instanceof TaskError)) return error;
  const { upid, log } = error;
  const cause = (log.find(tellsOfFailure) ?? error.exitstatus).replace(/^.*ERROR: /, '');
  const told = new TaskError({ upid, title: `${taskType('migrate')} ${step.vmid}`, exitstatus: cause, log });
  if (isLockTimeout(told)) return told;
  return new StepError('MIGRATE_FAILED', `VM ${step.vmid} could not be moved to ${step.home}: ${cause}`, {
    hint: `end of the task log:\n${log.join('\n')}`,
    cause: error,
  });
}

export const migrateReplica: Handler<'template.migrate'> = (step, io) => {
  const { node, vmid, home, targetStorage } = step;
  const migrate = async (): Promise<StepOutcome | 'locked'> => {
    const place = await findReplica(step, io);
    if (place.node === home && place.values['lock'] === undefined) return 'already-done';
    if (place.values['lock'] !== undefined) return 'locked';
    const request = {
      node: place.node,
      vmid,
      target: home,
      ...(targetStorage === undefined ? {} : { targetStorage }),
    };
    try {
      await awaitTask(io, await io.pve.migrateVm(request, io.signal));
      return 'done';
    } catch (error) {
      throw explain(error, step);
    }
  };
  return attempt(io, {
    id: step.id,
    act: () => patiently({ ...step, lockWaitSeconds: LOCK_SECONDS }, io, migrate),
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'migrate'));
      const place = await findReplica(step, io);
      return place.node === home && place.values['lock'] === undefined ? 'done' : 'absent';
    },
  });
};
