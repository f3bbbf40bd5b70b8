/** Stages VLAN awareness for a bridge of ours. Never turns it off, and leaves bridges without our mark alone. */
import { parseBridgeMark } from '../../plan/marks.ts';
import { attempt } from '../retry.ts';
import { StepError } from '../step-error.ts';
import type { Handler } from '../types.ts';

export const updateBridge: Handler<'bridge.update'> = (step, io) => {
  const { node, bridge, comment } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      const { rows } = await io.pve.network(node, io.signal);
      const row = rows.find(({ iface }) => iface === bridge);
      if (row?.vlanAware === true) return 'already-done';
      if (!row || !parseBridgeMark(row.comments)) {
        const what = row ? 'does not carry our mark any more' : 'is gone';
        throw new StepError('NOT_OURS', `bridge ${bridge} on ${node} ${what}`, {
          hint: 'run the command again: it plans anew from what is there',
        });
      }
      await io.pve.updateBridge(node, { iface: bridge, vlanAware: true, comment }, io.signal);
      return 'done';
    },
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
