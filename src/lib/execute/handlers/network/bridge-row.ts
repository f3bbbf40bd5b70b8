/** One bridge of a node as it is right before a write, and whether the planners' rule still lets it go. Writes nothing. */
import { bridgeObstacle, type Wish } from '../../../plan/network/may-go.ts';
import { obstacleText } from '../../../plan/network/may-go-text.ts';
import type { NetworkRow } from '../../../proxmox/types.ts';
import { indexAbove } from '../../../pve-values/interfaces.ts';
import type { StepIo } from '../../types.ts';

export interface PresentBridge {
  readonly row: NetworkRow;
  /** In words; undefined: it may. */
  readonly obstacle: (wish: Wish) => string | undefined;
}

/** Undefined: it is not there. */
export async function readBridge(
  { node, bridge }: { readonly node: string; readonly bridge: string },
  io: StepIo,
): Promise<PresentBridge | undefined> {
  const { rows } = await io.pve.network(node, io.signal);
  const row = rows.find(({ iface }) => iface === bridge);
  if (!row) return undefined;
  const above = indexAbove(rows).get(bridge) ?? [];
  return {
    row,
    obstacle: (wish) => {
      const found = bridgeObstacle(wish, { ...row, above });
      return found && obstacleText(found);
    },
  };
}
