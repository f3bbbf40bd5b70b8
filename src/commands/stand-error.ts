/** Any error as one with a code and an exit code. */
import { CancelledError, InternalError, StandError } from '../lib/errors.ts';
import { redactText } from '../lib/redact.ts';

export function toStandError(error: unknown): StandError {
  if (error instanceof StandError) return error;
  if (error instanceof Error && error.name === 'AbortError') return new CancelledError('SIGINT', 'stopped');
  return new InternalError('INTERNAL', redactText(error instanceof Error ? error.message : String(error)), {
    hint: 'this is a defect of deploy-stand: please report it with the stack below',
    cause: error,
  });
}
