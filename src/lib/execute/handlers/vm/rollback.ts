/** Puts a VM back to a snapshot. Never plugs it into a bridge that the planner did not allow: PVE asks for no right on one. */
import { bridgesIn } from '../../../pve-values/nics.ts';
import { isGoodEnding } from '../../../pve-values/task-status.ts';
import { userIn } from '../../../pve-values/userid.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { outliveTasks, sinceNow, tasksOn } from '../outlive-tasks.ts';
import { hereOrMoved } from './gone.ts';
import { patiently } from './lock.ts';

type RollbackStep = StepOf<'vm.rollback'>;

/** Its student may have deleted it, and taken another one under the same name. */
async function assertAsPlanned(step: RollbackStep, io: StepIo): Promise<void> {
  const { node, vmid, snapshot, bridges } = step;
  const saved = await io.pve.snapshotConfig(step, snapshot, io.signal);
  if (!saved)
    throw new StepError('SNAPSHOT_MISSING', `VM ${vmid} on ${node} has no snapshot ${snapshot} any more`, {
      hint: 'run the command again: it says what there is',
    });
  const others = bridgesIn(saved).filter((bridge) => !bridges.includes(bridge));
  if (others.length === 0) return;
  throw new StepError(
    'SNAPSHOT_BRIDGE',
    `snapshot ${snapshot} of VM ${vmid} on ${node} names ${others.join(', ')}, which it did not when this was planned`,
    { hint: 'run the command again: it says whose that is' },
  );
}

export const rollbackVm: Handler<'vm.rollback'> = (step, io) => {
  const { node, snapshot, power } = step;
  let since = 0;
  let mustRun = power === 'start';
  const rollBack = async (): Promise<StepOutcome | 'locked'> => {
    await io.ownership.assertOursNow(step);
    await assertAsPlanned(step, io);
    const { status, lock } = await io.pve.vmStatus(step, io.signal);
    // The operation that holds it may have stopped it: the rollback of a run that was killed starts it when it ends.
    if (lock !== undefined) return 'locked';
    // A try whose answer was lost may have stopped it.
    mustRun ||= status === 'running';
    since = sinceNow(io);
    await awaitTask(io, await io.pve.rollbackVm(step, { snapshot, start: mustRun }, io.signal));
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => hereOrMoved(step, io, () => patiently(step, io, rollBack)),
    look: async () => {
      const mine = tasksOn(step, 'rollback');
      await outliveTasks(io, node, mine);
      // Which snapshot a task went back to is not told; going back twice leads to the same.
      const ended = await io.pve.tasks(node, { source: 'archive', ...mine, since }, io.signal);
      const own = io.caller === undefined ? undefined : userIn(io.caller);
      const isDone = ended.some(
        ({ status, user }) => isGoodEnding(status) && (own === undefined || user === own),
      );
      return isDone ? 'done' : 'absent';
    },
  });
};
