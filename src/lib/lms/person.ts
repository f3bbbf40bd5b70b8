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

export function nameOf({ firstName, lastName, email, username }: Omit<Person, 'place' | 'groups'>): string {
  const name = [firstName, lastName].filter((part) => part !== '').join(' ');
  return name === '' ? (email ?? username ?? 'somebody without a name') : name;
}
