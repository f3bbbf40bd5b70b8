/** Stages VLAN awareness or our mark for a bridge. Never turns awareness off, nor writes over another comment. */
import { parseBridgeMark } from '../../marks/bridge.ts';
import type { StepOf } from '../../plan/document/step.ts';
import type { NetworkRow } from '../../proxmox/types.ts';
import { attempt } from '../retry.ts';
import { StepError } from '../step-error.ts';
import type { Handler } from '../types.ts';

type UpdateStep = StepOf<'bridge.update'>;

function isDone({ vlanAware, comment, newComment = comment }: UpdateStep, row: NetworkRow): boolean {
  return row.comments.trim() === newComment.trim() && (vlanAware === undefined || row.vlanAware);
}

/** Why the bridge is not the planned one any more. A former try may have written the new comment. */
function obstacle(
  { bridge, comment, newComment = comment }: UpdateStep,
  row: NetworkRow | undefined,
): string | undefined {
  if (!row) return 'is gone';
  const found = row.comments.trim();
  if (found !== comment.trim() && found !== newComment.trim())
    return 'has another comment than when it was planned';
  if (!parseBridgeMark(bridge, newComment)) return 'does not carry our mark';
  // Without a mark of ours it was chosen because nothing else is on it.
  return parseBridgeMark(bridge, comment) || row.ports.length === 0
    ? undefined
    : `was given the port ${row.ports.join(' ')}`;
}

export const updateBridge: Handler<'bridge.update'> = (step, io) => {
  const { node, bridge, vlanAware, comment, newComment = comment } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      const { rows } = await io.pve.network(node, io.signal);
      const row = rows.find(({ iface }) => iface === bridge);
      const what = obstacle(step, row);
      if (what !== undefined) {
        throw new StepError('NOT_OURS', `bridge ${bridge} on ${node} ${what}`, {
          hint: 'run the command again: it plans anew from what is there',
        });
      }
      if (row && isDone(step, row)) return 'already-done';
      const change = { iface: bridge, ...(vlanAware ? { vlanAware } : {}), comment: newComment };
      await io.pve.updateBridge(node, change, io.signal);
      return 'done';
    },
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
