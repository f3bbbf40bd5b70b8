/** How a VM is, as handlers that switch it ask; and waiting for what comes after PVE's task. Writes nothing. */
import { isLasting } from '../../../plan/cluster/locks.ts';
import { LOCK, type GuestAt } from '../../../pve-values/guest-kinds.ts';
import type { PowerState } from '../../../plan/document/step-traits.ts';
import type { PveApi, Upid } from '../../../proxmox/types.ts';
import { machinePower } from '../../../pve-values/machine-power.ts';
import { readUpid } from '../../../pve-values/task-status.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo } from '../../types.ts';
import { lockError } from './lock.ts';

const POLL_MS = 2000;
/** HA's managers look at their lists every 10 s; the node's one may be busy with other VMs first. */
const HA_PATIENCE_MS = 180_000;
/** It takes about 10 s. A stop that it is told in the middle of a migration is lost (HA/Manager.pm, next_state_migrate_relocate). */
const HA_AGAIN_MS = 20_000;
/** Much memory on a slow network; one that hangs is not waited for. */
const HA_MIGRATION_MS = 1_800_000;

export const SEE_HA = 'if HA manages it, see Datacenter → HA; then run again';

export type VmPower = Awaited<ReturnType<PveApi['vmStatus']>>;

export function hasPower(now: VmPower, wanted: PowerState): boolean {
  const power = machinePower(now);
  // Until its memory is written it runs.
  return (power === 'suspending' ? 'running' : power) === wanted;
}

/** Under HA a task ends as soon as the wish is noted. */
export function isWishOfHa(upid: Upid): boolean {
  return /^ha(start|stop)$/.test(readUpid(upid)?.type ?? '');
}

interface Late {
  readonly afterMs?: number;
  /** Tells it the wish once more. */
  readonly again?: () => Promise<unknown>;
}

/** Waits, without a place, until `isThere` says so; false: it never did. A migration of HA's comes first, and is no part of the wait. */
export async function isSeen(
  vm: GuestAt,
  isThere: (now: VmPower) => boolean,
  io: StepIo,
  { afterMs = 0, again }: Late = {},
): Promise<boolean> {
  const patience = HA_PATIENCE_MS + afterMs;
  let since = io.clock.now();
  let told = since;
  const latest = since + patience + HA_MIGRATION_MS;
  return io.stepAside(async () => {
    for (;;) {
      const seen = await io.pve.vmStatus(vm, io.signal);
      if (isThere(seen)) return true;
      const now = io.clock.now();
      if (seen.lock === LOCK.migrate) since = now;
      if (now > Math.min(since + patience, latest)) return false;
      if (again && now - told > HA_AGAIN_MS) {
        told = now;
        await again();
      }
      await io.clock.sleep(POLL_MS, io.signal);
    }
  });
}

/** Of what HA was told: its own tasks meet a lock that stands in the way, and their errors reach nobody here. */
export async function unfulfilled(vm: GuestAt, otherwise: StepError, io: StepIo): Promise<StepError> {
  const { lock } = await io.pve.vmStatus(vm, io.signal);
  return lock === undefined || isLasting(lock) ? otherwise : lockError(vm, lock, io);
}

export function stillWaiting(vm: GuestAt, says: string, io: StepIo): Promise<StepError> {
  const { node, vmid } = vm;
  const error = new StepError('STILL_WAITING', `VM ${vmid} on ${node} ${says}`, { hint: SEE_HA });
  return unfulfilled(vm, error, io);
}

export async function untilRunning(vm: GuestAt, io: StepIo): Promise<void> {
  if (await isSeen(vm, (now) => hasPower(now, 'running'), io)) return;
  throw await stillWaiting(vm, 'was to start, but is not up', io);
}

/** A migration of HA's is waited for all the same, and a removal ends by itself. */
const PASSING: ReadonlySet<string> = new Set([LOCK.migrate, LOCK.destroyed]);

function isKept({ lock }: VmPower): boolean {
  return lock !== undefined && !isLasting(lock) && !PASSING.has(lock);
}

/** `locked`: until that lock is gone HA cannot do it. Undefined: it runs on, nobody knows why. */
export async function untilOff(vm: GuestAt, io: StepIo, late: Late): Promise<'done' | 'locked' | undefined> {
  const isOff = ({ status }: VmPower) => status === 'stopped';
  if (!(await isSeen(vm, (now) => isOff(now) || isKept(now), io, late))) return undefined;
  return isOff(await io.pve.vmStatus(vm, io.signal)) ? 'done' : 'locked';
}
