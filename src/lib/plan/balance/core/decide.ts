/** Decides which guests move where, and in which order, on any platform; says of all others why they stay. */
import { PlanRefusedError } from '../../../errors.ts';
import { sortedUnique } from '../../../order.ts';
import type { BalanceReport } from '../../document/balance-report.ts';
import { Board } from './board.ts';
import { capMoves, type Capped } from './caps.ts';
import type { Constraints } from './constraints.ts';
import { Draft, OVERHEAD, type ChosenMove } from './draft.ts';
import { evacuate, findTorn, mend, mendRules, type TornStand } from './mandatory.ts';
import { MODES } from './modes.ts';
import { relieve } from './relieve.ts';
import { consideredNodes, nodeReports, plannedMoves, rejections, stuckStands } from './report.ts';
import { variationOn } from './spread.ts';
import { standKey } from './types.ts';
import { buildUnits } from './units.ts';
import { keeps, tornRejections, verdictOf, type StuckTorn } from './verdict.ts';
import type { World } from './world.ts';

export interface Decision {
  /** What moves in this run. */
  readonly moves: readonly ChosenMove[];
  /** Guests of which more is worth knowing next, the likeliest to move first. */
  readonly interesting: Iterable<number>;
  readonly report: BalanceReport;
}

function assertNodesExist({ nodes, evacuated }: World): void {
  const missing = sortedUnique(evacuated).filter((name) => !nodes.has(name));
  if (missing.length === 0) return;
  throw new PlanRefusedError('NO_SUCH_NODE', `the cluster has no node ${missing.join(', ')}`, {
    hint: `nodes there: ${sortedUnique(nodes.keys()).join(', ')}`,
  });
}

/** All that is worth doing, without regard to the limits per run. Returns the stands that stay torn. */
function choose(draft: Draft, torn: readonly TornStand[]): StuckTorn[] {
  const { world } = draft;
  if (world.closed.all !== undefined) return [];
  let stuck: StuckTorn[] = [];
  for (let count = -1; count !== draft.moves.length;) {
    count = draft.moves.length;
    stuck = torn.flatMap((stand) => {
      const obstacle = mend(stand, draft);
      return obstacle ? [{ torn: stand, why: obstacle.text }] : [];
    });
    if (world.evacuated.size > 0) {
      evacuate(draft);
      continue;
    }
    mendRules(draft);
    relieve(draft);
    MODES[world.config.mode].goOn(draft);
  }
  return stuck;
}

/** An order to empty a node is not cut into portions. */
function cap(draft: Draft): Capped {
  const { config, history, evacuated } = draft.world;
  if (evacuated.size > 0) return { kept: draft.moves, deferred: [] };
  return capMoves(draft.moves, config, history.inFlight);
}

/** Where next to nothing is copied, a part of it says nothing. */
function gapOf({ relief: { cost, least, felt } }: Draft): Pick<BalanceReport, 'gap'> {
  return least > 0 && felt >= OVERHEAD ? { gap: Number((cost / least - 1).toFixed(3)) } : {};
}

/** `untouched`: as the plan found it. */
function reportOn(
  { draft, untouched }: { readonly draft: Draft; readonly untouched: Draft },
  capped: Capped,
  torn: readonly StuckTorn[],
): BalanceReport {
  const { world } = draft;
  const board = new Board(world);
  const stuckTorn = tornRejections(torn);
  const moves = plannedMoves(capped.kept, board, world);
  const considered = consideredNodes(draft, untouched);
  const rejected = [...stuckTorn.rejected, ...rejections(considered, draft, capped.deferred)];
  const isTornOf = (vmids: readonly number[]): boolean =>
    stuckTorn.stands.some((stand) => stand.vmids.some((vmid) => vmids.includes(vmid)));
  const remaining = [...world.guests.values()].filter(({ vmid }) =>
    world.evacuated.has(board.whereIs(vmid) ?? ''),
  );
  const troubles = [
    ...stuckTorn.stands.map(({ reason }) => reason),
    ...(world.evacuated.size > 0 && remaining.length === 0
      ? []
      : considered.map((node) => keeps(node, board, world))),
  ];
  const migrations = moves.reduce((count, { guests }) => count + guests.length, 0);
  return {
    ...verdictOf(world, migrations, troubles),
    mode: world.config.mode,
    ...(world.evacuated.size > 0
      ? { evacuate: sortedUnique(world.evacuated), remaining: remaining.map(({ vmid }) => vmid) }
      : {}),
    imbalance: { before: variationOn(untouched.board, world), after: variationOn(board, world) },
    nodes: nodeReports(untouched.board, board, world),
    moves,
    ...gapOf(draft),
    rejected,
    stuck: [...stuckTorn.stands, ...stuckStands(rejected, draft).filter(({ vmids }) => !isTornOf(vmids))],
    deferred: capped.deferred.reduce((count, { unit }) => count + unit.vmids.length, 0),
    inFlight: world.history.inFlight,
    ...(world.history.goneBefore === undefined ? {} : { historyGoneBefore: world.history.goneBefore }),
  };
}

/** Moves that load, rules, torn stands or an evacuation ask for; see `BalanceReport` for why what stays stays. */
export function decide(world: World, constraints: Constraints): Decision {
  assertNodesExist(world);
  const torn = findTorn(world);
  const units = buildUnits(world);
  const isTorn = new Set(torn.map(({ stand }) => standKey(stand)));
  const start = (): Draft => new Draft({ world, constraints, board: new Board(world), units, torn: isTorn });
  const draft = start();
  const stuck = choose(draft, torn);
  const capped = cap(draft);
  const report = reportOn({ draft, untouched: start() }, capped, stuck);
  return { moves: capped.kept, interesting: draft.interesting, report };
}
