/** Why no copy of any template can be made on this cluster, or used: the one answer for all nodes and machines. */
import type { Inventory } from '../../inventory/types.ts';
import { isReplicaPool, REPLICA_POOL } from '../../marks/replica.ts';
import { delegatedRefusal } from '../cluster/delegated.ts';
import { profileOf } from '../cluster/profile.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import type { NodeObstacle } from '../obstacles/obstacle.ts';

export interface CopiesRefused {
  /** What speaks against a machine on a node that needs one. */
  readonly obstacle: NodeObstacle;
  /** With the way out, to be said once; absent where the words for the obstacle have it. */
  readonly refusal?: Refusal;
  /** Does a gap of the inventory say it already, with the way out? */
  readonly isTold: boolean;
}

type Index = Pick<ClusterView, 'pools' | 'delegated'>;

export function copiesRefused(have: Pick<Inventory, 'rights'>, index: Index): CopiesRefused | undefined {
  const pool = index.pools.get(REPLICA_POOL);
  const delegated = index.delegated(REPLICA_POOL);
  if (delegated !== undefined) {
    return {
      obstacle: { code: 'copies-refused', why: 'delegated' },
      refusal: delegatedRefusal(REPLICA_POOL, delegated, index),
      isTold: pool !== undefined,
    };
  }
  if (pool && !isReplicaPool(pool.comment)) {
    return {
      obstacle: { code: 'copies-refused', why: 'foreign' },
      refusal: {
        code: 'POOL_NOT_OURS',
        message: `pool ${REPLICA_POOL} exists, but its comment is not ours`,
        hint: 'rename that pool: deploy-stand claims its copies of templates there',
      },
      isTold: false,
    };
  }
  if (profileOf(have.rights) !== 'confined') return undefined;
  return { obstacle: { code: 'copies-refused', why: 'confined' }, isTold: true };
}

/** Is it what speaks against a machine on a node (`findCloneWay`), or against a stand there? */
export function isCopiesRefused(obstacle: NodeObstacle): boolean {
  return obstacle.code === 'machine'
    ? isCopiesRefused(obstacle.obstacle)
    : obstacle.code === 'copies-refused';
}

/** For plans, whose warnings have the gaps. */
export function untoldWarnings({ isTold, refusal }: CopiesRefused): string[] {
  return isTold || !refusal
    ? []
    : [`no copy of a template can be made: ${refusal.message}; ${refusal.hint ?? ''}`];
}
