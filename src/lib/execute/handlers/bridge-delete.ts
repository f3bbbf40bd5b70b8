/** Stages the removal of a bridge on a node. Never of one whose comment is not the planned one. */
import { isNotFound } from '../../proxmox/errors.ts';
import { attempt } from '../retry.ts';
import { StepError } from '../step-error.ts';
import type { Handler } from '../types.ts';

export const deleteBridge: Handler<'bridge.delete'> = (step, io) => {
  const { node, bridge, comment } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      const { rows } = await io.pve.network(node, io.signal);
      const row = rows.find(({ iface }) => iface === bridge);
      if (!row) return 'already-done';
      if (row.comments.trim() !== comment.trim()) {
        throw new StepError(
          'NOT_OURS',
          `bridge ${bridge} on ${node} is not the planned one ("${row.comments.trim()}")`,
          {
            hint: 'run the command again: it plans anew from what is there',
          },
        );
      }
      try {
        await io.pve.deleteBridge(node, bridge, io.signal);
        return 'done';
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return 'already-done';
      }
    },
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
