/** How a VM is, as handlers that switch it ask; and waiting for what comes after PVE's task. Writes nothing. */
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

export type VmPower = Awaited<ReturnType<PveApi['vmStatus']>>;

interface Switched {
  readonly node: string;
  readonly vmid: number;
}

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
  readonly code?: string;
  readonly afterMs?: number;
  readonly says: string;
  /** Tells it the wish once more. */
  readonly again?: () => Promise<unknown>;
}

/** Waits, without a place, until `isThere` says so. A migration of HA's is no part of the wait: it comes first. */
export async function untilSeen(
  { node, vmid }: Switched,
  isThere: (now: VmPower) => boolean,
  io: StepIo,
  late: Late,
): Promise<void> {
  let since = io.clock.now();
  const patience = HA_PATIENCE_MS + (late.afterMs ?? 0);
  const latest = since + patience + HA_MIGRATION_MS;
  let told = since;
  await io.stepAside(async () => {
    for (;;) {
      const seen = await io.pve.vmStatus(node, vmid, io.signal);
      if (isThere(seen)) return;
      const now = io.clock.now();
      if (seen.lock === 'migrate') since = now;
      if (now > Math.min(since + patience, latest)) {
        throw new StepError(late.code ?? 'STILL_WAITING', `VM ${vmid} on ${node} ${late.says}`, {
          hint: 'if HA manages it, see Datacenter → HA; then run again',
        });
      }
      if (late.again && now - told > HA_AGAIN_MS) {
        told = now;
        await late.again();
      }
      await io.clock.sleep(POLL_MS, io.signal);
    }
  });
}

export function untilPower(
  vm: Switched,
  wanted: PowerState,
  io: StepIo,
  late: Pick<Late, 'afterMs' | 'again'> = {},
): Promise<void> {
  const says = wanted === 'running' ? 'was to start, but is not up' : `was to be ${wanted}, but runs on`;
  return untilSeen(vm, (now) => hasPower(now, wanted), io, { ...late, says });
}
