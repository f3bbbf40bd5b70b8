/** Removes a user that we created. Never one without our mark, nor one whose comment is not the planned one. */
import { isUserMarked } from '../../../marks/user.ts';
import { isNotFound } from '../../../proxmox/words.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';
import { assertUnprotected } from './ours.ts';

export const deleteUser: Handler<'user.delete'> = (step, io) => {
  const { userid, comment } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      assertUnprotected(userid, io);
      // The list may be of a moment before: what it does not show, or shows otherwise, is asked for by itself.
      const listed = await io.ownership.user(userid);
      const isPlanned = listed?.comment.trim() === comment.trim();
      const present = isPlanned ? listed : await io.pve.user(userid, io.signal);
      if (!present) return 'already-done';
      if (!isUserMarked(comment) || present.comment.trim() !== comment.trim()) {
        throw new StepError('NOT_OURS', `user ${userid} does not carry our mark (any more); it stays`, {
          hint: 'remove the user by hand if nobody needs it',
        });
      }
      await io.ownership.assertRemovable(userid);
      try {
        await io.pve.deleteUser(userid, io.signal);
        return 'done';
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return 'already-done';
      }
    },
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
