/** Changes details of a user that we created. Writing them twice is writing them once. */
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { assertMarked, assertUnprotected, presentUser, userGone } from './ours.ts';

export const updateUser: Handler<'user.update'> = (step, io) => {
  const { userid, newComment, groups, email, firstName, lastName, expire, enable } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      assertUnprotected(userid, io);
      assertMarked(step);
      if ((await presentUser(step, io)) === 'absent') throw userGone(userid);
      await io.pve.updateUser(
        userid,
        {
          ...(newComment === undefined ? {} : { comment: newComment }),
          ...(groups === undefined ? {} : { groups }),
          ...(email === undefined ? {} : { email }),
          ...(firstName === undefined ? {} : { firstName }),
          ...(lastName === undefined ? {} : { lastName }),
          ...(expire === undefined ? {} : { expire }),
          ...(enable === undefined ? {} : { enable }),
        },
        io.signal,
      );
      return 'done';
    },
    look: () => Promise.resolve('absent'),
  });
};
