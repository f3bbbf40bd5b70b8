/** Creates a PVE user with a password that is on disk before PVE hears of it. Never changes a user that exists. */
import { isAlreadyExists } from '../../../proxmox/words.ts';
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { assertUnprotected } from './ours.ts';
import { explainPassword } from './system-user.ts';

export const createUser: Handler<'user.create'> = async (step, io) => {
  assertUnprotected(step.userid, io);
  const generated = step.password === 'generate';
  // On disk before the user is made; meanwhile others write user.cfg.
  const password = generated ? await io.stepAside(() => io.secrets.passwordFor(step.userid)) : undefined;
  const isOurs = async () => {
    const users = await io.pve.users(io.signal);
    return users.some(({ userid, comment }) => userid === step.userid && comment.trim() === step.comment);
  };
  try {
    const outcome = await attempt(io, {
      id: step.id,
      act: async () => {
        const { userid, comment, groups, email, firstName, lastName, expire } = step;
        await io.pve.createUser(
          {
            userid,
            comment,
            groups,
            ...(password === undefined ? {} : { password }),
            ...(email === undefined ? {} : { email }),
            ...(firstName === undefined ? {} : { firstName }),
            ...(lastName === undefined ? {} : { lastName }),
            ...(expire === undefined ? {} : { expire }),
          },
          io.signal,
        );
        return 'done';
      },
      look: async () => ((await isOurs()) ? 'done' : 'absent'),
    });
    io.leavePlace();
    await io.secrets.settle(step.userid, generated ? 'set' : 'directory');
    return outcome;
  } catch (error) {
    if (!isAlreadyExists(error)) throw explainPassword(step.userid, error);
    // With exactly our comment it is the user that a former try of this very step made, with this password.
    const state = (await isOurs()) ? 'set' : 'unchanged';
    io.leavePlace();
    await io.secrets.settle(step.userid, generated ? state : 'directory');
    return 'already-done';
  }
};
