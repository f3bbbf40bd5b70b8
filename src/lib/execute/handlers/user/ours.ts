/** Makes sure that a user is still the one that was planned for, and not one that nobody may touch. Reads only. */
import { isUserMarked } from '../../../marks/user.ts';
import { protectedBecause } from '../../../plan/stands/protected-accounts.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo } from '../../types.ts';

interface PlannedUser {
  readonly userid: string;
  readonly comment: string;
  /** Comment after the step: a former try may have written it. */
  readonly newComment?: string;
  /** Could log in; asked where a step would bring that back. */
  readonly wasEnabled?: boolean;
}

/** Also a plan that was made before, or edited, does not reach these. */
export function assertUnprotected(userid: string, { caller }: Pick<StepIo, 'caller'>): void {
  const because = protectedBecause(userid, caller);
  if (because === undefined) return;
  throw new StepError('PROTECTED_ACCOUNT', `${userid} ${because}: it stays as it is`, {
    hint: 'plan again: no plan touches this account',
  });
}

/** Throws when the comment is another one by now, or the user was disabled. */
export async function presentUser(
  { userid, comment, newComment = comment, wasEnabled = false }: PlannedUser,
  io: StepIo,
): Promise<'present' | 'absent'> {
  const present = await io.pve.user(userid, io.signal);
  if (!present) return 'absent';
  const found = present.comment.trim();
  const isPlanned = found === comment.trim() || found === newComment.trim();
  const isShutOut = wasEnabled && !present.enabled;
  if (isPlanned && !isShutOut) return 'present';
  throw new StepError(
    'NOT_OURS',
    `user ${userid} was changed meanwhile: ${isPlanned ? 'it is disabled' : 'its comment is not the planned one'}`,
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
