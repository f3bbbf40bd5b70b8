/**
 * What PVE's words mean: the one place that reads its refusals and the ends of its tasks (handlers/template/migrate.ts only
 * strips `ERROR: ` from a line that was chosen here). Must not retry or decide anything.
 */
import { AuthError, PveError, TaskError } from './errors.ts';

/** PVE's own words: of its refusal, or of how its task ended; none where the error is nobody's answer. */
export function wordsOf(error: unknown): readonly string[] {
  if (error instanceof PveError) return [error.text, ...Object.values(error.fields)];
  return error instanceof TaskError ? [error.exitstatus] : [];
}

function says(error: unknown, pattern: RegExp): boolean {
  return wordsOf(error).some((text) => pattern.test(text));
}

function told(error: unknown, pattern: RegExp): readonly string[] | undefined {
  for (const text of wordsOf(error)) {
    const [, ...parts] = pattern.exec(text) ?? [];
    if (parts.length > 0) return parts;
  }
  return undefined;
}

/** fork_worker registers a task after its child was released, so this one lock proves nothing (RESTEnvironment.pm). */
const TASK_LIST_LOCK = /can't lock file '[^']*\/tasks\/\.active\.lock'/;
const LOCK_TIMEOUT =
  /got lock (?:request )?timeout|-locked command timed out|can't lock file '[^']*' - got timeout/;

/** True for the one lock timeout after which the task may be running all the same. */
export function isTaskListLockTimeout(text: string): boolean {
  return TASK_LIST_LOCK.test(text);
}

/** Which privilege on which path the caller lacks; undefined: it does not say. */
export function missingPrivilege(
  text: string,
): { readonly path: string; readonly privilege: string } | undefined {
  const [, path, privilege] = /Permission check failed \((\/[^,()]*), ([^()]+)\)/.exec(text) ?? [];
  return path === undefined || privilege === undefined ? undefined : { path, privilege };
}

/** Not for this caller. A pool that is missing is answered with 403, too; and a 500 may tell of a check inside. */
export function isForbidden(status: number, text: string): boolean {
  const isPoolMissing = /pool '[^']*' does not exist/.test(text);
  return (status === 403 && !isPoolMissing) || /\b403 Permission check failed/.test(text);
}

/** A lock was busy for too long: nothing was changed, trying again later is safe. */
export function isLockTimeout(error: unknown): boolean {
  return says(error, LOCK_TIMEOUT) && !says(error, TASK_LIST_LOCK);
}

/**
 * The cluster cannot write its configuration at all. Without quorum /etc/pve is read-only, and only files of guests are
 * opened without asking for it first.
 */
export function isNoQuorum(error: unknown): boolean {
  return says(error, /no quorum|unable to open file '\/etc\/pve\/[^']*\.tmp\.\d+' - Permission denied/);
}

/** The process of a task was killed before it ran (RESTEnvironment.pm, fork_worker): nothing was started. */
export function isWorkerless(error: unknown): boolean {
  return says(error, /got no worker upid - start worker failed/);
}

/**
 * A disk that PVE's configuration names is not there for this node (pve-storage Plugin.pm, activate_volume). NFS shows files
 * that another node has just made only when its cache of the folder has run out.
 */
export function isDiskUnseen(error: unknown): boolean {
  return says(error, /volume '[^']+' does not exist/);
}

/** AnyEvent::HTTP's reason for a 596 that came after waiting; any other came because the one behind hung up. */
export function isTimedOut(reason: string): boolean {
  return /timed? ?out/i.test(reason);
}

/**
 * The object is not there. A missing pool is a 403, everything else a 500 or 400. A 401 may say "no such user", too,
 * but of the caller.
 */
export function isNotFound(error: unknown): boolean {
  return !(error instanceof AuthError) && says(error, /does not exist|\bno such\b/i);
}

/** qemu-server Agent.pm, agent_available: the VM has no agent configured. */
export function isAgentOff(error: unknown): boolean {
  return says(error, /No QEMU guest agent configured/);
}

/** Agent.pm check_agent_error: what the agent itself refused, in its own words. */
export function agentRefusal(error: unknown): string | undefined {
  const text = told(error, /Agent error: ([^]*)/)?.[0];
  return text?.replace(/^Guest agent command failed, error was '([^]*)'\s*$/, '$1').trim();
}

/** The same, and QMPClient.pm: nobody in the guest answers, or not in time, or it does not run any more. */
export function isAgentSilent(error: unknown): boolean {
  return says(error, /QEMU guest agent is not running|got timeout|VM \d+ is not running|Agent error/);
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

/** What stands in the way of removing a pool, guests, storages or pools; undefined: something else was refused. */
export function poolContents(error: unknown): string | undefined {
  if (!says(error, /pool '[^']*' is not empty/)) return undefined;
  return told(error, /\(contains ([^)]*)\)/)?.[0] ?? 'something';
}

/** A VMID that `PUT /pools` was to take out is no member (pve-manager API2/Pool.pm); nothing was written. */
export function notPoolMember(error: unknown): number | undefined {
  const vmid = told(error, /VM (\d+) is not a pool member/)?.[0];
  return vmid === undefined ? undefined : Number(vmid);
}

/** The VMID that `PUT /pools` refused, and the other pool that it is in; undefined: it is in this one. Nothing was written. */
export function pooledAlready(
  error: unknown,
): { readonly vmid: number; readonly pool: string | undefined } | undefined {
  const own = told(error, /VM (\d+) is already a pool member/);
  if (own) return { vmid: Number(own[0]), pool: undefined };
  const other = told(error, /VM (\d+) belongs already to pool '([^']*)'/);
  return other ? { vmid: Number(other[0]), pool: other[1] ?? '' } : undefined;
}

/** PVE sets passwords of the realm pam with the system's own tools: the user that the node's system does not have. */
export function noSystemUser(error: unknown): string | undefined {
  return told(error, /change password failed:.*user '([^']+)' does not exist/s)?.[0];
}

