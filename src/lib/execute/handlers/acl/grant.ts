/** Gives a user a role on a path. Granting twice is granting once, so nothing is looked up. */
import { giving } from './give.ts';
import { assertGivable } from './vm.ts';
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { assertUnprotected } from '../user/ours.ts';

export const grantAcl: Handler<'acl.grant'> = (step, io) => {
  const { path, role, userid, propagate } = step;
  const look = async (when: 'before' | 'after'): Promise<true> => {
    await assertGivable(step, io, when);
    return true;
  };
  return attempt(io, {
    id: step.id,
    act: giving({ path, role, userid, propagate }, io, {
      before: () => {
        assertUnprotected(userid, io);
        return look('before');
      },
      // The next right is given meanwhile.
      after: () => io.stepAside(() => look('after')),
    }),
    look: () => Promise.resolve('absent'),
  });
};
