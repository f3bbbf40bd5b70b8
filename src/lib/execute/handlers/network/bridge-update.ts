/** Stages VLAN awareness or our mark for a bridge. Never turns awareness off, nor writes what the rule on bridges forbids by now. */
import { parseBridgeMark } from '../../../marks/bridge.ts';
import { PLANNED, type Wish } from '../../../plan/network/may-go.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import type { NetworkRow } from '../../../proxmox/types.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';
import { readBridge, type PresentBridge } from './bridge-row.ts';

type UpdateStep = StepOf<'bridge.update'>;

function isDone({ vlanAware, comment, newComment = comment }: UpdateStep, row: NetworkRow): boolean {
  return row.comments.trim() === newComment.trim() && (vlanAware === undefined || row.vlanAware);
}

/** What the planner asked for. A former try may have written the new comment: then it is ours already. */
function wishOf({ bridge, comment, newComment = comment }: UpdateStep, found: string): Wish | undefined {
  const mark = parseBridgeMark(bridge, newComment.trim());
  if (!mark) return undefined;
  if (mark.kind === 'reserved') return { to: 'share', change: true };
  return found === newComment.trim()
    ? { to: 'use', stand: mark }
    : { to: 'take-over', isLedTo: PLANNED, guests: PLANNED };
}

/** Why the bridge is not the planned one any more. */
function obstacleTo(step: UpdateStep, present: PresentBridge | undefined): string | undefined {
  if (!present) return 'it is gone';
  const { comment, newComment = comment } = step;
  const found = present.row.comments.trim();
  if (found !== comment.trim() && found !== newComment.trim())
    return `it has another comment than when it was planned ("${found}")`;
  const wish = wishOf(step, found);
  return wish ? present.obstacle(wish) : 'it does not carry our mark';
}

export const updateBridge: Handler<'bridge.update'> = (step, io) => {
  const { node, bridge, vlanAware, comment, newComment = comment } = step;
  return attempt(io, {
    id: step.id,
    act: async () => {
      const present = await readBridge(step, io);
      const what = obstacleTo(step, present);
      if (what !== undefined) {
        throw new StepError('NOT_OURS', `bridge ${bridge} on ${node} stays as it is: ${what}`, {
          hint: 'run the command again: it plans anew from what is there',
        });
      }
      if (present && isDone(step, present.row)) return 'already-done';
      const change = { iface: bridge, ...(vlanAware ? { vlanAware } : {}), comment: newComment };
      await io.pve.updateBridge(node, change, io.signal);
      return 'done';
    },
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
