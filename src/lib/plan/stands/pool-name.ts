/** Whether a stand can have a pool of this name on this cluster, for every command that makes one. */
import { legalPoolName, poolNameProblem, poolsAbove } from '../../pve-values/pool-name.ts';
import type { User } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';

function nameRefusal({ userid, pool }: User, { version }: Inventory): Refusal | undefined {
  const problem = poolNameProblem(pool, version);
  if (problem === undefined) return undefined;
  if (problem === 'nested') {
    return {
      code: 'NO_NESTED_POOLS',
      message: `PVE ${version} has no pools below other pools (8.1 and later have), so that there can be no pool ${pool}`,
      // The same for a whole class.
      hint: 'in `pool:` of the users file, or `access.pool` of the lab file, write "-" in place of "/"',
    };
  }
  const why = problem === 'letter' ? ' (it must begin with a letter)' : '';
  return {
    code: 'POOL_NAME',
    message: `PVE ${version} refuses the pool name "${pool}"${why}`,
    hint: `set another \`pool:\` for ${userid} in the users file, e.g. pool: ${legalPoolName(pool, version)}`,
  };
}

function poolsBelow(pool: string, index: ClusterView): string[] {
  return (index.subpools.get(pool) ?? []).flatMap((below) => [below, ...poolsBelow(below, index)]);
}

/** Rights on a pool reach those below it: one student's stand below that of another would be the other one's as well. */
function reachRefusal({ userid, pool }: User, index: ClusterView): Refusal | undefined {
  const isOthers = (name: string): boolean => {
    const owner = index.marks.get(name)?.user;
    return owner !== undefined && owner !== userid;
  };
  const above = poolsAbove(pool).find(isOthers);
  const below = above === undefined ? poolsBelow(pool, index).find(isOthers) : undefined;
  const other = above ?? below;
  if (other === undefined) return undefined;
  const where = above === undefined ? 'above' : 'below';
  return {
    code: 'POOL_OTHER_USER',
    message: `pool ${pool} is ${where} pool ${other} of ${index.marks.get(other)?.user ?? '?'}, and rights on a pool reach those below it`,
    hint: `set another \`pool:\` for ${userid} in the users file, in no line with that one`,
  };
}

/** Undefined also for a pool of this user's own that is there already. */
export function poolNameRefusal(user: User, have: Inventory, index: ClusterView): Refusal | undefined {
  if (index.marks.get(user.pool)?.user === user.userid) return undefined;
  const named = index.marks.has(user.pool) ? undefined : nameRefusal(user, have);
  return named ?? reachRefusal(user, index);
}
