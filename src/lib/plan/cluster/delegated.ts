/** Why nothing is done in a pool that somebody else may write, in words. Who may is told by the inventory. */
import { DELEGATED_WAY_OUT, OR_OPERATOR } from '../../inventory/delegated.ts';
import type { Refusal } from '../document/plan.ts';
import type { HaveIndex } from './view.ts';

export function delegatedRefusal(
  pool: string,
  delegated: string,
  { pools }: Pick<HaveIndex, 'pools'>,
): Refusal {
  const code = 'POOL_DELEGATED';
  if (pools.has(pool)) {
    return {
      code,
      message: `pool ${pool} can be written by somebody else, so nothing in it proves what is ours: ${delegated}`,
      hint: DELEGATED_WAY_OUT,
    };
  }
  return {
    code,
    message: `pool ${pool} is not there yet, and once it is, somebody else can write it, so that nothing in it would prove what is ours: ${delegated}`,
    hint: `take that right away first, ${OR_OPERATOR}`,
  };
}
