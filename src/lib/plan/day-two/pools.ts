/**
 * The pools of the selected stands, each with all its stands: what is done to a pool or to its user is done to all labs in
 * it. Says which of those selected are not there, or not ours to touch. Plans no step.
 */
import { isAnyCloning } from '../cluster/locks.ts';
import type { Claim } from '../../marks/pool.ts';
import { machineKind } from '../../pve-values/guest-kinds.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import { groupBy } from '../../group.ts';
import type { Inventory } from '../../inventory/types.ts';
import { nameIn } from '../../pve-values/userid.ts';
import { delegatedRefusal } from '../cluster/delegated.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Plan, PlannedStand, PlannedVm } from '../document/plan.ts';
import { viewStands, type StandView } from '../stands/selected.ts';
import { selectedClaims, wholePools, type MarkedPool, type StandSelection } from '../stands/selection.ts';

export interface PoolStands extends MarkedPool {
  /** In the order of the claims. */
  readonly chosen: readonly StandView[];
  /** Of labs that were not selected. */
  readonly others: readonly StandView[];
}

/** What the planners of this room are given. */
export interface DayTwoContext {
  readonly selection: StandSelection;
  readonly have: Inventory;
  readonly index: ClusterView;
}

export function poolStands({ selection, have, index }: DayTwoContext): PoolStands[] {
  const isCloning = isAnyCloning(have);
  const keyOf = (pool: string, lab: string): string => `${pool} ${lab}`;
  const chosen = new Set(
    selectedClaims(selection, index.marks).map(({ pool, claim }) => keyOf(pool, claim.lab)),
  );
  const all = viewStands(wholePools(selection, index.marks), index, isCloning);
  return [...groupBy(all, ({ pool }) => pool).values()].flatMap((stands) => {
    const [first] = stands;
    if (!first) return [];
    const isChosen = ({ pool, claim }: StandView): boolean => chosen.has(keyOf(pool, claim.lab));
    const { pool, user, mark } = first;
    return [
      {
        ...{ pool, user, mark },
        chosen: stands.filter(isChosen),
        others: stands.filter((stand) => !isChosen(stand)),
      },
    ];
  });
}

/** Users that were named and have no such stand; in a pool that somebody else may write nothing is believed. */
export function absentStands({
  selection,
  index,
}: Pick<DayTwoContext, 'selection' | 'index'>): PlannedStand[] {
  const present = selectedClaims(selection, index.marks);
  const users = new Set(present.map(({ user }) => user));
  return (selection.users ?? [])
    .filter(({ userid }) => !users.has(userid))
    .map(({ userid, pool = nameIn(userid) }): PlannedStand => {
      const delegated = index.pools.get(pool)?.delegated;
      return {
        user: userid,
        pool,
        vms: [],
        bridges: [],
        ...(delegated ? { refused: delegatedRefusal(pool, delegated, index) } : {}),
        notes: delegated ? [] : [`no stand${selection.lab === undefined ? '' : ` of lab ${selection.lab}`}`],
      };
    });
}

/** The plan of what is there, and who was named and is not. */
export function tellAbsent(plan: Plan, context: Pick<DayTwoContext, 'selection' | 'index'>): Plan {
  return { ...plan, stands: [...plan.stands, ...absentStands(context)] };
}

/** The machines of a stand that are there, as plans show them. */
export function plannedVms(stands: readonly StandView[]): PlannedVm[] {
  return stands.flatMap(({ machines }) =>
    machines.flatMap(({ vmid, machine, verdict, guest }): PlannedVm[] =>
      guest && verdict !== 'foreign'
        ? [
            {
              vmid,
              name: machine ?? guest.name ?? '?',
              node: guest.node,
              state: 'complete',
              power: machinePower(guest),
              ...machineKind(guest),
            },
          ]
        : [],
    ),
  );
}

/** Claims of the stands that were selected. */
export function chosenClaims(pools: readonly PoolStands[]): Claim[] {
  return pools.flatMap(({ chosen }) => chosen.map(({ claim }) => claim));
}
