/** Takes a VM out of HA. PVE itself says when it is not in it. */
import { isNotHaManaged } from '../../../proxmox/words.ts';
import { attempt } from '../../retry.ts';
import type { Handler } from '../../types.ts';

export const removeFromHa: Handler<'ha.remove'> = (step, io) =>
  attempt(io, {
    id: step.id,
    act: async () => {
      await io.ownership.assertOursOrGone(step);
      try {
        await io.pve.removeHaResource(step, io.signal);
        return 'done';
      } catch (error) {
        if (!isNotHaManaged(error)) throw error;
        return 'already-done';
      }
    },
    // A second removal finds nothing to remove.
    look: () => Promise.resolve('absent'),
  });
