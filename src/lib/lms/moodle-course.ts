/** The participants of a Moodle course as people: who of them is a student. Pure. */
import { isTestName } from './headings.ts';
import type { EnrolledUser } from './moodle-answer.ts';
import { nameOf, type LeftOut, type People, type Person } from './person.ts';

/** Moodle's own roles of those who teach; a copy of one has another short name, and counts as a student's. */
const TEACHING = new Set(['manager', 'coursecreator', 'editingteacher', 'teacher']);

function whyLeftOut(user: EnrolledUser, person: Person): string | undefined {
  if (user.suspended) return 'suspended';
  if (user.roles.length > 0 && user.roles.every((role) => TEACHING.has(role))) return 'teaches the course';
  return isTestName(nameOf(person)) ? 'a test student' : undefined;
}

/** `place`: where they are from, for messages. */
export function studentsOf(users: readonly EnrolledUser[], place: string): People {
  const people: Person[] = [];
  const leftOut: LeftOut[] = [];
  for (const user of users) {
    const { firstName, lastName, email, username, idnumber, groups } = user;
    const person: Person = {
      place,
      firstName,
      lastName,
      ...(email === undefined ? {} : { email }),
      ...(username === undefined ? {} : { username }),
      ...(idnumber === undefined ? {} : { idnumber, lmsId: idnumber }),
      groups,
    };
    const reason = whyLeftOut(user, person);
    if (reason === undefined) people.push(person);
    else leftOut.push({ place, who: nameOf(person), reason });
  }
  const hidden = people.filter(({ email }) => email === undefined).length;
  const warnings =
    hidden === 0
      ? []
      : [
          `Moodle shows no e-mail address of ${hidden} of ${people.length} students: the owner of the token needs moodle/site:viewuseridentity`,
        ];
  return { people, leftOut, warnings, hasGroups: true };
}
