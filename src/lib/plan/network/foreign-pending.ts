/** Network changes of others that an apply of ours would put into force too. */
import type { NodeNetwork } from '../../inventory/types.ts';

/** What is staged, in words, with the lines; undefined when nothing is. An apply on this node is then not ours to do. */
export function foreignPending(network: NodeNetwork | undefined): string | undefined {
  const rows = network?.pending.filter((row) => !row.ours) ?? [];
  if (!network || rows.length === 0) return undefined;
  const text = rows.map((row) => row.text.trimEnd().replaceAll('\t', '  ')).join('\n');
  return `network changes that are not ours are staged on ${network.node} and would be applied with ours:\n${text}`;
}

export function foreignPendingOn(node: string, networks: readonly NodeNetwork[]): string | undefined {
  return foreignPending(networks.find((network) => network.node === node));
}
