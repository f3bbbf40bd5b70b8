/** Stages the removal of a bridge on a node. Never of one that is not the planned one, or that the rule spares by now. */
import { parseBridgeMark } from '../../../marks/bridge.ts';
import { PLANNED } from '../../../plan/network/may-go.ts';
import { isNotFound } from '../../../proxmox/words.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';
import { readBridge } from './bridge-row.ts';

export const deleteBridge: Handler<'bridge.delete'> = (step, io) => {
  const { node, bridge, comment } = step;
  const isMarked = parseBridgeMark(bridge, comment.trim()) !== undefined;
  const wish = isMarked
    ? ({ to: 'remove', guests: PLANNED } as const)
    : ({ to: 'remove-adopted', isLedTo: PLANNED, guests: PLANNED } as const);
  return attempt(io, {
    id: step.id,
    act: async () => {
      const present = await readBridge(step, io);
      if (!present) return 'already-done';
      const found = present.row.comments.trim();
      const what =
        found === comment.trim() ? present.obstacle(wish) : `it is not the planned one ("${found}")`;
      if (what !== undefined) {
        throw new StepError('NOT_OURS', `bridge ${bridge} on ${node} stays: ${what}`, {
          hint: 'run the command again: it plans anew from what is there',
        });
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
