/** Sets a new password, which is on disk before PVE hears of it. Setting it twice is setting it once. */
import { PveError } from '../../../proxmox/errors.ts';
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { assertUnprotected, presentUser, userGone } from './ours.ts';
import { explainPassword } from './system-user.ts';

export const setUserPassword: Handler<'user.password'> = async (step, io) => {
  const { userid } = step;
  assertUnprotected(userid, io);
  const password = await io.secrets.replacementFor(userid);
  let tries = 0;
  try {
    const outcome = await attempt(io, {
      id: step.id,
      act: async () => {
        if ((await presentUser(step, io)) === 'absent') throw userGone(userid);
        tries += 1;
        await io.pve.setPassword(userid, password, io.signal);
        return 'done';
      },
      look: () => Promise.resolve('absent'),
    });
    await io.secrets.settle(userid, 'set');
    return outcome;
  } catch (error) {
    // Only a refusal of the first try proves that the former password is still the valid one.
    const isUnchanged = tries === 0 || (tries === 1 && error instanceof PveError);
    if (isUnchanged) await io.secrets.settle(userid, 'unchanged');
    throw explainPassword(userid, error);
  }
};
