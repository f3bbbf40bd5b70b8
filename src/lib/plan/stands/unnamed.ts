/** Stands of a lab whose users the files of its class do not name: told, since nobody would look for them. Changes none. */
import { compareNatural, sortedUnique } from '../../order.ts';
import { shellCommand } from '../../shell.ts';
import { MOST_NAMED, nameSome } from '../document/text.ts';
import { selectedClaims, type Marks } from './selection.ts';

function unnamedUsers(lab: string, named: readonly { readonly userid: string }[], marks: Marks): string[] {
  const known = new Set(named.map(({ userid }) => userid));
  const users = selectedClaims({ lab }, marks).map(({ user }) => user);
  return sortedUnique(users.filter((user) => !known.has(user))).sort(compareNatural);
}

const standsOf = (users: readonly string[]): string =>
  `the ${users.length === 1 ? 'stand' : `${users.length} stands`} of ${nameSome(users)}`;

/** A line taken out of the file is no order to remove anything; and another class may have the same lab. */
export function unnamedInDeploy(
  lab: string,
  named: readonly { readonly userid: string }[],
  marks: Marks,
): string[] {
  const users = unnamedUsers(lab, named, marks);
  if (users.length === 0) return [];
  const all = users.length > MOST_NAMED ? ['ID'] : users;
  const command = shellCommand(
    'deploy-stand',
    'cleanup',
    '--lab',
    lab,
    ...all.flatMap((one) => ['--user', one]),
  );
  return [
    `not in the users file, and left alone: ${standsOf(users)} in this lab; \`${command}\` removes what is not wanted`,
  ];
}

export function unnamedInCleanup(
  lab: string,
  named: readonly { readonly userid: string }[],
  marks: Marks,
): string[] {
  const users = unnamedUsers(lab, named, marks);
  if (users.length === 0) return [];
  const command = shellCommand('deploy-stand', 'cleanup', '--lab', lab);
  return [
    `not in the users file, and left: ${standsOf(users)} in this lab; \`${command}\` takes all of the lab`,
  ];
}
