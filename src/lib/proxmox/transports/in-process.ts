/** Hands requests to a server in this process, as the bytes that would go over the wire. Must not know what serves them. */
import type { Clock } from '../../clock.ts';
import type { RawAnswer } from '../answer.ts';
import { NoAnswer, TooLarge, type Connect, type TransportOptions } from './types.ts';
import { wireForm } from './wire.ts';

interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

interface WireAnswer {
  readonly status: number;
  /** UTF-8 bytes, one character each. */
  readonly reason: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
  /** The connection is cut instead of answered. */
  readonly drop: boolean;
}

export type Serve = (request: WireRequest) => Promise<WireAnswer>;

function headersOf(headers: Readonly<Record<string, string>>, body: string): WireRequest['headers'] {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    ...Object.fromEntries(given),
    ...(body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  };
}

function received(answer: WireAnswer, { maxAnswerBytes }: TransportOptions): RawAnswer {
  if (answer.drop) throw new NoAnswer('socket hang up');
  if (Buffer.byteLength(answer.body) > maxAnswerBytes) throw new TooLarge('the answer is too large');
  const { Date: date, Location: location } = answer.headers;
  return {
    status: answer.status,
    reason: answer.reason,
    body: answer.body,
    ...(typeof date === 'string' ? { date } : {}),
    ...(typeof location === 'string' ? { location } : {}),
  };
}

/** Not the reason that it would make itself, with the stack of each request. */
const OVER = new Error('the wait is over');

/** The first to come: the answer, the time limit by the clock that both sides live by, or the signal. */
async function withinLimit<T>(
  work: Promise<T>,
  clock: Clock,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const ended = new AbortController();
  const end = (): void => ended.abort(OVER);
  signal?.addEventListener('abort', end, { once: true });
  const limit = clock.sleep(ms, ended.signal).then(() => {
    throw new NoAnswer(`no answer within ${ms / 1000} s`);
  });
  try {
    return await Promise.race([work, limit]);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
    end();
    limit.catch(() => undefined);
  }
}

/** `clock`: the time of the server and of its client. */
export function inProcess(serve: Serve, clock: Clock): Connect {
  return (host, options) => ({
    host,
    close: () => undefined,
    send: async (request, signal) => {
      signal?.throwIfAborted();
      const { method, target, headers, body = '' } = wireForm(request);
      const answered = serve({ method, target, headers: headersOf(headers, body), body });
      return received(await withinLimit(answered, clock, { ms: options.timeout, signal }), options);
    },
  });
}
