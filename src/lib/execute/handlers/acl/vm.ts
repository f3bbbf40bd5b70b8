/** Whether a right may be given or taken away: what it is on is ours, and nobody has frozen it meanwhile. Reads only. */
import type { StepOf } from '../../../plan/document/step.ts';
import { frozenLabs, type PoolMark } from '../../../marks/pool.ts';
import { poolIn, vmidIn } from '../../../pve-values/acl-path.ts';
import type { Claimed } from '../../ask-ownership.ts';
import type { StepIo } from '../../types.ts';
import { poolChanged } from '../pool/members.ts';
import { frozenMeanwhile, markIn, markNow } from './frozen.ts';

type Mark = PoolMark | undefined;
type AclStep = StepOf<'acl.grant'> | StepOf<'acl.revoke'>;

function vmOf({ path, pool }: AclStep): Claimed | undefined {
  const vmid = vmidIn(path);
  return vmid === undefined || pool === undefined ? undefined : { vmid, pool };
}

/** What the pool of the right said a moment ago, where that lets it be given, or else now. */
async function markBefore(pool: string, { userid, thaws }: StepOf<'acl.grant'>, io: StepIo): Promise<Mark> {
  const recent = markIn((await io.ownership.pool(pool))?.comment);
  const isOpen = recent?.user === userid && (thaws === true || frozenLabs(recent).length === 0);
  return isOpen ? recent : markNow(pool, io);
}

/**
 * A right on a number where nothing stands would wait for whatever is made there next; so would one on a pool. `before` it is
 * written a reading of a moment ago may say yes: `after` it, one that was begun by then says the last word, and all that were
 * written meanwhile share it.
 */
export async function assertGivable(
  step: StepOf<'acl.grant'>,
  io: StepIo,
  when: 'before' | 'after',
): Promise<void> {
  const { path, userid, thaws } = step;
  const vm = vmOf(step);
  const pool = vm?.pool ?? poolIn(path);
  if (pool === undefined) return;
  const asked = vm && (await io.ownership[when === 'before' ? 'assertOursNow' : 'assertOursLater'](vm));
  const mark = asked
    ? markIn(asked.comment)
    : when === 'before'
      ? await markBefore(pool, step, io)
      : markIn(await io.ownership.commentLater(pool));
  if (!mark) throw poolChanged(pool, 'it is gone');
  if (mark.user !== userid) throw poolChanged(pool, `it does not carry our mark of ${userid}`);
  const labs = frozenLabs(mark);
  if (thaws === true) await io.assertNobodyPlanned();
  else if (labs.length > 0)
    throw frozenMeanwhile({ pool, userid, labs }, '`deploy` with the files of the class');
}

export async function assertTakable(step: StepOf<'acl.revoke'>, { ownership }: StepIo): Promise<void> {
  const vm = vmOf(step);
  if (vm) await ownership.assertOursOrGone(vm);
}
