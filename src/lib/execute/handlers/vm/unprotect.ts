/** Takes the protection flag off a VM. Changes nothing else of it. */
import { isProtected } from '../../../pve-values/guest-flags.ts';
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { confirmGone, unlessGonePatiently } from './gone.ts';

export const unprotectVm: Handler<'vm.unprotect'> = (step, io) => {
  const unprotect = async (here: typeof step) => {
    const values = await io.pve.guestConfig(here, io.signal);
    if (!values) return confirmGone(here, io);
    if (!isProtected(values)) return 'already-done';
    await io.ownership.assertOursNow(here, values);
    await io.pve.updateVmConfig(here, { set: { protection: '0' }, remove: [] }, io.signal);
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => unlessGonePatiently(step, io, unprotect),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
