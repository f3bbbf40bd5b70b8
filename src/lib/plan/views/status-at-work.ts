/** Whether runs of ours are at work, by what they leave to be seen: what is half done then is no problem. Reads nothing. */
import { addTo } from '../../group.ts';
import type { Inventory, Removal, RunningTask } from '../../inventory/types.ts';
import { isLockPast, LOCK_POOL, parseLockMark } from '../../marks/lock.ts';
import { ourTasks } from '../../pve-values/guest-kinds.ts';
import { isAnyCloning } from '../cluster/locks.ts';
import type { StandView } from '../stands/selected.ts';
import type { StatusContext } from './status-types.ts';

interface Seen {
  readonly have: Inventory;
  readonly stands: readonly StandView[];
}

/** Claims are written, given up and machines joined under it. */
function isPlanningLocked({ pools, now }: Inventory): boolean {
  const lock = pools.find(({ pool }) => pool === LOCK_POOL);
  const mark = lock && parseLockMark(lock.comment);
  return mark !== undefined && !isLockPast(mark, Date.parse(now));
}

/**
 * The lock of its claims and joins, clones, whose tasks are filed under their templates, and other tasks at numbers that are
 * reserved, those included that have just ended.
 */
export function isMaking({ have, stands }: Seen, tasks: readonly RunningTask[]): boolean {
  if (isAnyCloning({ tasks }) || isPlanningLocked(have)) return true;
  const reserved = stands.flatMap(({ machines }) =>
    machines.flatMap(({ state, vmid }) => (state === 'reserved' ? [String(vmid)] : [])),
  );
  const at = new Set(tasks.map(({ id }) => id));
  return reserved.some((id) => at.has(id));
}

/**
 * VMIDs that somebody else than the student has removed, by the labs from which machines are being removed: a cleanup takes the
 * access of all stands first, then cuts the power of what runs, and gives the claims back, under the lock, when the last machine
 * of all is gone. `isOpen`: those without access switch nothing off themselves.
 */
export function beingRemoved(
  { have, stands }: Seen,
  tasks: readonly RunningTask[],
  isOpen: (stand: StandView) => boolean,
): StatusContext['removed'] {
  const cut = new Set(tasks.flatMap(({ type, id }) => (ourTasks('stop').includes(type) ? [id] : [])));
  const isCut = (stand: StandView): boolean =>
    stand.machines.some(({ vmid }) => cut.has(String(vmid))) && !isOpen(stand);
  const last = new Map((have.removals ?? []).map((one) => [one.vmid, one]));
  const byLab = new Map<string, Removal[]>();
  for (const { user, claim, machines } of stands) {
    for (const { vmid } of machines) {
      const one = last.get(vmid);
      if (one && one.user !== user && !one.user.startsWith(`${user}!`)) addTo(byLab, claim.lab, one);
    }
  }
  const isLocked = isPlanningLocked(have);
  const labs = new Set(stands.filter((stand) => isCut(stand)).map(({ claim }) => claim.lab));
  for (const [lab, removals] of byLab)
    if (isLocked || removals.some(({ was }) => was !== 'earlier')) labs.add(lab);
  return new Map(
    [...labs].map((lab) => [lab, new Map((byLab.get(lab) ?? []).map((one) => [one.vmid, one]))]),
  );
}
