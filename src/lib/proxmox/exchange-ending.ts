/** How an exchange ended: as an error, and in a word for the witness of writes. Must not send or record anything. */
import { ConnectionError } from '../errors.ts';
import { noAnswer, type Answer, type Asked, type RawAnswer } from './answer.ts';
import { AnswerLostError, AnswerTooLargeError, PveError, UnreachableError } from './errors.ts';
import { NoAnswer, NotSent, TooLarge } from './transports/types.ts';
import type { WriteEnding } from './types.ts';

/** A failure on the way as the error that it proves. */
export function meaningOf(error: unknown, asked: Asked): unknown {
  if (error instanceof TooLarge && asked.method === 'GET')
    return new AnswerTooLargeError({ ...asked, status: 200, text: `unexpected answer: ${error.message}` });
  if (error instanceof NoAnswer) return noAnswer(asked, error.troubles, { cause: error.cause });
  if (error instanceof NotSent)
    return new UnreachableError({ ...asked, isSent: false, troubles: error.troubles, cause: error.cause });
  return error;
}

export function endingOf({ data }: Answer, { status }: RawAnswer): WriteEnding {
  const isTask = typeof data === 'string' && data.startsWith('UPID:');
  return { result: 'done', status, ...(isTask ? { upid: data } : {}) };
}

export function badEndingOf(error: unknown): WriteEnding {
  // Aborted, or a defect of ours: the request may have been on its way.
  if (!(error instanceof ConnectionError)) return { result: 'lost' };
  const { code, message } = error;
  if (error instanceof PveError) return { result: 'refused', status: error.status, code, message };
  // An unreachable or distrusted host was never sent anything.
  return { result: error instanceof AnswerLostError ? 'lost' : 'not-sent', code, message };
}
