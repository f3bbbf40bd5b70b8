/** Gives a user a role on a path. Granting twice is granting once, so nothing is looked up. */
import { giving } from './give.ts';
import { assertGivable } from './vm.ts';
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { assertUnprotected } from '../user/ours.ts';

export const grantAcl: Handler<'acl.grant'> = (step, io) => {
  const { path, role, userid, propagate } = step;
  return attempt(io, {
    id: step.id,
    act: giving({ path, role, userid, propagate }, io, async () => {
      assertUnprotected(userid, io);
      await assertGivable(step, io);
      return true;
    }),
    look: () => Promise.resolve('absent'),
  });
};