/** The tag that the datacenter lets this caller neither set nor take away. Nothing was written. */
export function refusedTag(error: unknown): string | undefined {
  return told(error, /modifying tag '([^']+)'/)?.[0];
}

/** guest-common AbstractConfig.pm: `snapshot name 'x' already used`. */
export function isSnapshotNameUsed(error: unknown): boolean {
  return says(error, /snapshot name '[^']*' already used/);
}

/** A disk that was not freed with its VM: PVE only warns of it in the task's log, and forgets it (QemuServer.pm). */
export function diskNotRemoved(line: string): string | undefined {
  return /Could not remove disk '([^']+)'/.exec(line)?.[1];
}

/** A lock that was waited for in vain: user.cfg's, that of a storage, or some other. */
export type BusyLock =
  { readonly of: 'user.cfg' | 'other' } | { readonly of: 'storage'; readonly storage: string };

/** Undefined: it is no lock that was busy. */
export function busyLock(error: unknown): BusyLock | undefined {
  if (!isLockTimeout(error)) return undefined;
  if (says(error, /'file-user_cfg'/)) return { of: 'user.cfg' };
  const storage = told(error, /storage-([\w.-]+)'/)?.[0];
  return storage === undefined ? { of: 'other' } : { of: 'storage', storage };
}

/** The object is there already; for a clone, also when the id belongs to another node. */
export function isAlreadyExists(error: unknown): boolean {
  return says(error, /already exists|already defined|\.conf' failed: File exists/);
}

/** `VM N is locked (clone)`, `CT is locked (backup)`: another operation holds the guest. */
const GUEST_LOCK = /\bis locked \(/;

export function isVmLocked(error: unknown): boolean {
  return says(error, GUEST_LOCK);
}

/** The configuration was changed by somebody else meanwhile. */
export function isDigestMismatch(error: unknown): boolean {
  return says(error, /checksum mismatch|detected modified configuration/);
}

/** The guest did not go within the time it was given (qemu-server, _do_vm_stop); it runs on. */
export function isShutdownIgnored(error: unknown): boolean {
  return says(error, /VM quit\/powerdown failed/);
}

/** The move of a machine that is off was asked for (qemu-server API2/Qemu.pm, pve-container API2/LXC.pm), and it runs. */
export function isOfflineMoveOfRunning(error: unknown): boolean {
  return says(error, /can't migrate running (?:VM|container) without --online/);
}

/** It has no process: there is nothing to reboot, to suspend or to resume. */
export function isNotRunning(error: unknown): boolean {
  return says(error, /VM \d+ not running/);
}

export function isAlreadyRunning(error: unknown): boolean {
  return says(error, /already running/) && !isReloadBusy(error);
}

const RELOAD_BUSY = /exit code 89\b|Another instance of this program is already running/;

/** Two network reloads at once: ifupdown2 does not wait for its lock but exits with 89. */
export function isReloadBusy(error: unknown): boolean {
  return says(error, RELOAD_BUSY);
}

/** The same, of a task in a list. */
export function isBusyReloadEnding(exitstatus: string): boolean {
  return RELOAD_BUSY.test(exitstatus);
}

/** So end tasks that somebody, or a reboot, stopped. */
export function wasStopped(exitstatus: string): boolean {
  return /^(?:unexpected status|received interrupt|interrupted by signal)/.test(exitstatus);
}

/** A line of a migration's log that tells why it failed. */
export function tellsOfFailure(line: string): boolean {
  return /can't migrate|cannot migrate|is not available|timeout|No route|ERROR/i.test(line);
}

/** This PVE version has no such endpoint. */
export function isNotImplemented(error: unknown): boolean {
  return error instanceof PveError && error.status === 501;
}

/** What the log of a migration that failed says of it; all absent where it says nothing that is known here. */
export interface MigrationCause {
  /** Whose fault it is: the target's, that of a storage there, or the guest's, which no node takes as it is. */
  readonly blames?: 'node' | 'storage' | 'guest';
  readonly target?: string;
  /** Of which PVE speaks, where a storage is to blame. */
  readonly storage?: string;
  /** That the target does not have. */
  readonly bridge?: string;
  /** Its own words. */
  readonly words?: string;
}

/** `[pve2] …`: what the target's own command said; most of it is its failure to start the machine there. */
const FROM_TARGET = /^\[([\w.-]+)\] /;
/** qemu-server QemuMigrate.pm, pve-storage Storage.pm, pve-container LXC/Migrate.pm. */
const STORAGE_CAUSE =
  /storage '?([\w.-]+)'? is not (?:available|online|activated)|to storage '([^']+)' failed|not available on storage '([^']+)'|activate storage '([^']+)'|No space left on device|out of space|not enough (?:free )?space/i;
const GUEST_CAUSE =
  /uses local devices|local cdrom image|local file\/device|as it's a clone of|snapshot exists|snapshot of local volume|referenced by linked clone|without with-local-disks|which uses following mapped devices|owned by other VM|cannot migrate local \w+ mount point|can't migrate local volume '[^']+': (?:clone of|storage type)|container did not stop|lxc live migration/i;
const NODE_CAUSE =
  /too old to run machine type|too old for preserving|Can't connect to destination address|missing mapped devices|(?:^|[^\w])ssh: |No route to host|Connection (?:refused|timed out|reset)|Host key verification failed|bridge '[^']+' does not exist|no physical interface on bridge|unable to detect remote migration address|Timeout, migration socket|Cannot allocate memory|cannot set up guest memory|vcpus allowed per VM|host doesn't support requested feature/i;
const TARGET_NAMES =
  /starting migration of (?:VM|CT) \d+ to node '([^']+)'|^Requesting HA migration for (?:VM|CT) \d+ to node ([\w.-]+)$|can't migrate to '([^']+)'|please upgrade node '([^']+)'|not available on node '([^']+)'/;

