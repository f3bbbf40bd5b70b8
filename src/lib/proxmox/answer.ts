/** Judges what came back for one request: data, or the error it means. Must not send anything. */
import { tokenIn, userIn } from '../pve-values/userid.ts';
import { AnswerLostError, AuthError, NodeUnreachableError, PveError, UnreachableError } from './errors.ts';
import { whyUnanswered, type HostTrouble } from '../unanswered.ts';
import { isForbidden, isTaskListLockTimeout, isTimedOut, missingPrivilege } from './words.ts';
import type { HttpMethod } from './errors.ts';

export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  readonly location?: string;
  /** The header, if any. */
  readonly date?: string;
}

/** A good answer: `data`, and the whole document for what PVE puts beside it (`changes`, `total`). */
export interface Answer {
  readonly method: HttpMethod;
  readonly path: string;
  readonly data: unknown;
  readonly document: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly method: HttpMethod;
  readonly path: string;
  /** Who asks, for hints: user or token id. */
  readonly who: string;
  /** Takes what was sent in secret out of texts that come back. */
  readonly mask: (text: string) => string;
}

/** Statuses after which the outcome is open: AnyEvent::HTTP's own, and a reverse proxy's. */
const LOST = new Set([502, 503, 504, 596, 597, 599]);

/** Returns the answer, or throws the error that it stands for. */
export function judge(asked: Asked, received: RawAnswer): Answer {
  const raw = { ...received, reason: asked.mask(received.reason) };
  const document = parseDocument(raw.body);
  if (raw.status >= 200 && raw.status < 300) return accepted(asked, raw, document);
  if (raw.status >= 300 && raw.status < 400) throw redirected(asked, raw);
  if (raw.status === 595) throw new NodeUnreachableError({ ...asked, troubles: nodeTrouble(raw) });
  if (LOST.has(raw.status))
    throw noAnswer(asked, nodeTrouble(raw), { hungUp: raw.status === 596 && !isTimedOut(raw.reason) });
  // PVE's own errors are JSON or empty; a page of text is some proxy's, which may have passed the request on.
  if (raw.status >= 500 && raw.body.trim() !== '' && !document)
    throw noAnswer(asked, [{ kind: 'no-json', status: raw.status }]);
  throw refused(asked, raw, document);
}

/** A read that got no answer did no harm; a write may have been carried out. */
export function noAnswer(
  asked: Asked,
  troubles: readonly HostTrouble[],
  { cause, hungUp }: { readonly cause?: unknown; readonly hungUp?: boolean } = {},
): UnreachableError | AnswerLostError {
  const { method, path } = asked;
  const isSent = true;
  return method === 'GET'
    ? new UnreachableError({ method, path, isSent, troubles, cause })
    : new AnswerLostError(`${method} ${path}`, whyUnanswered({ isSent, troubles }), {
        cause,
        hungUp,
        troubles,
      });
}

function accepted(asked: Asked, raw: RawAnswer, document: Answer['document'] | undefined): Answer {
  if (document && Object.hasOwn(document, 'data')) {
    return { method: asked.method, path: asked.path, data: document['data'], document };
  }
  const excerpt = asked.mask(raw.body.slice(0, 2000).replaceAll(/\s+/g, ' ')).slice(0, 80);
  if (asked.method !== 'GET')
    throw noAnswer(asked, [{ kind: 'said', words: `not PVE's JSON: "${excerpt}"` }]);
  throw new PveError({
    ...asked,
    status: raw.status,
    text: `unexpected answer, not PVE's JSON: "${excerpt}"`,
    hint: 'is this host a Proxmox VE node, and does nothing else answer in its place?',
  });
}

function redirected(asked: Asked, raw: RawAnswer): PveError {
  return new PveError({
    ...asked,
    status: raw.status,
    text: `redirected to ${asked.mask(raw.location ?? 'nowhere')}; not followed, because the login would go there too`,
    hint: 'name the Proxmox VE host itself in connections.yml',
  });
}

function nodeTrouble({ status, reason }: RawAnswer): readonly HostTrouble[] {
  return [{ kind: 'status', status, words: reason }];
}

function refused(asked: Asked, raw: RawAnswer, document: Answer['document'] | undefined): Error {
  const text = asked.mask(textOf(raw, document));
  const fields = fieldsOf(document, asked.mask);
  if (asked.method !== 'GET' && isTaskListLockTimeout(text))
    return noAnswer(asked, [{ kind: 'said', words: text }]);
  if (raw.status === 401) return loginRefused(asked, text);
  const missing = missingPrivilege(text);
  if (missing) {
    return notAllowed(
      { ...asked, status: raw.status, text, fields },
      missing.path,
      missing.privilege,
      asked.who,
    );
  }
  if (isForbidden(raw.status, text)) {
    return new AuthError({
      ...asked,
      status: raw.status,
      text,
      fields,
      hint: `${asked.who} lacks a privilege for this`,
    });
  }
  return new PveError({ ...asked, status: raw.status, text, fields });
}

function notAllowed(
  refusal: ConstructorParameters<typeof AuthError>[0],
  aclPath: string,
  privilege: string,
  who: string,
): AuthError {
  const wanted = privilege.replaceAll('|', ' or ').replaceAll(/\s+/g, ' ');
  return new AuthError(
    {
      ...refusal,
      hint: `give ${userIn(who)} a role with ${wanted} on ${aclPath}${tokenIn(who) === undefined ? '' : `, and ${who} as well if it has privilege separation`}`,
    },
    { aclPath, privilege },
  );
}

function loginRefused(asked: Asked, text: string): AuthError {
  const { who } = asked;
  const hint =
    tokenIn(who) !== undefined
      ? `check the id and the secret of the API token ${who} (token_name and token_value in connections.yml, or PVE_TOKEN_ID and PVE_TOKEN_SECRET), and that neither it nor its owner is disabled or has expired`
      : `check the password of ${who} (password in connections.yml, or PVE_PASSWORD), and its realm: what stands behind the last @ (PVE_USER) is the one that is chosen when logging in to the web interface, pam for accounts of the node's system, pve for those that PVE keeps; an account that is disabled, expired or has a second factor needs an API token instead (PVE_TOKEN_ID, PVE_TOKEN_SECRET)`;
  return new AuthError({ ...asked, status: 401, text: text === '' ? 'authentication failed' : text, hint });
}

/** Since pve-http-server 5.2 the text is in the body; before (7.4) only in the reason phrase. */
function textOf(raw: RawAnswer, document: Answer['document'] | undefined): string {
  const message = document?.['message'];
  return (typeof message === 'string' && message.trim() !== '' ? message : reasonText(raw.reason)).trim();
}

/** Node reads header bytes as Latin-1; PVE writes UTF-8. */
function reasonText(reason: string): string {
  if (!/[\u0080-\u00ff]/.test(reason)) return reason;
  const text = Buffer.from(reason, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? reason : text;
}

function fieldsOf(document: Answer['document'] | undefined, mask: Asked['mask']): Record<string, string> {
  return Object.fromEntries(
    plainEntries(document?.['errors']).map(
      ([name, text]) =>
        [mask(name), mask((typeof text === 'string' ? text : JSON.stringify(text)).trim())] as const,
    ),
  );
}

function parseDocument(body: string): Answer['document'] | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Entries whose keys are the server's choice, without the one that would reach a prototype. */
export function plainEntries(value: unknown): (readonly [string, unknown])[] {
  return isRecord(value) ? Object.entries(value).filter(([key]) => key !== '__proto__') : [];
}
