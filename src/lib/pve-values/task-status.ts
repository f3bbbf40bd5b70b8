/** Reads task identifiers and the words that tasks end with. Asks nobody about a task. */

export interface TaskId {
  /** Where the task runs and must be asked for: for a clone or a migration the source. */
  readonly node: string;
  /** `qmclone`, `srvreload`… */
  readonly type: string;
  /** Usually a VMID; may be empty. */
  readonly id: string;
  /** `user@realm`, or `user@realm!token`. */
  readonly user: string;
  /** Seconds since the epoch. */
  readonly starttime: number;
}

const UPID = /^UPID:([^:\s]+):[0-9a-f]{8}:[0-9a-f]{8,9}:([0-9a-f]{8}):([^:\s]+):([^:\s]*):([^:\s]+):$/i;

/** `UPID:<node>:<pid>:<pstart>:<starttime>:<type>:<id>:<user>:`, numbers in hex; undefined for anything else. */
export function readUpid(text: string): TaskId | undefined {
  const [, node, start, type, id, user] = UPID.exec(text) ?? [];
  if (node === undefined || start === undefined || type === undefined || id === undefined) return undefined;
  return user === undefined ? undefined : { node, type, id, user, starttime: Number.parseInt(start, 16) };
}

/** `WARNINGS: n`: what was asked for was done. */
export function isGoodEnding(status: string | undefined): boolean {
  return status === 'OK' || status?.startsWith('WARNINGS') === true;
}
