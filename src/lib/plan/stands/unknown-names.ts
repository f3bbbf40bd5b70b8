/** Names of a selection that name nothing on the cluster: a typing error, or what is gone. Says which there are. */
import type { Inventory } from '../../inventory/types.ts';
import { nearestOf } from '../../nearest.ts';
import { sortedUnique } from '../../order.ts';
import { selectedClaims, type Marks, type StandSelection } from './selection.ts';

export interface UnknownName {
  readonly option: '--lab' | '--user' | '--machine' | '--node' | '--storage';
  readonly name: string;
  /** What was probably meant. */
  readonly near: readonly string[];
  /** What there is. */
  readonly there: readonly string[];
}

const MOST_GUESSES = 3;

function unknownOf(
  option: UnknownName['option'],
  names: readonly string[],
  there: readonly string[],
): UnknownName[] {
  const known = new Set(there);
  return [...new Set(names)]
    .filter((name) => !known.has(name))
    .map((name) => ({ option, name, near: nearestOf(name, known, MOST_GUESSES), there }));
}

/** A user of a users file may have no stand yet; one that was named by hand has an account or a pool of ours. */
export function unknownNames(
  selection: StandSelection,
  marks: Marks,
  { users, nodes }: Pick<Inventory, 'users' | 'nodes'>,
): UnknownName[] {
  const { lab, users: named = [], machines = [], nodes: onNodes = [] } = selection;
  const claims = selectedClaims({}, marks);
  const owners = [...marks.values()].flatMap(({ user }) => user ?? []);
  const accounts = new Set([...owners, ...users.map(({ userid }) => userid)]);
  const byHand = named.filter(({ pool }) => pool === undefined).map(({ userid }) => userid);
  const inStands = selectedClaims(selection, marks).flatMap(({ claim }) =>
    claim.machines.map(({ machine }) => machine),
  );
  // Of a lab that is given as a file nothing need be there yet.
  const labs = lab === undefined || selection.labMachines !== undefined ? [] : [lab];
  const found = [
    ...unknownOf('--lab', labs, sortedUnique(claims.map(({ claim }) => claim.lab))),
    // Whoever is on the cluster is known; guessed and listed are those with a pool of ours.
    ...unknownOf(
      '--user',
      byHand.filter((userid) => !accounts.has(userid)),
      sortedUnique(owners),
    ),
    ...unknownOf('--node', onNodes, sortedUnique(nodes.map(({ name }) => name))),
  ];
  // Where there is no stand, there is no machine either.
  return found.length > 0 || inStands.length === 0
    ? found
    : unknownOf('--machine', machines, sortedUnique(inStands));
}

/** A storage that is on no node. */
export function unknownStorage(name: string, { storages }: Pick<Inventory, 'storages'>): UnknownName[] {
  return unknownOf('--storage', [name], sortedUnique(storages.map(({ storage }) => storage)));
}
