/** Tells a VM that was removed from one that lives on another node by now. Reads only. */
import { AuthError } from '../../../proxmox/errors.ts';
import { isNoSuchVm } from '../../../proxmox/words.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo, StepOutcome } from '../../types.ts';

interface VmPlace {
  readonly node: string;
  readonly vmid: number;
}

/** For a VM that its node does not know: a node knows its own only, and HA or an admin may have moved it. */
export async function confirmGone({ node, vmid }: VmPlace, io: StepIo): Promise<'already-done'> {
  const rows = await io.pve.resources(io.signal);
  const elsewhere = rows.find((row) => row.vmid === vmid && row.node !== node)?.node;
  if (elsewhere === undefined) return 'already-done';
  throw new StepError('VM_MOVED', `VM ${vmid} is on ${elsewhere} by now, not on ${node}`, {
    hint: 'run the command again: it plans anew from where the VM is',
  });
}

/** A VM takes the rights that its pool gave on it along: to a confined caller a removed one looks like a forbidden one. */
async function isGone(error: unknown, vmid: number, io: StepIo): Promise<boolean> {
  return isNoSuchVm(error) || (error instanceof AuthError && (await io.pve.isVmidFree(vmid, io.signal)));
}

/** Carries `work` out; a VM that vanishes meanwhile needs no more of it. */
export async function unlessGone(
  place: VmPlace,
  io: StepIo,
  work: () => Promise<StepOutcome>,
): Promise<StepOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!(await isGone(error, place.vmid, io))) throw error;
    return confirmGone(place, io);
  }
}

/** For what only a VM that is there can have done to it: where it went is told, and that it is gone. */
export async function hereOrMoved(
  place: VmPlace,
  io: StepIo,
  work: () => Promise<StepOutcome>,
): Promise<StepOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!isNoSuchVm(error)) throw error;
    await confirmGone(place, io);
    throw new StepError('VM_MISSING', `VM ${place.vmid} on ${place.node} was removed meanwhile`, {
      hint: 'by another run or by hand; run the command again: it plans from what is there',
      cause: error,
    });
  }
}
