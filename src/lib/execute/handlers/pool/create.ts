/** Creates a user's pool with our header, and the claim, in its comment. Never takes over a pool that exists. */
import { isAlreadyExists } from '../../../proxmox/words.ts';
import { sealed } from './sealed.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';

export const createPool: Handler<'pool.create'> = async (step, io) => {
  const comment = sealed(step.comment, io);
  const isOurs = async () => {
    const pools = await io.pve.pools(io.signal);
    return pools.some((one) => one.pool === step.pool && one.comment.trim() === comment);
  };
  try {
    return await attempt(io, {
      id: step.id,
      act: async () => {
        await io.assertNobodyPlanned();
        await io.pve.createPool(step.pool, comment, io.signal);
        io.ownership.wrote(step.pool, comment);
        return 'done';
      },
      look: async () => ((await isOurs()) ? 'done' : 'absent'),
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    if (await isOurs()) return 'already-done';
    throw new StepError('POOL_TAKEN', `pool ${step.pool} was created by somebody else meanwhile`, {
      hint: 'run the command again; a pool that is not ours is used only with --adopt',
      cause: error,
    });
  }
};
