/**
 * A small Moodle: the one function of its web service that is used here, with tokens, pages and its way to answer 200 to
 * everything. Written from Moodle's enrol/externallib.php; shares nothing with the client. For tests, and for people:
 * `node tools/moodle.mjs`.
 */

export interface Enrolment {
  readonly id: number;
  readonly username: string;
  readonly firstname: string;
  readonly lastname: string;
  readonly email?: string;
  readonly idnumber?: string;
  readonly groups?: readonly string[];
  readonly roles?: readonly string[];
  /** Of the enrolment: `onlyactive` leaves these out. */
  readonly inactive?: boolean;
}

export interface MoodleOptions {
  readonly courses?: Readonly<Record<number, readonly Enrolment[]>>;
  /** Functions of the token's service. */
  readonly functions?: readonly string[];
  /** In place of everything else. */
  readonly answer?: { readonly status: number; readonly body: string; readonly location?: string };
}

export const TOKEN = '5ad2d0cc41a3b2f2d7d7f0a9f0d1c3e4';
const FUNCTION = 'core_enrol_get_enrolled_users';

const exception = (errorcode: string, message: string) => ({
  exception: 'moodle_exception',
  errorcode,
  message,
});

function optionsOf(form: URLSearchParams): Map<string, string> {
  const options = new Map<string, string>();
  for (let at = 0; form.has(`options[${at}][name]`); at += 1)
    options.set(form.get(`options[${at}][name]`) ?? '', form.get(`options[${at}][value]`) ?? '');
  return options;
}

function rowOf(one: Enrolment, fields: readonly string[]): Record<string, unknown> {
  const whole: Record<string, unknown> = {
    ...one,
    fullname: `${one.firstname} ${one.lastname}`,
    groups: (one.groups ?? []).map((name, id) => ({ id, name, description: '', descriptionformat: 1 })),
    roles: (one.roles ?? ['student']).map((shortname, roleid) => ({
      roleid,
      name: '',
      shortname,
      sortorder: 0,
    })),
  };
  return Object.fromEntries(fields.filter((field) => field in whole).map((field) => [field, whole[field]]));
}

function reply(form: URLSearchParams, { courses = {}, functions = [FUNCTION] }: MoodleOptions): unknown {
  if (form.get('wstoken') !== TOKEN) return exception('invalidtoken', 'Invalid token - token not found');
  const called = form.get('wsfunction') ?? '';
  if (!functions.includes(called)) return exception('accessexception', 'Access control exception');
  const course = courses[Number(form.get('courseid'))];
  if (!course) return exception('invalidrecord', 'Can not find data record in database table course.');
  const options = optionsOf(form);
  const known = ['onlyactive', 'userfields', 'limitfrom', 'limitnumber', 'sortby', 'sortdirection'];
  if ([...options.keys()].some((name) => !known.includes(name)))
    return exception('errorinvalidparam', 'Invalid parameter value detected');
  const from = Number(options.get('limitfrom') ?? 0);
  const count = Number(options.get('limitnumber') ?? 0);
  const fields = (options.get('userfields') ?? '').split(',');
  return course
    .filter(({ inactive }) => inactive !== true || options.get('onlyactive') !== '1')
    .toSorted((a, b) => a.id - b.id)
    .slice(from, count === 0 ? undefined : from + count)
    .map((one) => rowOf(one, fields));
}

export interface MoodleAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Below /lms. */
export function answerOf(
  { method, url, body }: { readonly method: string; readonly url: string; readonly body: string },
  options: MoodleOptions,
): MoodleAnswer {
  if (options.answer) {
    const { status, body: text, location } = options.answer;
    return { status, headers: location === undefined ? {} : { location }, body: text };
  }
  if (method !== 'POST' || url !== '/lms/webservice/rest/server.php')
    return {
      status: 404,
      headers: { 'content-type': 'text/html' },
      body: '<!doctype html><h1>Not found</h1>',
    };
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(reply(new URLSearchParams(body), options)),
  };
}
