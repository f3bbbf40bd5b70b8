/** Network changes of others that an apply of ours would put into force too. */
import type { NodeNetwork, PendingRow } from '../../inventory/types.ts';
import { compareNatural } from '../../order.ts';
import type { Refusal } from '../document/plan.ts';
import { bridgeObstacle, PLANNED } from './may-go.ts';

/** Rows that nobody of ours has staged. */
export function foreignRows(network: NodeNetwork | undefined): readonly PendingRow[] {
  return network?.pending.filter((row) => !row.ours) ?? [];
}

/** Removals of ours that an earlier run staged and did not apply; none where others have staged something, too. */
function stagedRemovals(network: NodeNetwork): string[] {
  if (!network.readable || foreignRows(network).length > 0) return [];
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

/** What is staged, in words, with the lines; undefined when nothing is. An apply on this node is then not ours to do. */
function foreignPending(network: NodeNetwork | undefined): string | undefined {
  const rows = foreignRows(network);
  if (!network || rows.length === 0) return undefined;
  const text = rows.map((row) => row.text.trimEnd().replaceAll('\t', '  '));
  return [
    `network changes that are not ours are staged on ${network.node} and would be applied with ours:`,
    ...text,
    ...oldToolsWords(network, rows),
  ].join('\n');
}

export function foreignPendingOn(node: string, networks: readonly NodeNetwork[]): string | undefined {
  return foreignPending(networks.find((network) => network.node === node));
}

/** Nothing that takes an apply is done on this node. `then`: what to do once they are out of the way. */
export function pendingRefusal(network: NodeNetwork | undefined, then: string): Refusal | undefined {
  const message = foreignPending(network);
  if (!network || message === undefined) return undefined;
  const hint = `apply or revert them in ${network.node} → System → Network, ${then}`;
  return { code: 'FOREIGN_PENDING_CHANGES', message, hint };
}
