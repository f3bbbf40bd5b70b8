/** Tells a VM that was removed from one that lives on another node by now. Reads only. */
import type { GuestAt } from '../../../pve-values/guest-kinds.ts';
import { AuthError } from '../../../proxmox/errors.ts';
import { isNoSuchVm } from '../../../proxmox/words.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo, StepOutcome } from '../../types.ts';
import { patiently } from './lock.ts';

/** A VM that moves oftener than this within one step is waited for by nobody. */
const MOST_MOVES = 3;

/** By the list of the whole cluster; undefined: nowhere but, at most, on its node. */
async function elsewhere({ node, vmid }: GuestAt, io: StepIo): Promise<string | undefined> {
  const rows = await io.pve.resources(io.signal);
  return rows.find((row) => row.vmid === vmid && row.node !== node)?.node;
}

/** For a VM that its node does not know: a node knows its own only, and HA or an admin may have moved it. */
export async function confirmGone(place: GuestAt, io: StepIo): Promise<'already-done'> {
  const { node, vmid } = place;
  const there = await elsewhere(place, io);
  if (there === undefined) return 'already-done';
  throw new StepError('VM_MOVED', `VM ${vmid} is on ${there} by now, not on ${node}`, {
    hint: 'run the command again: it plans anew from where the VM is',
  });
}

/** A VM takes the rights that its pool gave on it along: to a confined caller a removed one looks like a forbidden one. */
async function isGone(error: unknown, vmid: number, io: StepIo): Promise<boolean> {
  return isNoSuchVm(error) || (error instanceof AuthError && (await io.pve.isVmidFree(vmid, io.signal)));
}

/**
 * Carries out what ends a VM, wherever it is: HA finishes a migration before anything else, and takes the VM along. Each try
 * is told the place; what looks after a lost answer has to ask there, too. One that vanishes meanwhile needs no more of it.
 */
export async function unlessGone<Place extends GuestAt>(
  place: Place,
  io: StepIo,
  work: (here: Place) => Promise<StepOutcome>,
): Promise<StepOutcome> {
  let here = place;
  for (let moves = 0; ; moves += 1) {
    try {
      return await work(here);
    } catch (error) {
      const hasMoved = error instanceof StepError && error.code === 'VM_MOVED';
      if (!hasMoved && !(await isGone(error, here.vmid, io))) throw error;
      const node = moves < MOST_MOVES ? await elsewhere(here, io) : undefined;
      if (node === undefined) return confirmGone(here, io);
      here = { ...here, node };
    }
  }
}

/** The same, waiting on each node for what holds the VM there. */
export function unlessGonePatiently<Place extends GuestAt & { readonly lockWaitSeconds: number }>(
  place: Place,
  io: StepIo,
  work: (here: Place) => Promise<StepOutcome | 'locked'>,
): Promise<StepOutcome> {
  return unlessGone(place, io, (here) => patiently(here, io, () => work(here)));
}

/** For what only a VM that is there can have done to it: where it went is told, and that it is gone. */
export async function hereOrMoved(
  place: GuestAt,
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
