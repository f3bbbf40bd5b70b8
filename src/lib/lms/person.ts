/** Somebody of a course, as learning platforms tell it. Knows no platform and no userid. */

export interface Person {
  /** Where it is said: `export.csv:7`, or the address of a course. */
  readonly place: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email?: string;
  readonly username?: string;
  readonly idnumber?: string;
  readonly sisid?: string;
  /** By which the platform itself knows this person: Canvas' ID, Moodle's ID number. */
  readonly lmsId?: string;
  readonly groups: readonly string[];
}

/** Of somebody who is in the course and gets no stand. */
export interface LeftOut {
  readonly place: string;
  readonly who: string;
  readonly reason: string;
}

export interface People {
  readonly people: readonly Person[];
  readonly leftOut: readonly LeftOut[];
  readonly warnings: readonly string[];
  /** False: nothing is said about groups, so what is known of them stays. */
  readonly hasGroups: boolean;
}

/** A name, an address, a group as platforms give it: one line, without what cannot be seen. */
export function plainLine(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim();
}

export function nameOf({ firstName, lastName, email, username }: Omit<Person, 'place' | 'groups'>): string {
  const name = [firstName, lastName].filter((part) => part !== '').join(' ');
  return name === '' ? (email ?? username ?? 'somebody without a name') : name;
}

/** Of one name, and one number or address: somebody whom a list has twice, as when two exports were put together. */
function signOf({ firstName, lastName, email, lmsId }: Person): string | undefined {
  const sign = lmsId ?? email?.toLowerCase();
  return sign === undefined ? undefined : JSON.stringify([sign, firstName, lastName]);
}

/** Each person once, in all groups that any row names; `again` has the rows that told nobody new. */
export function onlyOnce(people: readonly Person[]): {
  readonly people: readonly Person[];
  readonly again: readonly { readonly person: Person; readonly first: Person }[];
} {
  const once = new Map<string | Person, Person>();
  const again: { person: Person; first: Person }[] = [];
  for (const person of people) {
    const sign = signOf(person) ?? person;
    const first = once.get(sign);
    if (first) again.push({ person, first });
    const groups = [...new Set([...(first?.groups ?? []), ...person.groups])];
    once.set(sign, first ? { ...person, ...first, groups } : person);
  }
  return { people: [...once.values()], again };
}
