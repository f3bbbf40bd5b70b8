/** Pools below that of a stand which goes: PVE removes no pool that has any, so that it stays, and is told before the first write. */
import type { Refusal } from '../document/plan.ts';
import { shellCommand } from '../../shell.ts';
import type { CleanupContext } from './context.ts';
import type { SelectedStand } from './selection.ts';

export function subpoolRefusal({ pool }: SelectedStand, { index }: CleanupContext): Refusal | undefined {
  const below = index.subpools.get(pool) ?? [];
  if (below.length === 0) return undefined;
  const isFull = below.some(
    (name) => (index.members.get(name) ?? []).length + (index.subpools.get(name) ?? []).length > 0,
  );
  const commands = below.map((name) => `\`${shellCommand('pvesh', 'delete', '/pools', '--poolid', name)}\``);
  return {
    code: 'SUBPOOLS_LEFT',
    message: `pool ${pool} stays: there is pool ${below.join(', ')} below it, which is not of this stand`,
    hint: `${isFull ? 'take out what is in it, then remove it' : 'remove it'}, as root on a node: ${commands.join(', ')}; then run cleanup again`,
  };
}
