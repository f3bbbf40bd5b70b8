/** Judges what VMmanager answered: its document, or the error that it means. Sends nothing. */
import type { RawAnswer } from '../proxmox/answer.ts';
import { VmmanagerAnswerLost, VmmanagerError, VmmanagerUnreachable } from './errors.ts';

export interface Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Whose login it is. */
  readonly who: string;
  /** Takes what was sent in secret out of texts that come back. */
  readonly mask: (text: string) => string;
}

const LONGEST = 300;
/** Its own code for a function that is not for callers from outside. */
const NOT_FOR_CALLERS = 3001;
/** What a proxy before it answers when nobody knows what became of the request. */
const LOST = new Set([502, 503, 504]);

export type Document = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One line, without control characters, of bounded length. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** A read without an answer did no harm; a write may have been carried out. */
export function noAnswer(asked: Asked, reason: string, cause?: unknown): Error {
  const what = `${asked.method} ${asked.path}`;
  return asked.method === 'GET'
    ? new VmmanagerUnreachable(what, `no answer (${reason})`, cause)
    : new VmmanagerAnswerLost(what, `no answer (${reason})`, cause);
}

/** `{"error": {"code", "msg", "value"}}` */
function wordsOf(document: unknown, { mask }: Asked): { readonly text: string; readonly code?: number } {
  const error = isRecord(document) ? document['error'] : undefined;
  if (!isRecord(error)) return { text: '' };
  const { code, msg } = error;
  return {
    text: typeof msg === 'string' ? oneLine(mask(msg)) : '',
    ...(typeof code === 'number' ? { code } : {}),
  };
}

function refused(asked: Asked, status: number, document: unknown): VmmanagerError {
  const { text, code } = wordsOf(document, asked);
  const words = {
    ...asked,
    status,
    text: code === undefined || text === '' ? text : `${text} (code ${code})`,
  };
  if (status === 401)
    return new VmmanagerError(
      {
        ...words,
        text: words.text === '' ? 'the login is refused' : words.text,
        hint: `check the password of ${asked.who}, and that the account is active and has no second factor`,
      },
      'AUTH_FAILED',
    );
  if (status === 403 || code === NOT_FOR_CALLERS)
    return new VmmanagerError(
      { ...words, hint: `${asked.who} may not do this: balance takes an administrator's account` },
      'PERMISSION_DENIED',
    );
  return new VmmanagerError(words);
}

function unexpected(asked: Asked, { status, body }: RawAnswer): Error {
  const seen = oneLine(asked.mask(body.slice(0, 2000))).slice(0, 80);
  if (asked.method === 'POST') return noAnswer(asked, `not VMmanager's JSON: ${JSON.stringify(seen)}`);
  return new VmmanagerError({
    ...asked,
    status,
    text: `unexpected answer, not VMmanager's JSON: ${JSON.stringify(seen)}`,
    hint: 'is this the address of VMmanager 6, and does nothing else answer in its place?',
  });
}

/** Returns the document, or throws the error that the answer stands for. */
export function judge(asked: Asked, raw: RawAnswer): unknown {
  const { status } = raw;
  if (status >= 300 && status < 400) {
    const to = oneLine(asked.mask(raw.location ?? 'nowhere'));
    throw new VmmanagerError({
      ...asked,
      status,
      text: `redirected to ${to}; not followed, because the login would go there too`,
      hint: 'name the address that it ends at',
    });
  }
  if (LOST.has(status)) throw noAnswer(asked, `status ${status}`);
  const document = parse(raw.body);
  const isRefused = status >= 400 || (isRecord(document) && isRecord(document['error']));
  if (isRefused) throw refused(asked, status, document);
  if (document === undefined || document === null || typeof document !== 'object')
    throw unexpected(asked, raw);
  return document;
}
