/** Judges what Moodle's web service answers: participants, or the error that it means. Sends nothing. */
import { ConnectionError } from '../errors.ts';
import { isRecord, type RawAnswer } from '../proxmox/answer.ts';
import { plainLine } from './person.ts';

export interface EnrolledUser {
  readonly id: number;
  readonly username?: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email?: string;
  readonly idnumber?: string;
  readonly groups: readonly string[];
  /** Short names of roles in the course. */
  readonly roles: readonly string[];
  readonly suspended: boolean;
}

interface Asked {
  readonly label: string;
  readonly course: number;
  /** Takes the token out of texts that come back. */
  readonly mask: (text: string) => string;
}

const LONGEST = 300;

function fail(code: string, message: string, hint: string): never {
  throw new ConnectionError(code, message, { hint });
}

const SERVICE =
  'Site administration > Server > Web services: External services; the function core_enrol_get_enrolled_users has to be in the service of this token';

/** Moodle answers 200 to everything; what went wrong is its `errorcode`. */
function wayOut(code: string, course: number): string {
  switch (code) {
    case 'invalidtoken':
      return 'make a token in Moodle (Preferences > Security keys), or ask its administrator for a new one';
    case 'accessexception':
    case 'invalidparameter':
    case 'servicenotavailable':
      return `the token may not call this function: ${SERVICE}`;
    case 'enablewsdescription':
    case 'wsdisabled':
      return 'web services are switched off there: Site administration > Advanced features, and the REST protocol';
    case 'nopermissions':
    case 'required_capability_exception':
      return 'the owner of the token needs the rights moodle/course:viewparticipants and moodle/course:enrolreview there, as a teacher has';
    case 'invalidrecord':
    case 'invalidcourseid':
    case 'errorcoursecontextnotvalid':
    case 'requireloginerror':
      return `is ${course} the course's number (…/course/view.php?id=${course}), and the owner of the token in it?`;
    default:
      return 'ask those who run this Moodle what it means';
  }
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST);

function refuse(document: Readonly<Record<string, unknown>>, { label, course, mask }: Asked): never {
  const text = (key: string): string => {
    const value = document[key];
    return typeof value === 'string' ? oneLine(mask(value)) : '';
  };
  const code = text('errorcode');
  return fail(
    'LMS_REFUSED',
    `${label} refuses: ${text('message') || code || 'no reason given'}${code === '' ? '' : ` (${code})`}`,
    wayOut(code, course),
  );
}

const textOf = (value: unknown): string | undefined => {
  const text = typeof value === 'string' ? plainLine(value) : '';
  return text === '' ? undefined : text;
};

function listOf(value: unknown, key: string): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => (isRecord(entry) ? (textOf(entry[key]) ?? []) : []));
}

const given = (key: 'username' | 'email' | 'idnumber', value: unknown) => {
  const text = textOf(value);
  return text === undefined ? {} : { [key]: text };
};

function userOf(entry: unknown): EnrolledUser | undefined {
  if (!isRecord(entry) || typeof entry['id'] !== 'number') return undefined;
  const firstName = textOf(entry['firstname']) ?? '';
  const lastName = textOf(entry['lastname']) ?? '';
  return {
    id: entry['id'],
    firstName: firstName === '' && lastName === '' ? (textOf(entry['fullname']) ?? '') : firstName,
    lastName,
    ...given('username', entry['username']),
    ...given('email', entry['email']),
    ...given('idnumber', entry['idnumber']),
    groups: listOf(entry['groups'], 'name'),
    roles: listOf(entry['roles'], 'shortname'),
    suspended: entry['suspended'] === true,
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Throws ConnectionError for whatever is no list of participants. */
export function judgeAnswer({ status, body, location }: RawAnswer, asked: Asked): readonly EnrolledUser[] {
  const { label, mask } = asked;
  if (status >= 300 && status < 400) {
    const to = oneLine(mask(location ?? 'nowhere'));
    fail(
      'LMS_ANSWER',
      `${label} sends elsewhere, to ${to}; not followed, because the token would go there too`,
      'give the address that it ends at with --url',
    );
  }
  const document = parse(body);
  if (isRecord(document) && ('exception' in document || 'errorcode' in document)) refuse(document, asked);
  if (status === 403)
    fail(
      'LMS_REFUSED',
      `${label} refuses: status 403`,
      'the REST protocol is switched off there, or a firewall does not let this machine in',
    );
  if (status !== 200 || !Array.isArray(document)) {
    const seen = oneLine(mask(body.slice(0, 2000))).slice(0, 80);
    fail(
      'LMS_ANSWER',
      `${label} answers status ${status} and no list of participants: ${JSON.stringify(seen)}`,
      'is this the address of the Moodle itself, with its folder?',
    );
  }
  const users = document.map(userOf);
  if (users.some((user) => user === undefined))
    fail('LMS_ANSWER', `${label} answers with participants that have no number`, 'is this really a Moodle?');
  return users.filter((user) => user !== undefined);
}
