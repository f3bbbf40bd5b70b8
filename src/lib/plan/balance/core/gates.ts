/** What a node must keep free when something comes onto it, whatever makes it overloaded. One row each. */
import { inGib, MIB } from '../../../bytes.ts';
import type { RejectionCode } from '../../document/balance-report.ts';
import type { Demand, Loads } from './load.ts';
import type { Node, Policy } from './types.ts';

interface Gate {
  readonly code: RejectionCode;
  /** The part of a demand in which the value is linear; a move that has nothing of it passes. */
  readonly part: keyof Demand;
  readonly value: (loads: Loads) => number;
  readonly limit: (node: Node, config: Policy) => number;
  readonly say: (after: Loads, node: Node, config: Policy) => string;
}

function shareOf(amount: { kind: string; value: number } | undefined, total: number, unit: number): number {
  if (!amount || total <= 0) return 0;
  return amount.kind === 'percent' ? amount.value / 100 : (amount.value * unit) / total;
}

function reservedMemory({ memoryTotal }: Node, { reserve }: Policy): number {
  return shareOf(reserve.memory, memoryTotal, MIB);
}

function reservedCores({ cpus }: Node, { reserve }: Policy): number {
  return shareOf(reserve.cores, cpus, 1);
}

/** The platform's own limit counts, too. */
function mostGuests({ maxGuests }: Node, config: Policy): number {
  return Math.min(maxGuests ?? Infinity, config.maxGuests ?? Infinity);
}

export const GATES: readonly Gate[] = [
  {
    code: 'reserve',
    part: 'memory',
    value: ({ used }) => used,
    limit: (node, config) => 1 - reservedMemory(node, config),
    say: ({ used }, node, config) => {
      const free = (share: number): string => inGib(Math.max(share, 0) * node.memoryTotal);
      return `would have ${free(1 - used)} GiB of memory free, less than the reserve of ${free(reservedMemory(node, config))} GiB`;
    },
  },
  {
    code: 'reserve',
    part: 'threads',
    value: ({ cpu }) => cpu,
    // Where nobody measures CPU use it is judged by nothing, and holds nothing back.
    limit: (node, config) =>
      Number.isFinite(config.overload.cpu) ? 1 - reservedCores(node, config) : Infinity,
    say: ({ cpu }, node, config) =>
      `would have ${(Math.max(1 - cpu, 0) * node.cpus).toFixed(1)} threads free, less than the reserve of ${Number((reservedCores(node, config) * node.cpus).toFixed(1))}`,
  },
  {
    code: 'overcommit',
    part: 'committed',
    value: ({ committed }) => committed,
    limit: (_, { overcommit }) => overcommit,
    say: ({ committed }, _, { overcommit }) =>
      `guests would be promised ${Math.round(committed * 100)} % of its memory (overcommit ${Math.round(overcommit * 100)} %)`,
  },
  {
    code: 'max-guests',
    part: 'guests',
    value: ({ guests }) => guests,
    limit: mostGuests,
    say: ({ guests }, node, config) => `would have ${guests} guests, more than ${mostGuests(node, config)}`,
  },
];
