/** How people are told what the lab says of a machine and only one that is made anew follows. */
import { groupBy } from '../../group.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { nameSome } from '../document/text.ts';
import type { FixedWish } from '../stands/made-as.ts';

export interface ToldFixed {
  readonly user: string;
  readonly machine: string;
  readonly wish: FixedWish;
}

/** Once for each machine of the lab, not for each stand. `command`: the one that makes them anew. */
export function fixedWarnings(told: readonly ToldFixed[], command: string): string[] {
  return [...groupBy(told, ({ machine }) => machine)]
    .sort(([a], [b]) => compareNatural(a, b))
    .map(([machine, group]) => {
      const others = sortedUnique(group.map(({ wish }) => `another ${wish}`)).join(', ');
      const users = sortedUnique(group.map(({ user }) => user));
      const there = users.length === 1 ? 'one that is there' : `${users.length} that are there`;
      return `machine ${machine}: the lab has ${others} than ${there} (${nameSome(users)}); that acts on machines that are made from now on, and \`${command}\` makes these anew, without what students did on them`;
    });
}
