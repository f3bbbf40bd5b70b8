/** What VMmanager's refusals are called here. Must not send or decide anything. */
import { ConnectionError } from '../errors.ts';

export interface Refusal {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly status: number;
  /** Its own words, without secrets. */
  readonly text: string;
  readonly hint?: string;
}

/** It answered, and said no; or what it said is no answer of VMmanager's. */
export class VmmanagerError extends ConnectionError {
  readonly status: number;

  constructor({ method, path, status, text, hint }: Refusal, code = 'VMMANAGER_ERROR') {
    super(code, `${method} ${path}: ${text === '' ? `status ${status}` : text}`, { hint });
    this.status = status;
  }
}

/** Proven not to have been carried out: nobody was reached, or (reads only) no answer came. */
export class VmmanagerUnreachable extends ConnectionError {
  constructor(what: string, reason: string, cause?: unknown) {
    super('VMMANAGER_UNREACHABLE', `${what}: ${reason}`, {
      hint: 'check that VMmanager runs there, that the name is right, and that its port is open from here',
      cause,
    });
  }
}

/** The outcome of a write is unknown: look before doing it again. */
export class VmmanagerAnswerLost extends ConnectionError {
  constructor(what: string, reason: string, cause?: unknown) {
    super('ANSWER_LOST', `${what}: ${reason}; it may have been carried out all the same`, { cause });
  }
}
