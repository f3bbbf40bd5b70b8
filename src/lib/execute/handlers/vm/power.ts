/** How a VM is, as handlers that switch it ask; and waiting for what comes after PVE's task. Writes nothing. */
import { LOCK, type GuestAt } from '../../../pve-values/guest-kinds.ts';
import type { PowerState } from '../../../plan/document/step-traits.ts';
import type { PveApi, Upid } from '../../../proxmox/types.ts';
import { machinePower } from '../../../pve-values/machine-power.ts';
import { readUpid } from '../../../pve-values/task-status.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo } from '../../types.ts';

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

export function stillWaiting({ node, vmid }: GuestAt, says: string): StepError {
  return new StepError('STILL_WAITING', `VM ${vmid} on ${node} ${says}`, { hint: SEE_HA });
}

export async function untilPower(
  vm: GuestAt,
  wanted: PowerState,
  io: StepIo,
  late: Late = {},
): Promise<void> {
  if (await isSeen(vm, (now) => hasPower(now, wanted), io, late)) return;
  throw stillWaiting(
    vm,
    wanted === 'running' ? 'was to start, but is not up' : `was to be ${wanted}, but runs on`,
  );
}
