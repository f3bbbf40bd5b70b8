/** Errors of talking to PVE. What their texts mean is told by words.ts. Must not retry or decide anything. */
import { ConnectionError } from '../errors.ts';
import { whyUnanswered, type HostTrouble, type Unanswered } from '../unanswered.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One refused request. */
export interface Refused {
  readonly method: HttpMethod;
  readonly path: string;
  readonly status: number;
  /** PVE's own words, without trailing newline; may have several lines. */
  readonly text: string;
  /** `errors` of a 400: parameter → message. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly hint?: string;
}

/** PVE answered, and said no. Nearly every refusal of PVE is a plain 500, so the text is what tells them apart. */
export class PveError extends ConnectionError {
  readonly method: HttpMethod;
  readonly path: string;
  readonly status: number;
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;

  constructor(refused: Refused, code = 'PVE_ERROR') {
    super(code, `${refused.method} ${refused.path}: ${describe(refused)}`, { hint: refused.hint });
    this.method = refused.method;
    this.path = refused.path;
    this.status = refused.status;
    this.text = refused.text;
    this.fields = refused.fields ?? {};
  }
}

function describe(refused: Refused): string {
  const fields = Object.entries(refused.fields ?? {}).map(([name, text]) => `${name}: ${text}`);
  const words = [refused.text === '' ? `status ${refused.status}` : refused.text, ...fields].join('; ');
  return words.replaceAll(/\s+/g, ' ').trim().slice(0, 600);
}

/** More came than is taken. */
export class AnswerTooLargeError extends PveError {}

/** The login or a privilege is missing: 401, 403, or a 403 wrapped in a 500 by user.cfg's lock. */
export class AuthError extends PveError {
  /** Set when PVE named it: `Pool.Allocate`, or `A|B` for any of them. */
  readonly privilege: string | undefined;
  readonly aclPath: string | undefined;

  constructor(refused: Refused, missing?: { readonly aclPath: string; readonly privilege: string }) {
    super(refused, missing || refused.status !== 401 ? 'PERMISSION_DENIED' : 'AUTH_FAILED');
    this.privilege = missing?.privilege;
    this.aclPath = missing?.aclPath;
  }
}

interface Unreachable extends Pick<Refused, 'method' | 'path' | 'hint'>, Omit<Unanswered, 'asked'> {
  readonly cause?: unknown;
}

/** Proven not to have been carried out: no connection was made, or (reads only) no answer came. */
export class UnreachableError extends ConnectionError {
  constructor({
    method,
    path,
    isSent,
    troubles,
    cause,
    hint = 'check that the host is up, its name right, and port 8006 open from here',
  }: Unreachable) {
    const unanswered = { asked: `${method} ${path}`, isSent, troubles };
    super('PVE_UNREACHABLE', `${method} ${path}: ${whyUnanswered(unanswered)}`, { hint, cause, unanswered });
  }
}

/** The cluster answered, but the node that the request was for is not reached by the others (595). */
export class NodeUnreachableError extends UnreachableError {
  readonly node: string;

  constructor(of: Omit<Unreachable, 'isSent' | 'hint'>) {
    const node = /^\/nodes\/([^/]+)/.exec(of.path)?.[1] ?? '';
    super({ ...of, isSent: false, hint: `see whether node ${node} is online, then run again` });
    this.node = node;
  }
}

interface Lost {
  readonly cause?: unknown;
  readonly hungUp?: boolean | undefined;
  readonly troubles?: readonly HostTrouble[];
}

/** The outcome of a write (or of a task) is unknown: look before doing it again. */
export class AnswerLostError extends ConnectionError {
  /** The process that was to answer died over the request, instead of being too slow. */
  readonly hungUp: boolean;

  /** Of a request. */
  readonly troubles: readonly HostTrouble[];

  constructor(what: string, reason: string, { cause, hungUp = false, troubles = [] }: Lost = {}) {
    super('ANSWER_LOST', `${what}: ${reason}; it may have been carried out all the same`, {
      cause,
      hint: hungUp
        ? 'when this repeats, PVE dies over a character: look for names that are not plain ASCII with `pveum user list`, and remove them'
        : undefined,
    });
    this.hungUp = hungUp;
    this.troubles = troubles;
  }
}

/** A task ended, and not well. */
export class TaskError extends ConnectionError {
  readonly upid: string;
  readonly exitstatus: string;
  /** Last lines of the task's log, oldest first. */
  readonly log: readonly string[];

  constructor(task: {
    readonly upid: string;
    readonly title: string;
    readonly exitstatus: string;
    readonly log: readonly string[];
  }) {
    super('TASK_FAILED', `task ${task.title} failed: ${task.exitstatus}`, {
      hint: task.log.length === 0 ? undefined : `end of the task log:\n${task.log.join('\n')}`,
    });
    this.upid = task.upid;
    this.exitstatus = task.exitstatus;
    this.log = task.log;
  }
}
