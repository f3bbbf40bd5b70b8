/** Makes sure that a user is still the one that was planned for. Reads only. */
import { isUserMarked } from '../../marks/user.ts';
import { StepError } from '../step-error.ts';
import type { StepIo } from '../types.ts';

interface PlannedUser {
  readonly userid: string;
  readonly comment: string;
  /** Comment after the step: a former try may have written it. */
  readonly newComment?: string;
}

/** Throws when the comment is another one by now. */
export async function presentUser(
  { userid, comment, newComment = comment }: PlannedUser,
  io: StepIo,
): Promise<'present' | 'absent'> {
  const present = await io.pve.user(userid, io.signal);
  if (!present) return 'absent';
  const found = present.comment.trim();
  if (found === comment.trim() || found === newComment.trim()) return 'present';
  throw new StepError(
    'NOT_OURS',
    `user ${userid} was changed meanwhile: its comment is not the planned one`,
    {
      hint: 'run the command again: it plans anew from what is there',
    },
  );
}

export function assertMarked({ userid, comment }: PlannedUser): void {
  if (isUserMarked(comment)) return;
  throw new StepError('NOT_OURS', `user ${userid} does not carry our mark; it is left as it is`, {
    hint: 'change the user by hand',
  });
}

export function userGone(userid: string): StepError {
  return new StepError('USER_GONE', `user ${userid} is gone by now`, {
    hint: 'run the command again: it plans anew from what is there',
  });
}
