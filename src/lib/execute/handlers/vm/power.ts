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

/** Waits, without a place, until `isThere` says so. */
export async function untilSeen(
  { node, vmid }: Switched,
  isThere: (now: VmPower) => boolean,
  io: StepIo,
  late: { readonly afterMs?: number; readonly says: string },
): Promise<void> {
  const deadline = io.clock.now() + HA_PATIENCE_MS + (late.afterMs ?? 0);
  await io.stepAside(async () => {
    while (!isThere(await io.pve.vmStatus(node, vmid, io.signal))) {
      if (io.clock.now() > deadline) {
        throw new StepError('STILL_WAITING', `VM ${vmid} on ${node} ${late.says}`, {
          hint: 'if HA manages it, see Datacenter → HA; then run again',
        });
      }
      await io.clock.sleep(POLL_MS, io.signal);
    }
  });
}

export function untilPower(vm: Switched, wanted: PowerState, io: StepIo, afterMs = 0): Promise<void> {
  const says = wanted === 'running' ? 'was to start, but is not up' : `was to be ${wanted}, but runs on`;
  return untilSeen(vm, (now) => hasPower(now, wanted), io, { afterMs, says });
}
