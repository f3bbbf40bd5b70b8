/** Asks a Moodle who is enrolled in a course, through its web service. Reads only; judges nobody. */
import { ConfigError, ConnectionError } from '../errors.ts';
import { isLoopback, type Host } from '../proxmox/hosts.ts';
import { HttpsTransport } from '../proxmox/transports/https.ts';
import { NoAnswer, NotSent } from '../proxmox/transports/types.ts';
import type { ConnectionSettings } from '../proxmox/types.ts';
import { SecretMask } from '../redact.ts';
import { judgeAnswer, type EnrolledUser } from './moodle-answer.ts';

const FUNCTION = 'core_enrol_get_enrolled_users';
const TIMEOUT_MS = 60_000;
const MAX_ANSWER = 32 * 1024 * 1024;
/** Moodle reads roles, groups and preferences of each: more at once come near the limits of PHP. */
const PAGE = 200;
/** A server that always has a full page more is not asked for ever. */
const MOST_PAGES = 100;

/** Nothing else is asked for: names, addresses and numbers are what a users file holds. */
const FIELDS = 'id,username,firstname,lastname,fullname,email,idnumber,groups,roles,suspended';

export interface MoodleCourse {
  /** As in the address line of a browser, without what follows the folder that Moodle is in. */
  readonly url: string;
  readonly course: number;
  readonly token: string;
  readonly tls: ConnectionSettings['tls'];
  readonly signal?: AbortSignal;
}

interface Site {
  readonly host: Host;
  /** Path of the service. */
  readonly target: string;
}

/** Throws a ConfigError for what is no address of a Moodle, or would carry the token in the clear. */
export function parseSite(written: string): Site {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new ConfigError('LMS_URL', '--url is no address of a Moodle', {
      hint: 'write it as in the browser, for example https://moodle.school.example',
    });
  }
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  if (!secure && !isLoopback(hostname)) {
    throw new ConfigError('LMS_URL', `${url.origin} would get the token unencrypted`, {
      hint: `write https:${url.origin.slice('http:'.length)}`,
    });
  }
  const port = Number(url.port === '' ? (secure ? 443 : 80) : url.port);
  const folder = url.pathname.replace(/\/(?:(?:course|user|my|login|webservice)\/.*|index\.php)?$/, '');
  return {
    host: { secure, hostname, port, label: url.host },
    target: `${folder}/webservice/rest/server.php`,
  };
}

function howToTrust(seen: string): string {
  return `Ask those who run this Moodle for the fingerprint of its certificate; if it is the same, add --fingerprint ${seen}, or name the file of its authority with --ca-file`;
}

function formOf({ token, course }: MoodleCourse, page: number): string {
  const options = [
    ['onlyactive', '1'],
    ['userfields', FIELDS],
    ['limitfrom', String(page * PAGE)],
    ['limitnumber', String(PAGE)],
    ['sortby', 'id'],
    ['sortdirection', 'ASC'],
  ];
  const form = new URLSearchParams({
    wstoken: token,
    wsfunction: FUNCTION,
    moodlewsrestformat: 'json',
    courseid: String(course),
  });
  options.forEach(([name = '', value = ''], at) => {
    form.append(`options[${at}][name]`, name);
    form.append(`options[${at}][value]`, value);
  });
  return form.toString();
}

/** What the transport proves, in words: a read that got no answer has changed nothing. */
function unreachable(error: unknown, site: Site, mask: (text: string) => string): unknown {
  if (!(error instanceof NotSent || error instanceof NoAnswer)) return error;
  return new ConnectionError('LMS_UNREACHABLE', `Moodle does not answer: ${mask(error.message)}`, {
    hint: `is ${site.host.label} right, and reachable from here? Nothing was changed`,
  });
}

/** All active participants, page by page. Throws ConnectionError. */
export async function readEnrolled(course: MoodleCourse): Promise<readonly EnrolledUser[]> {
  const site = parseSite(course.url);
  const secrets = new SecretMask();
  secrets.add(course.token);
  const mask = (text: string): string => secrets.mask(text);
  const { tls, signal } = course;
  const transport = new HttpsTransport(site.host, {
    tls,
    timeout: TIMEOUT_MS,
    maxSockets: 1,
    maxAnswerBytes: MAX_ANSWER,
    howToTrust,
  });
  const users = new Map<number, EnrolledUser>();
  try {
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const answer = await transport.exchange(
        {
          method: 'POST',
          target: site.target,
          headers: {
            Accept: 'application/json',
            'User-Agent': 'deploy-stand',
            'Content-Type': 'application/x-www-form-urlencoded',
          },
          body: formOf(course, page),
        },
        signal,
      );
      const list = judgeAnswer(answer, { label: site.host.label, course: course.course, mask });
      const before = users.size;
      for (const user of list) users.set(user.id, user);
      // A short page is the last; one that brings nobody new is a server that knows no pages.
      if (list.length < PAGE || users.size === before) return [...users.values()];
    }
  } catch (error) {
    throw unreachable(error, site, mask);
  } finally {
    transport.close();
  }
  throw new ConnectionError(
    'LMS_ANSWER',
    `course ${course.course} has no end: ${users.size} participants so far`,
    {
      hint: 'is this number a course of students?',
    },
  );
}