const groupOf = (match: RegExpExecArray | null): string | undefined =>
  match?.slice(1).find((part: string | undefined) => part !== undefined);

/** Of the lines of a log, or of a refusal. What the guest itself lacks is told before anybody else is blamed. */
export function migrationCause(lines: readonly string[]): MigrationCause {
  const target = lines.flatMap(
    (line) => groupOf(TARGET_NAMES.exec(line)) ?? FROM_TARGET.exec(line)?.[1] ?? [],
  )[0];
  const named = target === undefined ? {} : { target };
  const find = (...patterns: readonly RegExp[]): string | undefined =>
    lines.find((line) => patterns.some((pattern) => pattern.test(line)));
  const plain = (line: string): string =>
    line
      .replace(FROM_TARGET, '')
      .replace(/^(?:[\d: -]+)?ERROR: /, '')
      .trim();
  const guest = find(GUEST_CAUSE, GUEST_LOCK);
  if (guest !== undefined) return { ...named, blames: 'guest', words: plain(guest) };
  const storage = find(STORAGE_CAUSE);
  if (storage !== undefined) {
    const name = groupOf(STORAGE_CAUSE.exec(storage));
    return {
      ...named,
      blames: 'storage',
      words: plain(storage),
      ...(name === undefined ? {} : { storage: name }),
    };
  }
  const node = find(NODE_CAUSE);
  if (node !== undefined) {
    const bridge = /bridge '([^']+)' does not exist/.exec(node)?.[1];
    return {
      ...named,
      blames: 'node',
      words: plain(node),
      ...(bridge === undefined ? {} : { bridge }),
    };
  }
  const failedThere = lines.some((line) => /remote command failed with exit code/.test(line));
  const said = failedThere ? find(FROM_TARGET) : undefined;
  return said === undefined ? named : { ...named, blames: 'node', words: plain(said) };
}
