/** What the lab says of a machine and no change of it brings about: only one that is made anew follows. */
import type { Lab } from '../../config/types.ts';
import { groupBy } from '../../group.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { volumesOf } from '../../pve-values/volumes.ts';
import { nameSome } from '../document/text.ts';
import { compareSpecs, specOf } from '../stands/spec.ts';
import type { PresentVm } from '../stands/state.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';

/** The keys of lab.yml, as people are told of them. */
export type FixedWish = 'template or full_clone' | 'storage';

/** Of several templates of one name or tag, it does not matter which one it was cloned from. */
function isOfOtherMake(lab: Lab, { machine, candidates }: ResolvedMachine, spec: string): boolean {
  return candidates.every(({ vmid }) => compareSpecs(spec, specOf(lab, machine, vmid)).fixed);
}

/** A disk that a student added, or an administrator moved, makes no machine one of another storage. */
function isElsewhere({ machine: { storage } }: ResolvedMachine, { config }: PresentVm): boolean {
  const disks = volumesOf(config.values).filter(({ kind }) => kind === 'disk');
  return storage !== undefined && disks.length > 0 && disks.every((disk) => disk.storage !== storage);
}

/** Of a machine whose notes do not tell how it was made nothing is known. */
export function fixedWishes(lab: Lab, resolved: ResolvedMachine, vm: PresentVm): FixedWish[] {
  if (vm.spec === undefined) return [];
  return [
    ...(isOfOtherMake(lab, resolved, vm.spec) ? (['template or full_clone'] as const) : []),
    ...(isElsewhere(resolved, vm) ? (['storage'] as const) : []),
  ];
}

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
