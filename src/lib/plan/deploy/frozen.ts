/** What a deploy says of stands that are frozen: they are completed, and nobody gets access by it. */
import { frozenSince } from '../../marks/pool.ts';
import { shellCommand } from '../../shell.ts';
import type { PlannedStand } from '../document/plan.ts';
import { nameSome } from '../document/text.ts';
import type { StandState } from '../stands/state.ts';
import { rightsOfUse } from '../stands/still-open.ts';
import type { StandContext } from './context.ts';

/** By a freeze that was cut, by a right that was on its way while it looked, or by one that it leaves: of a group, from before us. */
function isStillOpen({ user, present }: StandState, { have, index }: StandContext): boolean {
  const { userid, pool } = user;
  const vmids = [...present.values()].map(({ vmid }) => vmid);
  return rightsOfUse({ user: userid, pool, vmids }, { have, index }).length > 0;
}

export function frozenOf({ mark }: StandState): Pick<PlannedStand, 'frozen'> {
  const frozen = frozenSince(mark);
  return frozen === undefined ? {} : { frozen };
}

/** Said once for all of them. */
export function frozenWarnings(states: readonly StandState[], context: StandContext): string[] {
  const frozen = states.filter(({ mark }) => frozenSince(mark) !== undefined);
  if (frozen.length === 0) return [];
  const open = frozen.filter((state) => isStillOpen(state, context));
  const { name } = context.lab;
  const thaw = shellCommand('deploy-stand', 'access', 'thaw', '--lab', name);
  // By name: others of the lab may be open on purpose.
  const named = open.flatMap(({ user }) => ['--user', user.userid]);
  const freeze = shellCommand('deploy-stand', 'access', 'freeze', '--lab', name, ...named);
  const users = (list: readonly StandState[]): string => nameSome(list.map(({ user }) => user.userid));
  return [
    `frozen: ${users(frozen)}; their stands are completed, but no access is given and no machine started until \`${thaw}\``,
    ...(open.length === 0
      ? []
      : [
          `these stands can still be used: ${users(open)}; their freeze is under way or was cut short, or they are open by rights that it leaves: \`${freeze}\` takes or tells these`,
        ]),
  ];
}
