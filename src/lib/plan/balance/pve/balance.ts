/** Plans `balance`: which guests move where, in which order, with which bridges. Pure; asks for what it has to know. */
import { PlanRefusedError } from '../../../errors.ts';
import type { BalanceConfig } from '../../../config/balance/types.ts';
import { assertSound } from '../../document/graph.ts';
import { sortedUnique } from '../../../order.ts';
import type { BalancePlan } from '../../document/plan.ts';
import { Board } from '../core/board.ts';
import { capMoves, type Capped } from '../core/caps.ts';
import { Draft } from '../core/draft.ts';
import { evacuate, findTorn, mend, mendRules, type TornStand } from '../core/mandatory.ts';
import { breaches } from '../core/load.ts';
import { overloadedNodes, relieve } from '../core/relieve.ts';
import {
  consideredNodes,
  nodeReports,
  plannedMoves,
  rejections,
  stuckStands,
  variationOn,
} from '../core/report.ts';
import { evenOut } from '../core/spread.ts';
import { planStandNetwork, type StandNetwork } from './stand-network.ts';
import { plannedStands, planSteps } from './steps.ts';
import type { BalanceInventory, Veto, BalanceNeeds } from '../../../inventory/balance-types.ts';
import type {
  BalanceReport,
  BalanceVerdict,
  RejectedMove,
  StuckStand,
} from '../../document/balance-report.ts';
import { buildUnits, type UnitIndex } from '../core/units.ts';
import { bridgesOf, createWorld, isLocalNetwork, standKey, type World } from './world.ts';

export interface BalanceInput {
  readonly have: BalanceInventory;
  /** What the command line says is in it already. */
  readonly config: BalanceConfig;
  /** Nodes to be emptied, instead of balancing. */
  readonly evacuate?: readonly string[];
  readonly vetoes?: readonly Veto[];
}

/**
 * While `needs` names something the plan is provisional: read it, add it to the inventory, plan again. A plan whose
 * moves a precondition call of PVE refuses is made again with `vetoes`.
 */
export interface BalanceDecision {
  readonly plan: BalancePlan;
  readonly needs: BalanceNeeds;
}

function assertNodesExist(nodes: readonly string[], { have }: BalanceInput): void {
  const known = sortedUnique(have.nodes.map(({ name }) => name));
  const missing = sortedUnique(nodes).filter((name) => !known.includes(name));
  if (missing.length === 0) return;
  throw new PlanRefusedError('NO_SUCH_NODE', `the cluster has no node ${missing.join(', ')}`, {
    hint: `nodes there: ${known.join(', ')}`,
  });
}

interface Torn {
  readonly torn: TornStand;
  readonly why: string;
}

/** All that is worth doing, without regard to the limits per run. Returns the stands that stay torn. */
function choose(draft: Draft, torn: readonly TornStand[]): Torn[] {
  const { world } = draft;
  if (world.closed.all !== undefined) return [];
  let stuck: Torn[] = [];
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
    if (world.config.mode === 'spread') evenOut(draft);
    else for (const node of overloadedNodes(draft)) relieve(node, draft);
  }
  return stuck;
}

/** An order to empty a node is not cut into portions. */
function cap(draft: Draft): Capped {
  const { config, history, evacuated } = draft.world;
  if (evacuated.size > 0) return { kept: draft.moves, deferred: [] };
  return capMoves(draft.moves, config, history.inFlight);
}

function needsOf(capped: Capped, network: StandNetwork, draft: Draft): BalanceNeeds {
  const { world } = draft;
  const chosen = capped.kept.flatMap(({ unit }) => unit.guests);
  const missing = chosen.filter(({ vmid }) => !world.facts.has(vmid)).map(({ vmid }) => vmid);
  const sources = new Set(capped.kept.flatMap(({ from }) => from));
  const next = [...draft.interesting].filter(
    (vmid) => !world.facts.has(vmid) && sources.has(world.guests.get(vmid)?.node ?? ''),
  );
  // A local network ties a guest to others, on both sides; and a bridge goes only when nobody else names it.
  const tied = capped.kept.flatMap(({ unit, to }) =>
    unit.guests.flatMap((guest) =>
      (bridgesOf(guest, world) ?? []).some((iface) => isLocalNetwork(guest.node, iface, world))
        ? [guest.node, ...(unit.stands.length === 0 ? [to] : [])]
        : [],
    ),
  );
  const configs = missing.length === 0 ? [] : [...new Set([...missing, ...next])].sort((a, b) => a - b);
  const bridgeUse = [...network.needs, ...tied].filter((node) => !world.bridgeUseNodes.has(node));
  return { configs, bridgeUse: sortedUnique(bridgeUse) };
}

