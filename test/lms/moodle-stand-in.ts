/**
 * A small Moodle for tests: the one function of its web service that is used here, with tokens, pages and its way to
 * answer 200 to everything. Written from Moodle's enrol/externallib.php; shares nothing with the client.
 */
import type { TestServer } from '../proxmox/support.ts';
import { serve } from '../proxmox/support.ts';
import { newCertificate } from '../certificate.ts';
import { afterwards } from '../cleanups.ts';

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

export interface Moodle {
  readonly url: string;
  readonly cert: string;
  readonly server: TestServer;
  readonly token: string;
}

export interface MoodleOptions {
  readonly courses?: Readonly<Record<number, readonly Enrolment[]>>;
  /** Functions of the token's service. */
  readonly functions?: readonly string[];
  /** In place of everything else. */
  readonly answer?: { readonly status: number; readonly body: string; readonly location?: string };
}

const TOKEN = '5ad2d0cc41a3b2f2d7d7f0a9f0d1c3e4';
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

/** Over HTTPS on 127.0.0.1, below /lms, until the end of the test. */
export async function startMoodle(options: MoodleOptions = {}): Promise<Moodle> {
  const certificate = await newCertificate();
  const server = await serve((response, { method, url, body }) => {
    if (options.answer) {
      const { status, body: text, location } = options.answer;
      response.writeHead(status, location === undefined ? {} : { location }).end(text);
    } else if (method !== 'POST' || url !== '/lms/webservice/rest/server.php') {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<!doctype html><h1>Not found</h1>');
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(reply(new URLSearchParams(body), options)));
    }
  }, certificate);
  afterwards(() => server.close());
  return { url: `https://localhost:${server.port}/lms`, cert: certificate.cert, server, token: TOKEN };
}
