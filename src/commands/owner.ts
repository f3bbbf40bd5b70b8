/** Signs the planning lock, and recognises the signature of a process of this machine that is dead. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { ProgramIo } from './io.ts';

/**
 * Tells process numbers of one kernel and PID namespace apart from all others: two containers may share host name and
 * process numbers. Undefined where that cannot be told; then a lock is only taken over when it has expired.
 */
function processSpace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return createHash('sha256')
      .update(`${boot} ${readlinkSync('/proc/self/ns/pid')}`)
      .digest('hex')
      .slice(0, 12);
  } catch {
    return undefined;
  }
}

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'somebody'; // a container may run as a user without a name
  }
}

/** `user@host/process[/space]`. */
function ownerName(): string {
  const space = processSpace();
  return `${userName()}@${hostname()}/${process.pid}${space === undefined ? '' : `/${space}`}`;
}

function isGone(owner: string): boolean {
  const [, pid, space] = /\/(\d+)\/([0-9a-f]{12})$/.exec(owner) ?? [];
  if (pid === undefined || space !== processSpace()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

export function processSignature(): ProgramIo['signature'] {
  return { name: ownerName, isGone };
}
