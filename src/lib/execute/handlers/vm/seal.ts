/** Writes our mark with a seal of this run into the notes of a VM of ours. Changes nothing else, and keeps what else is noted. */
import { parseVmMark, withVmMark } from '../../../marks/vm.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { onceMoreIfStale } from './config-change.ts';
import { hereOrMoved } from './gone.ts';
import { patiently } from './lock.ts';

/** What the mark says of how it was made stays: a run that comes after this one asks for it. */
function sealedNotes({ vmid, description }: StepOf<'vm.seal'>, notes: string, io: StepIo): string {
  const planned = parseVmMark(description);
  if (!planned) return notes;
  const present = parseVmMark(notes);
  const known = present?.vmid === vmid ? present : undefined;
  return withVmMark(notes, { ...known, ...planned, seal: io.seals.of(vmid) });
}

export const sealVm: Handler<'vm.seal'> = (step, io) => {
  const { node, vmid, pool } = step;
  const seal = async (): Promise<StepOutcome | 'locked'> => {
    const values = await io.pve.guestConfig(step, io.signal);
    if (!values)
      throw new StepError('VM_MISSING', `VM ${vmid} is not on ${node}`, { hint: 'run the command again' });
    if (values['lock'] !== undefined) return 'locked';
    await io.ownership.assertOursNow({ vmid, pool }, values);
    const present = values['description'] ?? '';
    const description = sealedNotes(step, present, io);
    if (description.trimEnd() === present.trimEnd()) return 'already-done';
    const digest = values['digest'];
    const change = { set: { description }, remove: [], ...(digest === undefined ? {} : { digest }) };
    await io.pve.updateVmConfig(step, change, io.signal);
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => hereOrMoved(step, io, () => patiently(step, io, () => onceMoreIfStale(seal))),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
