/** What the whole plan comes to, in a sentence, and what it has to warn of. */
import { sortedUnique } from '../../../order.ts';
import type { BalanceVerdict, RejectedMove, StuckStand } from '../../document/balance-report.ts';
import { nameSome } from '../../document/text.ts';
import type { Board } from './board.ts';
import { breaches } from './load.ts';
import type { TornStand } from './mandatory.ts';
import { MODES } from './modes.ts';
import type { World } from './world.ts';

export interface StuckTorn {
  readonly torn: TornStand;
  readonly why: string;
}

export function verdictOf(
  world: World,
  moves: number,
  troubles: readonly string[],
): { verdict: BalanceVerdict; reason: string } {
  if (world.closed.all !== undefined)
    return { verdict: 'blackout', reason: `nothing moves now: ${world.closed.all}` };
  if (moves > 0)
    return { verdict: 'moves', reason: `${moves} ${moves === 1 ? 'migration' : 'migrations'} planned` };
  if (troubles.length === 0) return { verdict: 'balanced', reason: MODES[world.config.mode].calm(world) };
  return { verdict: 'no-beneficial-move', reason: `no move would help: ${troubles.join('; ')}` };
}

/** What is wrong with a node, after all. */
export function keeps(node: string, board: Board, world: World): string {
  if (world.evacuated.has(node)) return `nothing more can leave ${node}`;
  const over = breaches(board.loads(node), world.config, 'overload').map(({ text }) => text);
  return over.length === 0 ? `${node} stays as it is` : `${node} stays at ${over.join(', ')}`;
}

export function tornRejections(stuck: readonly StuckTorn[]): {
  rejected: RejectedMove[];
  stands: StuckStand[];
} {
  const rows = stuck.map(({ torn: { stand, guests, nodes }, why }) => ({
    lab: stand.lab,
    user: stand.user,
    nodes,
    vmids: guests.map(({ vmid }) => vmid).sort((a, b) => a - b),
    reason: `its machines are on ${nodes.join(' and ')}, and cannot be put together: ${why}`,
  }));
  return {
    stands: rows,
    rejected: rows.map(({ lab, user, nodes, vmids, reason }) => ({
      unit: 'stand',
      name: `stand ${lab} of ${user}`,
      vmids,
      node: nodes[0] ?? '',
      code: 'half-moved',
      reason,
    })),
  };
}

/** `alsoNamed`: by what only the platform knows. */
export function unknownNodes({ config, nodes }: World, alsoNamed: readonly string[] = []): string[] {
  const named = [
    ...alsoNamed,
    ...config.excludeSource,
    ...config.excludeTarget,
    ...config.cpuGroups.flat(),
    ...config.pin.flatMap((pin) => pin.nodes),
  ];
  const unknown = sortedUnique(named).filter((node) => !nodes.has(node));
  return unknown.length === 0
    ? []
    : [`the configuration names nodes that the cluster does not have: ${unknown.join(', ')}`];
}

export function contradictionNotes({ rules, labels }: World): string[] {
  return [...rules.contradictions].map(
    ([text, vmids]) =>
      `rules of the configuration contradict each other: ${text}; left alone: ${nameSome(vmids.map((vmid) => labels.get(vmid) ?? String(vmid)))}`,
  );
}

export function lostHistory({ history: { goneBefore } }: World): string[] {
  return goneBefore === undefined
    ? []
    : [`history before ${goneBefore} is gone: older moves and failures are not known`];
}
