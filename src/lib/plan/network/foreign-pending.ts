/** Network changes of others that an apply of ours would put into force too. */
import type { NodeNetwork, PendingRow } from '../../inventory/types.ts';
import { compareNatural } from '../../order.ts';
import type { Refusal } from '../document/plan.ts';
import { bridgeObstacle, PLANNED } from './may-go.ts';

/** While there is such a change, nothing is put into force on its node: the one answer, whatever it was asked for. */
export interface StagedByOthers {
  readonly node: string;
  readonly ifaces: readonly string[];
  /** With the lines. */
  say(): string;
}

export function stagedByOthers(network: NodeNetwork | undefined): StagedByOthers | undefined {
  const rows = network?.pending.filter((row) => !row.ours) ?? [];
  if (!network || rows.length === 0) return undefined;
  return {
    node: network.node,
    ifaces: rows.map(({ iface }) => iface),
    say: () => {
      const text = rows.map((row) => row.text.trimEnd().replaceAll('\t', '  '));
      return [
        `network changes that are not ours are staged on ${network.node} and would be applied with ours:`,
        ...text,
        ...oldToolsWords(network, rows),
      ].join('\n');
    },
  };
}

/** Removals of ours that an earlier run staged and did not apply; none where others have staged something, too. */
function stagedRemovals(network: NodeNetwork): string[] {
  if (!network.readable || stagedByOthers(network)) return [];
  return network.pending.filter(({ change }) => change === 'removed').map(({ iface }) => iface);
}

export function stagedRemovalsByNode(networks: Iterable<NodeNetwork>): Map<string, string[]> {
  return new Map([...networks].map((network) => [network.node, stagedRemovals(network)]));
}

/** Staged bridges such as the older tool makes: with strategy local it never applied them. */
function oldToolsWords({ bridges }: NodeNetwork, rows: readonly PendingRow[]): string[] {
  const added = new Set(rows.flatMap(({ iface, change }) => (change === 'added' ? [iface] : [])));
  const wish = { to: 'take-over', isLedTo: PLANNED, guests: PLANNED } as const;
  const names = bridges
    .filter((info) => added.has(info.iface) && !bridgeObstacle(wish, info))
    .map(({ iface }) => iface)
    .sort(compareNatural);
  if (names.length === 0) return [];
  return [
    `${names.join(', ')}: as the older Python tool makes bridges, which it stages and, with strategy local, never applies`,
  ];
}

/** Nothing that takes an apply is done on this node. `then`: what to do once they are out of the way. */
export function stagedRefusal(staged: StagedByOthers, then: string): Refusal {
  const hint = `apply or revert them in ${staged.node} → System → Network, ${then}`;
  return { code: 'FOREIGN_PENDING_CHANGES', message: staged.say(), hint };
}
