/**
 * Removes a user of ours and creates it anew with a new password, details and rights as they were. Never one without our
 * mark, and never a user that somebody else put in its place.
 */
import { frozenLabs } from '../../../marks/pool.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { underFreeze } from '../../../plan/stands/frozen-right.ts';
import { poolIn, vmidIn } from '../../../pve-values/acl-path.ts';
import { isAlreadyExists, isNotFound } from '../../../proxmox/words.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { frozenMeanwhile, markLater, markNow } from '../acl/frozen.ts';
import { giving } from '../acl/give.ts';
import { assertMarked, assertUnprotected, presentUser } from './ours.ts';

type RecreateStep = StepOf<'user.recreate'>;

/** `onWrite`: from here on the user may be gone. */
function remove(step: RecreateStep, io: StepIo, onWrite: () => void): Promise<StepOutcome> {
  return attempt(io, {
    id: `${step.id}/delete`,
    act: async () => {
      assertMarked(step);
      const planned = { userid: step.userid, comment: step.comment, wasEnabled: step.enable };
      if ((await presentUser(planned, io)) === 'absent') return 'already-done';
      await io.ownership.assertRemovable(step.userid);
      onWrite();
      try {
        await io.pve.deleteUser(step.userid, io.signal);
        return 'done';
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return 'already-done';
      }
    },
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
}

async function create(step: RecreateStep, io: StepIo, password: string): Promise<StepOutcome> {
  const { userid, comment, groups, email, firstName, lastName, expire, enable } = step;
  try {
    return await attempt(io, {
      id: `${step.id}/create`,
      act: async () => {
        await io.pve.createUser(
          {
            userid,
            password,
            comment,
            groups,
            ...(email === undefined ? {} : { email }),
            ...(firstName === undefined ? {} : { firstName }),
            ...(lastName === undefined ? {} : { lastName }),
            ...(expire === undefined ? {} : { expire }),
            ...(enable ? {} : { enable }),
          },
          io.signal,
        );
        return 'done';
      },
      // It was gone a moment ago: with our comment it is the one that was just asked for.
      look: async () => ((await presentUser(step, io)) === 'present' ? 'done' : 'absent'),
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    throw new StepError('USER_TAKEN', `user ${userid} was created by somebody else meanwhile`, {
      hint: 'look at the user; the new password was not set',
      cause: error,
    });
  }
}

/**
 * A right on a machine ends with the machine, and its number may be somebody else's a moment later: whoever may make machines
 * could have a right carried over to one that is not theirs by removing their own while a run is under way.
 */
async function isGone({ path, pool }: RecreateStep['acls'][number], io: StepIo): Promise<boolean> {
  const vmid = vmidIn(path);
  // Of one that the planner did not see nothing is known but the right.
  if (vmid === undefined || pool === undefined) return false;
  const row = (await io.pve.resources(io.signal)).find((one) => one.vmid === vmid);
  return row === undefined || (row.pool ?? null) !== pool;
}

/** Throws where a right was not given that no thaw gives back. */
async function grant(step: RecreateStep, io: StepIo): Promise<void> {
  const { userid } = step;
  let lost: StepError | undefined;
  for (const acl of step.acls) {
    const { path, role, propagate } = acl;
    const pool = acl.pool ?? poolIn(path);
    const mayBe = async (ask: typeof markNow): Promise<boolean> => {
      if (await isGone(acl, io)) return false;
      if (pool === undefined) return true;
      const mark = await ask(pool, io);
      const fate = underFreeze({ userid, role, vmid: vmidIn(path) }, mark);
      if (fate === 'lost')
        lost ??= frozenMeanwhile({ pool, userid, labs: frozenLabs(mark) }, 'this command again');
      return fate === 'given';
    };
    await attempt(io, {
      id: `${step.id}${path}`,
      act: giving({ path, role, propagate, userid }, io, {
        before: () => mayBe(markNow),
        after: () => mayBe(markLater),
      }),
      look: () => Promise.resolve('absent'),
    });
  }
  if (lost) throw lost;
}

export const recreateUser: Handler<'user.recreate'> = async (step, io) => {
  assertUnprotected(step.userid, io);
  const { userid, comment, groups, email, firstName, lastName, expire, enable, acls } = step;
  const account = { comment, groups, email, firstName, lastName, expire, enable, acls };
  // Once the user is removed, nobody else knows what it was.
  const password = await io.secrets.replacementFor(userid, JSON.stringify(account));
  const written = { isAny: false };
  try {
    await remove(step, io, () => {
      written.isAny = true;
    });
  } catch (error) {
    if (!written.isAny) await io.secrets.settle(userid, 'unchanged');
    throw error;
  }
  await create(step, io, password);
  await grant(step, io);
  await io.secrets.settle(userid, 'restored');
  return 'done';
};
