/** Hands requests to a server in this process, as the bytes that would go over the wire. Must not know what serves them. */
import { onAbort } from '../../abort.ts';
import type { RawAnswer } from '../answer.ts';
import { NoAnswer, TooLarge, type Connect } from './types.ts';
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
  const sent: Record<string, string> = {};
  for (const name of Object.keys(headers)) sent[name.toLowerCase()] = headers[name] ?? '';
  if (body !== '') sent['content-length'] = String(Buffer.byteLength(body));
  return sent;
}

function received(answer: WireAnswer, maxAnswerBytes: number): RawAnswer {
  if (answer.drop) throw new NoAnswer([{ kind: 'said', words: 'socket hang up' }]);
  if (Buffer.byteLength(answer.body) > maxAnswerBytes)
    throw new TooLarge([{ kind: 'said', words: 'the answer is too large' }]);
  const { Date: date, Location: location } = answer.headers;
  return {
    status: answer.status,
    reason: answer.reason,
    body: answer.body,
    ...(typeof date === 'string' ? { date } : {}),
    ...(typeof location === 'string' ? { location } : {}),
  };
}

/** The time of the server and of its client. */
interface Timer {
  now(): number;
  /** Runs `fire` at a moment; the result cancels it. */
  at(due: number, fire: () => void): () => void;
}

/** The first to come: the answer, the time limit, or the signal. */
function withinLimit<T>(
  work: Promise<T>,
  timer: Timer,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = (): void => {
      cancel();
      withdraw?.();
    };
    const fail = (error: unknown): void => {
      end();
      reject(signal?.aborted === true ? (signal.reason as Error) : (error as Error));
    };
    const cancel = timer.at(timer.now() + ms, () =>
      fail(new NoAnswer([{ kind: 'no-answer', seconds: ms / 1000 }])),
    );
    const withdraw = signal && onAbort(signal, () => fail(signal.reason));
    work.then((value) => {
      end();
      resolve(value);
    }, fail);
  });
}

export function inProcess(serve: Serve, timer: Timer): Connect {
  return (host, options) => ({
    host,
    close: () => undefined,
    send: async (request, signal) => {
      signal?.throwIfAborted();
      const { method, target, headers, body = '' } = wireForm(request);
      const answered = serve({ method, target, headers: headersOf(headers, body), body });
      const answer = await withinLimit(answered, timer, { ms: options.timeout, signal });
      return received(answer, request.maxAnswerBytes ?? options.maxAnswerBytes);
    },
  });
}
