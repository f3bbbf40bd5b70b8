/**
 * Stands that are in no claim which is believed: no command touches them any more, and no row shows them. Only what is read
 * anyway tells of them: who may write which pool, and the marks of bridges, which only administrators write.
 */
import { groupBy } from '../../group.ts';
import type { Gap, Inventory } from '../../inventory/types.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { nameIn } from '../../pve-values/userid.ts';
import type { MarkedNetwork } from '../cluster/stand-networks.ts';
import type { ClusterView } from '../cluster/view.ts';
import { picksStand, type StandSelection } from '../stands/selection.ts';
import type { Problem } from './status-types.ts';

interface Input {
  readonly selection: StandSelection;
  readonly have: Pick<Inventory, 'gaps'>;
  readonly index: ClusterView;
}

/** Somebody has the right; where it only is not shown who has it, that is told as what could not be seen. */
export function isToldAsProblem(gap: Gap): boolean {
  return gap.kind === 'stands-delegated' && gap.writer.unseen !== true;
}

/** As a users file says it, or as pools are called: below which one nobody knows without the file. */
function isPoolOf(user: string, { users = [] }: StandSelection): (pool: string) => boolean {
  const named = users.find(({ userid }) => userid === user)?.pool;
  const name = nameIn(user);
  return (pool) => (named === undefined ? pool === name || pool.endsWith(`/${name}`) : pool === named);
}

interface Lost {
  readonly pool: string;
  readonly user: string;
  readonly lab: string;
  readonly networks: readonly MarkedNetwork[];
}

/** Stands with networks and without a claim, and the pools that may be theirs. */
function unclaimed({ selection, index }: Input): Lost[] {
  const claimed = new Set(
    [...index.marks.values()].flatMap(({ user, claims }) => claims.map(({ lab }) => `${lab} ${user ?? ''}`)),
  );
  const all = [...index.standBridges.values()].flat();
  const loose = all.filter(({ lab, user }) => !claimed.has(`${lab} ${user}`));
  return [...groupBy(loose, ({ lab, user }) => `${lab} ${user}`).values()].flatMap((networks) => {
    const [first] = networks;
    if (!first) return [];
    const { lab, user } = first;
    const pools = [...index.pools.keys()].filter(isPoolOf(user, selection));
    return pools.map((pool) => ({ pool, user, lab, networks }));
  });
}

function sayNetworks(networks: readonly MarkedNetwork[]): string {
  return sortedUnique(networks.map(({ net, node, info }) => `${net} (${info.iface} on ${node})`)).join(', ');
}

/** Of which stand a pool is that somebody else may write only its networks tell; where they do not, it may be any. */
function delegatedProblems(pool: string, stands: readonly Lost[], input: Input): Problem[] {
  const { selection, index } = input;
  const writer = index.pools.get(pool)?.delegated;
  if (writer === undefined || writer.unseen === true) return [];
  const of = { kind: 'pool-delegated' as const, pool, detail: writer.says };
  if (stands.length > 0) {
    const picks = picksStand(selection);
    return stands.filter(({ user, lab }) => picks(user, lab)).map(({ user, lab }) => ({ ...of, user, lab }));
  }
  const isPicked = selection.users?.some(({ userid }) => isPoolOf(userid, selection)(pool)) ?? true;
  return isPicked ? [of] : [];
}

export function poolProblems(input: Input): Problem[] {
  const { selection, have, index } = input;
  const picks = picksStand(selection);
  const lost = unclaimed(input);
  const byPool = groupBy(lost, ({ pool }) => pool);
  const unbelieved = new Set(have.gaps.flatMap((gap) => (gap.kind === 'stands-delegated' ? gap.pools : [])));
  const isUnmarked = (pool: string): boolean =>
    !unbelieved.has(pool) && index.marks.get(pool)?.user === undefined;
  const pools = sortedUnique([...unbelieved, ...byPool.keys()]).sort(compareNatural);
  return [
    ...pools.flatMap((pool) => delegatedProblems(pool, byPool.get(pool) ?? [], input)),
    ...lost
      .filter(({ pool, user, lab }) => isUnmarked(pool) && picks(user, lab))
      .map(({ pool, user, lab, networks }): Problem => {
        return { kind: 'pool-mark-lost', pool, user, lab, detail: sayNetworks(networks) };
      }),
  ];
}
