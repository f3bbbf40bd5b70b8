/** Stands of a lab whose users the files of its class do not name: told, since nobody would look for them. Changes none. */
import { compareNatural, sortedUnique } from '../../order.ts';
import { shellCommand } from '../../shell.ts';
import { MOST_NAMED, nameSome } from '../document/text.ts';
import { selectedClaims, type Marks } from './selection.ts';

type Named = readonly { readonly userid: string }[];

function unnamedUsers(lab: string, named: Named, marks: Marks): string[] {
  const known = new Set(named.map(({ userid }) => userid));
  const users = selectedClaims({ lab }, marks).map(({ user }) => user);
  return sortedUnique(users.filter((user) => !known.has(user))).sort(compareNatural);
}

const standsOf = (users: readonly string[]): string =>
  `the ${users.length === 1 ? 'stand' : `${users.length} stands`} of ${nameSome(users)}`;

const cleanupOf = (lab: string, users: readonly string[] = []): string =>
  shellCommand('deploy-stand', 'cleanup', '--lab', lab, ...users.flatMap((user) => ['--user', user]));

/** A line taken out of the file is no order to remove anything; and another class may have the same lab. */
export function unnamedInDeploy(lab: string, named: Named, marks: Marks): string[] {
  const users = unnamedUsers(lab, named, marks);
  if (users.length === 0) return [];
  const command = cleanupOf(lab, users.length > MOST_NAMED ? ['ID'] : users);
  return [
    `not in the users file, and left alone: ${standsOf(users)} in this lab; \`${command}\` removes what is not wanted`,
  ];
}

export function unnamedInCleanup(lab: string, named: Named, marks: Marks): string[] {
  const users = unnamedUsers(lab, named, marks);
  if (users.length === 0) return [];
  return [
    `not in the users file, and left: ${standsOf(users)} in this lab; \`${cleanupOf(lab)}\` takes all of the lab`,
  ];
}
