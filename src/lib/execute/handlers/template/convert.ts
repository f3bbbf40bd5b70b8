/** Makes a copy that is where it belongs a template. */
import { isTemplate } from '../../../pve-values/guest-flags.ts';
import { attempt, awaitTask } from '../../retry.ts';
import type { Handler, StepOutcome } from '../../types.ts';
import { outliveTasks, tasksOn } from '../outlive-tasks.ts';
import { findReplica, LOCK_SECONDS } from './place.ts';
import { patiently } from '../vm/lock.ts';

export const convertReplica: Handler<'template.convert'> = (step, io) => {
  const { node } = step;
  const isConverted = async () => isTemplate((await findReplica(step, io)).values);
  const convert = async (): Promise<StepOutcome | 'locked'> => {
    const place = await findReplica(step, io);
    if (place.values['lock'] !== undefined) return 'locked';
    if (isTemplate(place.values)) return 'already-done';
    try {
      await awaitTask(io, await io.pve.convertToTemplate(step, io.signal));
    } catch (error) {
      // Another run was quicker: PVE refuses to convert a template.
      if (!(await isConverted())) throw error;
      return 'already-done';
    }
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => patiently({ ...step, lockWaitSeconds: LOCK_SECONDS }, io, convert),
    look: async () => {
      await outliveTasks(io, node, tasksOn(step, 'template'));
      return (await isConverted()) ? 'done' : 'absent';
    },
  });
};
