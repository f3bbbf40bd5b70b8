/** Clones a template under a claimed VMID, for a stand or as a replica. Never touches a VM there that is not that clone. */
import { withReplicaSeal } from '../../../marks/replica.ts';
import { withSeal } from '../../../marks/vm.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { toldKind } from '../../../pve-values/guest-kinds.ts';
import { isAlreadyExists, isLockTimeout } from '../../../proxmox/words.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { assertNodeAnswers } from '../node-answers.ts';
import { assertClaimed, unlessGivenBack } from './abandoned.ts';
import { claimantOf, settledClone, settledLostClone } from './clone-progress.ts';
import { sinceNow } from '../outlive-tasks.ts';

const ROLLBACK_MS = 5000;

function cloneTemplate(
  step: StepOf<'vm.clone'> | StepOf<'template.clone'>,
  io: StepIo,
): Promise<StepOutcome> {
  const { node, target, templateVmid, vmid, name, full, storage } = step;
  const seal = step.kind === 'vm.clone' ? withSeal : withReplicaSeal;
  const description = seal(step.description, io.seals.of(vmid));
  const { joinsAtOnce } = step;
  const claimed = { vmid, pool: claimantOf(step), joinsAtOnce };
  const pool = joinsAtOnce === true ? claimed.pool : undefined;
  const request = {
    ...{ node, target, templateVmid, vmid, name, description, full, ...toldKind(step) },
    ...(storage === undefined ? {} : { storage }),
    ...(pool === undefined ? {} : { pool }),
  };
  let since = 0;
  const clone = async (mayExist: boolean): Promise<StepOutcome> => {
    await assertClaimed(claimed, io);
    since = sinceNow(io);
    try {
      if (target !== node) await assertNodeAnswers(target, io);
      const upid = await io.pve.cloneVm(request, io.signal);
      await awaitTask(io, upid);
      await unlessGivenBack(claimed, io);
      return 'done';
    } catch (error) {
      const exists = isAlreadyExists(error);
      // After a lock timeout PVE takes the half-made VM back; it must be gone before the number is used again.
      if (!exists && !isLockTimeout(error)) throw error;
      if ((await settledClone(step, io, exists ? 'VMID_TAKEN' : 'CLONE_LEFT')) === 'done')
        return 'already-done';
      if (!exists) throw error;
      if (!mayExist) {
        throw new StepError(
          'VMID_TAKEN',
          `VMID ${vmid} cannot be used: ${error instanceof Error ? error.message : ''}`,
          {
            hint: 'it may be in use on another node; run the command again: the machine gets another number',
            cause: error,
          },
        );
      }
      await io.clock.sleep(ROLLBACK_MS, io.signal);
      return clone(false);
    }
  };
  return attempt(io, {
    id: step.id,
    act: () => clone(true),
    look: () => settledLostClone(step, io, since),
  });
}

/** A former run's clone has no seal that this run knows: only its end tells whether it is the one that was claimed. */
async function awaitClone(step: StepOf<'vm.clone'>, io: StepIo): Promise<StepOutcome> {
  if ((await settledClone(step, io, 'VMID_TAKEN')) === 'done') return 'already-done';
  throw new StepError('CLONE_ENDED', `the clone of a former run under VMID ${step.vmid} has failed`, {
    hint: 'run the command again: it clones the machine anew',
  });
}

export const cloneVm: Handler<'vm.clone'> = (step, io) => {
  if (step.isUnderWay !== true) return cloneTemplate(step, io);
  return attempt(io, {
    id: step.id,
    act: () => awaitClone(step, io),
    look: () => Promise.resolve('absent'),
  });
};
export const cloneReplica: Handler<'template.clone'> = cloneTemplate;
