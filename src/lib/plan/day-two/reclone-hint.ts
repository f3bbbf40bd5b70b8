/** The whole commands that clone machines anew: these, and no others. Pure. */
import { sortedUnique } from '../../order.ts';
import { recloneCommand, UNKNOWN_LAB } from '../document/reclone-command.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';

/** Of the command line that was given. Where to is added to every command that is printed. */
export interface RecloneWords {
  /** Which lab, without the users. */
  readonly lab: readonly string[];
  /** Lab and users, where these words mean all stands that were selected, and name none of them. */
  readonly everyone?: readonly string[];
}

export interface ToReclone {
  readonly view: StandView;
  readonly one: StandMachine;
}

export interface RecloneOptions {
  readonly words?: RecloneWords | undefined;
  readonly flags?: readonly string[];
  /** All stands that were selected: a command for every one of them names the files in place of 400 users. */
  readonly of?: readonly StandView[];
}

/** Quoted for a hint. One command for all stands that lack the same machines: none of the others may be lost. */
export function sayReclone(
  machines: readonly ToReclone[],
  { words = { lab: UNKNOWN_LAB }, flags = [], of }: RecloneOptions,
): string {
  const named = new Map<StandView, string[]>();
  for (const { view, one } of machines) {
    named.set(view, [...(named.get(view) ?? []), one.machine ?? String(one.vmid)]);
  }
  const usersOf = new Map<string, string[]>();
  for (const [view, names] of named) {
    const isWhole = names.length === view.machines.length;
    const key = JSON.stringify(isWhole ? [] : sortedUnique(names));
    usersOf.set(key, [...(usersOf.get(key) ?? []), view.user]);
  }
  const { lab, everyone } = words;
  const whose = (users: readonly string[]) =>
    // An option for each user, and his name.
    everyone && users.length === of?.length && everyone.length < lab.length + 2 * new Set(users).size
      ? { lab: everyone }
      : { lab, users: sortedUnique(users) };
  return [...usersOf]
    .map(([key, users]) => recloneCommand({ flags, ...whose(users), machines: JSON.parse(key) as string[] }))
    .map((command) => `\`${command}\``)
    .join(' and ');
}
