/** What the modes of balance differ in, a row each: a further one does not compile until all of it is answered. */
import type { BalanceMode } from '../../../config/balance/types.ts';
import type { Draft } from './draft.ts';
import { breaches, meanLoadOf, type Loads } from './load.ts';
import { TARGETS, WIDEST, type Reach } from './rules/target-rules.ts';
import { evenOut, nodesInService, variationOn } from './spread.ts';
import type { World } from './world.ts';

interface Mode {
  /** What it does after overloaded nodes are relieved. */
  readonly goOn: (draft: Draft) => void;
  /** Onto which nodes it puts load, in the end. */
  readonly reach: Reach;
  /** Why nothing more has to leave a node that is not overloaded; undefined: something has. */
  readonly settled: (node: string, draft: Draft) => string | undefined;
  /** Is a move of no use that leaves a node from the one loads with the others? */
  readonly isUseless: (from: Loads, to: Loads, world: World) => boolean;
  /** Which nodes are to give something away beside the overloaded ones. */
  readonly givers: (draft: Draft, before: Draft) => readonly string[];
  /** What is said where nothing has to move. */
  readonly calm: (world: World) => string;
}

/** Those above the mean, where loads differ. */
function aboveMean(draft: Draft, { board }: Draft): string[] {
  const { world } = draft;
  if (variationOn(board, world) <= world.config.spreadLimit) return [];
  const loads = nodesInService(draft).map((name) => ({
    name,
    load: meanLoadOf(board.loads(name), world.config),
  }));
  const mean = loads.reduce((sum, { load }) => sum + load, 0) / Math.max(loads.length, 1);
  return loads.filter(({ load }) => load > mean).map(({ name }) => name);
}

export const MODES: Readonly<Record<BalanceMode, Mode>> = {
  threshold: {
    goOn: () => undefined,
    // An overloaded node is relieved onto more than targets, in the end.
    reach: WIDEST,
    settled: (node) => `${node} is below its limits with the other moves`,
    isUseless: (from, to, { config }) =>
      breaches(from, config, 'overload').length === breaches(to, config, 'overload').length,
    givers: () => [],
    calm: ({ evacuated }) => (evacuated.size > 0 ? 'nothing is left to move' : 'no node is overloaded'),
  },
  spread: {
    goOn: evenOut,
    reach: TARGETS,
    settled: (_, { world, board }) =>
      variationOn(board, world) <= world.config.spreadLimit
        ? 'node loads differ little with the other moves'
        : undefined,
    isUseless: () => false,
    givers: aboveMean,
    calm: () => 'node loads differ little',
  },
};
