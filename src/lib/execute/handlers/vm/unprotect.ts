/** Takes the protection flag off a VM. Changes nothing else of it. */
import { isProtected } from '../../../pve-values/guest-flags.ts';
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';
import { confirmGone, unlessGone } from './gone.ts';
import { patiently } from './lock.ts';

export const unprotectVm: Handler<'vm.unprotect'> = (step, io) => {
  const { node, vmid } = step;
  const unprotect = async () => {
    const values = await io.pve.vmConfig(node, vmid, io.signal);
    if (!values) return confirmGone(step, io);
    if (!isProtected(values)) return 'already-done';
    await io.ownership.assertOursNow(step, values);
    await io.pve.updateVmConfig(node, vmid, { set: { protection: '0' }, remove: [] }, io.signal);
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () =>
      unlessGone(step, io, () => patiently({ node, vmid, seconds: step.lockWaitSeconds }, io, unprotect)),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
