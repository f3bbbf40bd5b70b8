/** Takes a role on a path away from a user. Revoking twice is revoking once, so nothing is looked up. */
import { takeAway } from './give.ts';
import { assertTakable } from './vm.ts';
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { assertUnprotected } from '../user/ours.ts';

export const revokeAcl: Handler<'acl.revoke'> = (step, io) => {
  const { path, role, userid } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      assertUnprotected(userid, io);
      await assertTakable(step, io);
      return takeAway({ path, role, userid }, io);
    },
    look: () => Promise.resolve('absent'),
  });
};