function verdictOf(
  draft: Draft,
  moves: number,
  reasons: readonly string[],
): { verdict: BalanceVerdict; reason: string } {
  const { world } = draft;
  if (world.closed.all !== undefined)
    return { verdict: 'blackout', reason: `nothing moves now: ${world.closed.all}` };
  if (moves > 0)
    return { verdict: 'moves', reason: `${moves} ${moves === 1 ? 'migration' : 'migrations'} planned` };
  if (reasons.length === 0) {
    const what = world.evacuated.size > 0 ? 'nothing is left to move' : 'no node is overloaded';
    return {
      verdict: 'balanced',
      reason: world.config.mode === 'spread' ? 'node loads differ little' : what,
    };
  }
  return { verdict: 'no-beneficial-move', reason: `no move would help: ${reasons.join('; ')}` };
}

function warningsOf(world: World): string[] {
  const { config, have, history } = world;
  const known = new Set(world.nodes.keys());
  const named = [
    ...config.excludeSource,
    ...config.excludeTarget,
    ...config.cpuGroups.flat(),
    ...config.pin.flatMap(({ nodes }) => nodes),
  ];
  const unknown = sortedUnique(named).filter((node) => !known.has(node));
  const hasHa = [...world.guests.values()].some(({ ha }) => ha);
  return [
    ...have.gaps,
    ...(unknown.length === 0
      ? []
      : [`the configuration names nodes that the cluster does not have: ${unknown.join(', ')}`]),
    ...(have.haAutoRebalance && hasHa
      ? ['HA balances its guests by itself (ha-auto-rebalance is on): they are left to it, and count as load']
      : []),
    ...(history.goneBefore === undefined
      ? []
      : [`history before ${history.goneBefore} is gone: older moves and failures are not known`]),
  ];
}

function tornRejections(stuck: readonly Torn[]): { rejected: RejectedMove[]; stands: StuckStand[] } {
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

function createDraft(world: World, torn: readonly TornStand[], units: UnitIndex): Draft {
  return new Draft({
    world,
    board: new Board(world),
    units,
    torn: new Set(torn.map(({ stand }) => standKey(stand))),
  });
}

/** What is wrong with a node, after all. */
function keeps(node: string, board: Board, world: World): string {
  if (world.evacuated.has(node)) return `nothing more can leave ${node}`;
  const over = breaches(board.loads(node), world.config, 'overload').map(({ text }) => text);
  return over.length === 0 ? `${node} stays as it is` : `${node} stays at ${over.join(', ')}`;
}

/** Moves that load, rules, torn stands or an evacuation ask for; see `BalanceReport` for why what stays stays. */
export function planBalance(input: BalanceInput): BalanceDecision {
  const { have, config } = input;
  assertNodesExist(input.evacuate ?? [], input);
  const world = createWorld({ have, config, evacuate: input.evacuate ?? [], vetoes: input.vetoes ?? [] });
  const torn = findTorn(world);
  const units = buildUnits(world);
  const draft = createDraft(world, torn, units);
  const stuckTorn = tornRejections(choose(draft, torn));
  const capped = cap(draft);
  const network = planStandNetwork(capped.kept, world);
  const steps = planSteps(capped.kept, network, world);
  assertSound(steps);

  const board = new Board(world);
  const moves = plannedMoves(capped.kept, board, world);
  const untouched = createDraft(world, torn, units);
  const considered = consideredNodes(draft, untouched);
  const rejected = [...stuckTorn.rejected, ...rejections(considered, draft, capped.deferred)];
  const migrations = moves.reduce((count, { guests }) => count + guests.length, 0);
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
  const balance: BalanceReport = {
    ...verdictOf(draft, migrations, troubles),
    mode: config.mode,
    ...(world.evacuated.size > 0
      ? { evacuate: sortedUnique(world.evacuated), remaining: remaining.map(({ vmid }) => vmid) }
      : {}),
    imbalance: { before: variationOn(untouched.board, world), after: variationOn(board, world) },
    nodes: nodeReports(untouched.board, board, world),
    moves,
    rejected,
    stuck: [...stuckTorn.stands, ...stuckStands(rejected, draft).filter(({ vmids }) => !isTornOf(vmids))],
    deferred: capped.deferred.reduce((count, { unit }) => count + unit.vmids.length, 0),
    inFlight: world.history.inFlight,
    ...(world.history.goneBefore === undefined ? {} : { historyGoneBefore: world.history.goneBefore }),
  };
  const plan: BalancePlan = {
    version: 2,
    command: 'balance',
    lab: '',
    steps,
    stands: plannedStands(capped.kept, network, world),
    balance,
    warnings: [...warningsOf(world), ...network.warnings],
  };
  return { plan, needs: needsOf(capped, network, draft) };
}
