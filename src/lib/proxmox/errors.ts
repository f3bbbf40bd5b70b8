/** Errors of talking to PVE, and what their texts mean. Must not retry or decide anything. */
import { ConnectionError } from '../errors.ts';

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

/** Proven not to have been carried out: no connection was made, or (reads only) no answer came. */
export class UnreachableError extends ConnectionError {
  constructor(
    method: HttpMethod,
    path: string,
    reason: string,
    cause?: unknown,
    hint = 'check that the host is up, its name right, and port 8006 open from here',
  ) {
    super('PVE_UNREACHABLE', `${method} ${path}: ${reason}`, { hint, cause });
  }
}

/** The cluster answered, but the node that the request was for is not reached by the others (595). */
export class NodeUnreachableError extends UnreachableError {
  readonly node: string;

  constructor(method: HttpMethod, path: string, reason: string) {
    const node = /^\/nodes\/([^/]+)/.exec(path)?.[1] ?? '';
    super(method, path, reason, undefined, `see whether node ${node} is online, then run again`);
    this.node = node;
  }
}

/** The outcome of a write (or of a task) is unknown: look before doing it again. */
export class AnswerLostError extends ConnectionError {
  constructor(what: string, reason: string, cause?: unknown) {
    super('ANSWER_LOST', `${what}: ${reason}; it may have been carried out all the same`, { cause });
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

function says(error: unknown, pattern: RegExp): boolean {
  if (error instanceof PveError)
    return [error.text, ...Object.values(error.fields)].some((t) => pattern.test(t));
  if (error instanceof TaskError) return pattern.test(error.exitstatus);
  return false;
}

/** fork_worker registers a task after its child was released, so this one lock proves nothing (RESTEnvironment.pm). */
const TASK_LIST_LOCK = /can't lock file '[^']*\/tasks\/\.active\.lock'/;
const LOCK_TIMEOUT =
  /got lock (?:request )?timeout|-locked command timed out|can't lock file '[^']*' - got timeout/;

/** True for the one lock timeout after which the task may be running all the same. */
export function isTaskListLockTimeout(text: string): boolean {
  return TASK_LIST_LOCK.test(text);
}

/** A lock was busy for too long: nothing was changed, trying again later is safe. */
export function isLockTimeout(error: unknown): boolean {
  return says(error, LOCK_TIMEOUT) && !says(error, TASK_LIST_LOCK);
}

/** The cluster cannot write its configuration at all. */
export function isNoQuorum(error: unknown): boolean {
  return says(error, /no quorum/);
}

/**
 * The object is not there. A missing pool is a 403, everything else a 500 or 400. A 401 may say "no such user", too,
 * but of the caller.
 */
export function isNotFound(error: unknown): boolean {
  return !(error instanceof AuthError) && says(error, /does not exist|\bno such\b/i);
}

/** No such VM or container, or not on this node. */
export function isNoSuchVm(error: unknown): boolean {
  return says(error, /Configuration file '[^']*\/(?:qemu-server|lxc)\/\d+\.conf' does not exist/);
}

/** guest-common AbstractConfig.pm: it was deleted meanwhile. */
export function isNoSuchSnapshot(error: unknown): boolean {
  return says(error, /snapshot '[^']*' does not exist/);
}

/** HA has nothing to do with this VM (ha-manager API2/HA/Resources.pm). */
export function isNotHaManaged(error: unknown): boolean {
  return says(error, /not HA managed|no such resource|'vm:\d+' not configured/);
}

/** The option is for root@pam's own ticket; a token of root@pam is refused, too. */
export function isRootOnly(error: unknown): boolean {
  return says(error, /only root may use this option/i);
}

export function isProtected(error: unknown): boolean {
  return says(error, /protection mode enabled/);
}

/** A base volume has linked clones. */
export function isBaseInUse(error: unknown): boolean {
  return says(error, /base volume '[^']*' is still in use/);
}

/** A VM that runs cannot be removed. */
export function isStillRunning(error: unknown): boolean {
  return says(error, /is running - destroy failed/);
}

/** Existing guests, storages or pools stand in the way of removing a pool. */
export function isPoolNotEmpty(error: unknown): boolean {
  return says(error, /pool '[^']*' is not empty/);
}

/** The object is there already; for a clone, also when the id belongs to another node. */
export function isAlreadyExists(error: unknown): boolean {
  return says(error, /already exists|already defined|\.conf' failed: File exists/);
}

/** A VMID in `PUT /pools` is a member of this or another pool; nothing was written. */
export function isAlreadyPoolMember(error: unknown): boolean {
  return says(error, /belongs already to pool|is already a pool member/);
}

/** `VM N is locked (clone)` and the like: another operation holds the VM. */
export function isVmLocked(error: unknown): boolean {
  return says(error, /\bis locked \(/);
}

/** The configuration was changed by somebody else meanwhile. */
export function isDigestMismatch(error: unknown): boolean {
  return says(error, /checksum mismatch|detected modified configuration/);
}

export function isAlreadyRunning(error: unknown): boolean {
  return says(error, /already running/) && !isReloadBusy(error);
}

/** Two network reloads at once: ifupdown2 does not wait for its lock but exits with 89. */
export function isReloadBusy(error: unknown): boolean {
  return says(error, /exit code 89\b|Another instance of this program is already running/);
}

/** This PVE version has no such endpoint. */
export function isNotImplemented(error: unknown): boolean {
  return error instanceof PveError && error.status === 501;
}
