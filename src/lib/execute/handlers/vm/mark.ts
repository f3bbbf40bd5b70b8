/** Writes our mark into the notes of a VM that becomes ours. Never one that is not the planned one any more. */
import { isTemplate } from '../../../pve-values/guest-flags.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import type { ConfigValues } from '../../../proxmox/types.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { onceMoreIfStale } from './config-change.ts';

type MarkStep = StepOf<'vm.mark'>;

function refuse({ vmid, node }: MarkStep, what: string): StepError {
  return new StepError('NOT_OURS', `VM ${vmid} on ${node} ${what}; it is left alone`, {
    hint: 'run the command again: it plans anew from what is there',
  });
}

async function assertPlanned(step: MarkStep, values: ConfigValues, io: StepIo): Promise<void> {
  const notes = values['description'] ?? '';
  if (notes.trimEnd() !== step.description.trimEnd())
    throw refuse(step, 'has other notes than when it was planned');
  if (values['lock'] !== undefined) throw refuse(step, `is locked (${values['lock']}) by now`);
  if (isTemplate(values)) throw refuse(step, 'was made a template');
  const pool = await io.pve.pool(step.pool, io.signal);
  if (pool?.vmids.includes(step.vmid) !== true)
    throw refuse(step, `is no member of pool ${step.pool} any more`);
}

export const markVm: Handler<'vm.mark'> = (step, io) => {
  const { newDescription } = step;
  const mark = async (): Promise<StepOutcome> => {
    const values = await io.pve.guestConfig(step, io.signal);
    if (!values) throw refuse(step, 'is gone, or on another node');
    if ((values['description'] ?? '').trimEnd() === newDescription.trimEnd()) return 'already-done';
    await assertPlanned(step, values, io);
    const digest = values['digest'];
    const change = {
      set: { description: newDescription },
      remove: [],
      ...(digest === undefined ? {} : { digest }),
    };
    await io.pve.updateVmConfig(step, change, io.signal);
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => onceMoreIfStale(mark),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
