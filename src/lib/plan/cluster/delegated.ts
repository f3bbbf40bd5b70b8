/** Why nothing is done in a pool that somebody else may write, in words. Who may is told by the inventory. */
import {
  delegatedWayOut,
  mayBeWritten,
  OR_OPERATOR,
  PROVES_NOTHING,
} from '../../inventory/delegated-words.ts';
import type { PoolWriter } from '../../inventory/types.ts';
import type { Refusal } from '../document/plan.ts';
import type { ClusterView } from './view.ts';

export function delegatedRefusal(
  pool: string,
  delegated: PoolWriter,
  { pools }: Pick<ClusterView, 'pools'>,
): Refusal {
  const code = 'POOL_DELEGATED';
  const { says, unseen } = delegated;
  if (pools.has(pool) || unseen) {
    return {
      code,
      message: `pool ${pool} ${mayBeWritten(delegated)}, ${PROVES_NOTHING}: ${says}`,
      hint: delegatedWayOut(delegated),
    };
  }
  return {
    code,
    message: `pool ${pool} is not there yet, and once it is, somebody else can write it, so that nothing in it would prove what is ours: ${says}`,
    hint: `take that right away first, ${OR_OPERATOR}`,
  };
}
