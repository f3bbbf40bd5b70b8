/** Tells a VM that was removed from one that lives on another node by now. Reads only. */
import { AuthError } from '../../../proxmox/errors.ts';
import { isNoSuchVm } from '../../../proxmox/words.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo, StepOutcome } from '../../types.ts';

/** A VM that moves oftener than this within one step is waited for by nobody. */
const MOST_MOVES = 3;

interface VmPlace {
  readonly node: string;
  readonly vmid: number;
}

class VmMoved extends StepError {
  readonly to: string;

  constructor(vmid: number, from: string, to: string) {
    super('VM_MOVED', `VM ${vmid} is on ${to} by now, not on ${from}`, {
      hint: 'run the command again: it plans anew from where the VM is',
    });
    this.to = to;
  }
}

/** For a VM that its node does not know: a node knows its own only, and HA or an admin may have moved it. */
export async function confirmGone({ node, vmid }: VmPlace, io: StepIo): Promise<'already-done'> {
  const rows = await io.pve.resources(io.signal);
  const elsewhere = rows.find((row) => row.vmid === vmid && row.node !== node)?.node;
  if (elsewhere === undefined) return 'already-done';
  throw new VmMoved(vmid, node, elsewhere);
}

/** A VM takes the rights that its pool gave on it along: to a confined caller a removed one looks like a forbidden one. */
async function isGone(error: unknown, vmid: number, io: StepIo): Promise<boolean> {
  return isNoSuchVm(error) || (error instanceof AuthError && (await io.pve.isVmidFree(vmid, io.signal)));
}

/**
 * Carries out what ends a VM, wherever it is: HA finishes a migration before anything else, and takes the VM along. Each try
 * is told the place. One that vanishes meanwhile needs no more of it.
 */
export async function unlessGone<Place extends VmPlace>(
  place: Place,
  io: StepIo,
  work: (here: Place) => Promise<StepOutcome>,
): Promise<StepOutcome> {
  let here = place;
  for (let moves = 1; ; moves += 1) {
    try {
      try {
        return await work(here);
      } catch (error) {
        if (!(await isGone(error, here.vmid, io))) throw error;
        return await confirmGone(here, io);
      }
    } catch (error) {
      if (!(error instanceof VmMoved) || moves > MOST_MOVES) throw error;
      here = { ...here, node: error.to };
    }
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
