/** Which of the people of a course are in a users file already. Pure. */
import { addTo, groupBy } from '../group.ts';
import { nameIn } from '../pve-values/userid.ts';
import type { Person } from './person.ts';

/** Who stands in a users file. */
export interface Known {
  readonly userid: string;
  readonly email?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  readonly lmsId?: string | undefined;
}

type Key = string | undefined;

/** Signs by which somebody is known again, the surest first. */
const SIGNS: readonly { readonly person: (one: Person) => Key; readonly known: (one: Known) => Key }[] = [
  { person: ({ lmsId }) => lmsId, known: ({ lmsId }) => lmsId },
  { person: ({ email }) => email?.toLowerCase(), known: ({ email }) => email?.toLowerCase() },
  // A login of the platform is one person's; an address may have changed.
  { person: ({ username }) => username?.toLowerCase(), known: ({ userid }) => nameIn(userid).toLowerCase() },
  {
    person: ({ idnumber, sisid }) => (sisid ?? idnumber)?.toLowerCase(),
    known: ({ userid }) => nameIn(userid).toLowerCase(),
  },
];

export const fullName = ({ firstName = '', lastName = '' }: Pick<Known, 'firstName' | 'lastName'>): Key =>
  firstName === '' && lastName === '' ? undefined : `${lastName}\0${firstName}`.toLowerCase();

/** The only one of a key; undefined where several have it. */
function byKey<T>(all: Iterable<T>, keyOf: (one: T) => Key): ReadonlyMap<string, T | undefined> {
  const lists = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    if (key !== undefined) addTo(lists, key, one);
  }
  return new Map([...lists].map(([key, list]) => [key, list.length === 1 ? list[0] : undefined]));
}

/** Two that say different things of one sign are two. */
export function contradicts(person: Person, known: Known): boolean {
  return person.lmsId !== undefined && known.lmsId !== undefined && person.lmsId !== known.lmsId;
}

/** Of two namesakes each has an address. */
function haveAddresses(person: Person, known: Known): boolean {
  return person.email !== undefined && known.email !== undefined;
}

/** Somebody new with the login of somebody who left must not get that one's stand. */
function isSomebodyElse(person: Person, known: Known): boolean {
  const differ = person.email?.toLowerCase() !== known.email?.toLowerCase();
  const isSure = person.lmsId !== undefined && person.lmsId === known.lmsId;
  return !isSure && haveAddresses(person, known) && differ && fullName(person) !== fullName(known);
}

export interface Matches {
  readonly matches: ReadonlyMap<Person, Known>;
  /** Whom only the order of the file tells from others of the same name. */
  readonly guessed: readonly Person[];
}

/** Each person once, each known user once. */
export function matchPeople(people: readonly Person[], known: readonly Known[]): Matches {
  const matched = new Map<Person, Known>();
  const used = new Set<Known>();
  const pass = (
    personKey: (one: Person) => Key,
    knownKey: (one: Known) => Key,
    differ: (person: Person, known: Known) => boolean,
  ): void => {
    const freePeople = people.filter((person) => !matched.has(person));
    const persons = byKey(freePeople, personKey);
    const users = byKey(
      known.filter((one) => !used.has(one)),
      knownKey,
    );
    for (const [key, person] of persons) {
      const user = users.get(key);
      if (!person || !user || differ(person, user)) continue;
      matched.set(person, user);
      used.add(user);
    }
  };
  const differ = (person: Person, user: Known): boolean =>
    contradicts(person, user) || isSomebodyElse(person, user);
  for (const sign of SIGNS) pass(sign.person, sign.known, differ);
  // A name alone is a sign only where no address and no number contradicts it.
  const isSame = (person: Person, user: Known): boolean =>
    !used.has(user) && !contradicts(person, user) && !haveAddresses(person, user);
  const namesakes = groupBy(known, (user) => fullName(user) ?? '');
  const guessed: Person[] = [];
  for (const person of people) {
    const name = fullName(person);
    if (matched.has(person) || name === undefined) continue;
    const candidates = (namesakes.get(name) ?? []).filter((user) => isSame(person, user));
    const [user] = candidates;
    if (!user) continue;
    if (candidates.length > 1) guessed.push(person);
    matched.set(person, user);
    used.add(user);
  }
  return { matches: matched, guessed };
}
